// Compares many tensors with one buffer of the same total size, to measure the cost of a parameter in addition to its elements.
import { readFileSync } from 'node:fs'
import { initializeModel, readHuggingFaceConfig } from '../dist/index.js'
import { normal, writtenBuffer } from './fills.mjs'

export const GPT2_ELEMENTS = 124439808

export function gpt2() {
  const config = JSON.parse(readFileSync(new URL('../examples/gpt2/config.json', import.meta.url), 'utf8'))
  const { model, recipe } = readHuggingFaceConfig(config)
  return { model, initializer: recipe }
}
const oneBuffer = (elements) => ({
  model: { parameters: [{ name: 'w', shape: [elements], role: 'weight' }] },
  initializer: normal,
})
const manyTensors = (count, elements) => ({
  model: {
    parameters: Array.from({ length: count }, (_, i) => ({ name: `w${i}`, shape: [elements], role: 'weight' })),
  },
  initializer: normal,
})

/** Byte lengths of the parameters that have memory of their own. */
const sizesOf = (model) =>
  model.parameters
    .filter(({ tiedTo }) => tiedTo === undefined)
    .map(({ name, shape }) => [name, 4 * shape.reduce((product, length) => product * length, 1)])

/** Buffers for every parameter, which have been written before. */
export const writtenMemory = (device, model) =>
  Object.fromEntries(sizesOf(model).map(([name, bytes]) => [name, { buffer: writtenBuffer(device, bytes) }]))

/** The same memory in one buffer, with the layout of `buffers: 'packed'`. */
function packedMemory(device, model) {
  let byteLength = 0
  const places = sizesOf(model).map(([name, bytes]) => {
    const byteOffset = byteLength
    byteLength += 256 * Math.ceil(bytes / 256)
    return [name, byteOffset]
  })
  const buffer = writtenBuffer(device, byteLength)
  return Object.fromEntries(places.map(([name, byteOffset]) => [name, { buffer, byteOffset }]))
}

function pair(device, id, name, elements, { model, initializer }, buffers = 'separate') {
  let into
  return [
    {
      id: `${id}.into`,
      name: `${name}, memory that exists`,
      elements,
      async run() {
        into ??= (buffers === 'packed' ? packedMemory : writtenMemory)(device, model)
        await initializeModel(model, initializer, { device, seed: 1, into })
      },
      free() {
        for (const { buffer } of Object.values(into ?? {})) buffer.destroy()
      },
    },
    {
      id: `${id}.fresh`,
      name: `${name}, new memory`,
      elements,
      run: async () => (await initializeModel(model, initializer, { device, seed: 1, buffers })).destroy(),
    },
  ]
}

export const gpt2Cases = (device) => [
  ...pair(device, 'gpt2', "GPT-2's 148 tensors", GPT2_ELEMENTS, gpt2()),
  ...pair(device, 'gpt2one', 'one buffer of that length', GPT2_ELEMENTS, oneBuffer(GPT2_ELEMENTS)),
]

export function manyCases(device, count = 10000, elements = 12288) {
  const tensors = manyTensors(count, elements)
  const total = count * elements
  const name = `${count} tensors of ${elements}`
  return [
    ...pair(device, 'packed', `${name}, packed`, total, tensors, 'packed'),
    ...pair(device, 'many', `${name}, a buffer each`, total, tensors),
    ...pair(device, 'manyone', 'one buffer of that length', total, oneBuffer(total)),
  ]
}
