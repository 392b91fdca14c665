// Fills tensors on the WebGPU device of the current runtime and counts the bits that differ from the CPU's. It runs in Node,
// Deno and a web page; scripts/portability.mjs starts it.

/** The number of elements of each tensor. */
export const elementCount = 2 ** 22

/** What is filled. Each is a column of the table. */
export const columns = {
  uniform: { initializer: 'uniform', dtype: 'float32' },
  normal: { initializer: 'normal', dtype: 'float32' },
  truncated: { initializer: 'truncated_normal', dtype: 'float32' },
  'normal, float16': { initializer: 'normal', dtype: 'float16' },
  'normal, bfloat16': { initializer: 'normal', dtype: 'bfloat16' },
}

function differingBits(a, b) {
  let count = 0
  const [x, y] = [a, b].map(({ buffer, byteOffset, byteLength }) => new Uint32Array(buffer, byteOffset, byteLength / 4))
  for (let i = 0; i < x.length; i++) for (let bits = x[i] ^ y[i]; bits !== 0; bits &= bits - 1) count++
  return count
}

async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/**
 * @param {typeof import('../src/index.js')} library the built package
 * @param {GPUDevice} device
 */
export async function measure(library, device) {
  const results = {}
  for (const [name, { initializer, dtype }] of Object.entries(columns)) {
    const make = async (where) => {
      const weights = await library.initializeTensor(
        [elementCount],
        initializer,
        {},
        { device: where, dtype, seed: 42 },
      )
      const bytes = await weights.readBytes('tensor')
      weights.destroy()
      return bytes
    }
    const [onGpu, onCpu] = [await make(device), await make('cpu')]
    results[name] = { bits: differingBits(onGpu, onCpu), sha256: await sha256(onGpu) }
  }
  return results
}

/** The adapter's name, as the runtime reports it. */
export const describeAdapter = ({ description, device, vendor }) => description || device || vendor || 'unnamed'

const started = globalThis.process?.argv?.[2] === '--measure'
if (started) {
  const gpu = 'Deno' in globalThis ? navigator.gpu : (await import('webgpu')).create([])
  if (!('Deno' in globalThis)) Object.assign(globalThis, (await import('webgpu')).globals)
  const adapter = await gpu.requestAdapter()
  if (adapter === null) throw new Error('no adapter')
  const library = await import('../dist/index.js')
  const results = await measure(library, await adapter.requestDevice())
  console.log(`RESULT ${JSON.stringify({ adapter: describeAdapter(adapter.info), results })}`)
  globalThis.process.exit(0)
}
