// Our own fills as cases for interleave(), with the built package.
import { initializeModel, NormalInitializer, ones, TruncatedNormalInitializer, uniform } from '../dist/index.js'

export const normal = new NormalInitializer({ std: 0.02 })
export const truncated = new TruncatedNormalInitializer({ std: 0.02, a: -0.04, b: 0.04 })
export { ones, uniform }

const bytesOf = (elements, dtype) => elements * (dtype === 'float32' ? 4 : 2)
const modelOf = (elements, dtype) => ({ parameters: [{ name: 'w', shape: [elements], role: 'weight', dtype }] })

/** A buffer that has been written before, so that its memory pages exist. */
export function writtenBuffer(device, byteLength) {
  if (device === 'cpu') return new Uint8Array(byteLength).fill(1).buffer
  const buffer = device.createBuffer({ size: byteLength, usage: 0x80 | 0x4 | 0x8 })
  const encoder = device.createCommandEncoder()
  encoder.clearBuffer(buffer)
  device.queue.submit([encoder.finish()])
  return buffer
}

/** A call that writes into an existing buffer, so that no allocation is measured. */
export function intoCase(device, id, name, initializer, elements, dtype = 'float32') {
  const model = modelOf(elements, dtype)
  const into = { w: { buffer: writtenBuffer(device, bytesOf(elements, dtype)) } }
  return {
    id,
    name,
    elements,
    run: async () => void (await initializeModel(model, initializer, { device, seed: 1, into })),
  }
}

/** A call that makes its own buffer. The time includes making and freeing it. */
export function freshCase(device, id, name, initializer, elements, dtype = 'float32') {
  const model = modelOf(elements, dtype)
  return {
    id,
    name,
    elements,
    run: async () => (await initializeModel(model, initializer, { device, seed: 1 })).destroy(),
  }
}
