// Measures orthogonal matrices on one adapter, from the source code, and checks the results. Prints a Markdown table.
//   node bench/orthogonal.mjs [--adapter lavapipe|swiftshader|system] [--rounds N] [--sizes 64x64,12x64x64,...]
// The results are medians of whole calls (load, factorisation, store) until the device is done. Pipelines are compiled before.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { gpuEnvironment } from '../scripts/software-gpu.mjs'
import { openSources } from './sources.mjs'

const { values } = parseArgs({
  options: {
    adapter: { type: 'string', default: 'system' },
    rounds: { type: 'string', default: '5' },
    sizes: { type: 'string', default: '64x64,12x64x64,256x256,512x512,1024x1024,768x3072,2048x2048' },
    inner: { type: 'boolean', default: false },
  },
})

if (!values.inner) {
  const { status } = spawnSync(
    process.execPath,
    [fileURLToPath(import.meta.url), ...process.argv.slice(2), '--inner'],
    {
      env: { ...process.env, ...(await gpuEnvironment(values.adapter)) },
      stdio: 'inherit',
    },
  )
  process.exit(status ?? 1)
}

const { load, close } = await openSources()
const { requestNodeDevice } = await load('/src/node/device.ts')
const { deviceState } = await load('/src/gpu/device/device-state.ts')
const { orthogonalizeOnGpu, orthogonalityError, orthogonalScratchBytes } = await load(
  '/src/gpu/orthogonal/orthogonalize.ts',
)
const { boxMuller } = await load('/src/random/normal.ts')

const device = await requestNodeDevice()
const state = deviceState(device)
// Words of xorshift32 (Marsaglia 2003). A more regular input would not be a fair test: such matrices are so different from
// random ones that the factorisation is repeated.
let state32 = 1
const nextWord = () => {
  state32 ^= state32 << 13
  state32 ^= state32 >>> 17
  state32 ^= state32 << 5
  return Math.imul(state32, 0x9e3779b1) >>> 0
}
const median = (times) => [...times].sort((a, b) => a - b)[times.length >> 1]
console.log(
  `Orthogonal matrices on ${device.adapterInfo.description || device.adapterInfo.device}, Node ${process.version}\n`,
)
console.log('| matrices | ms (median) | ms (best) | max abs(QtQ - I) | scratch MB |')
console.log('| --- | ---: | ---: | ---: | ---: |')
for (const size of values.sizes.split(',')) {
  const parts = size.split('x').map(Number)
  const [batch, rows, cols] = parts.length === 3 ? parts : [1, ...parts]
  const shape = { batch, rows, cols }
  const normals = new Float32Array(2 * Math.ceil((batch * rows * cols) / 2))
  for (let i = 0; i < normals.length; i += 2) boxMuller(normals.subarray(i, i + 2), nextWord(), nextWord())
  const source = device.createBuffer({ size: normals.byteLength, usage: 0x80 | 0x8 })
  device.queue.writeBuffer(source, 0, normals)
  const target = {
    buffer: device.createBuffer({ size: normals.byteLength, usage: 0x80 }),
    byteOffset: 0,
    dtype: 'float32',
  }
  const times = []
  for (let round = -1; round < Number(values.rounds); round++) {
    const started = performance.now()
    await orthogonalizeOnGpu(state, { buffer: source, byteOffset: 0 }, target, shape, 1)
    if (round >= 0) times.push(performance.now() - started)
  }
  const error = await orthogonalityError(state, target, shape, 1)
  console.log(
    `| ${size} | ${median(times).toFixed(1)} | ${Math.min(...times).toFixed(1)} | ${error.toExponential(1)} | ${(orthogonalScratchBytes(state, shape) / 1e6).toFixed(1)} |`,
  )
  source.destroy()
  target.buffer.destroy()
}
device.destroy()
await close()
process.exit(0)
