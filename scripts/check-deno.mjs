// The built package in Deno, whose WebGPU is wgpu: a second implementation beside Dawn. Every law and dtype against the CPU.
//   npm run build && deno run -A --unstable-webgpu scripts/check-deno.mjs
// Without a GPU, start it with the environment that scripts/software-gpu.mjs gives (LD_LIBRARY_PATH, VK_DRIVER_FILES).
import { embedding, initializeModel, linear, sequential } from '../dist/index.js'

const adapter = await navigator.gpu?.requestAdapter()
if (!adapter) {
  console.error('Deno found no WebGPU adapter.')
  Deno.exit(1)
}
const device = await adapter.requestDevice()
console.log(adapter.info.description || adapter.info.device || adapter.info.vendor)
const model = sequential(linear(784, 256), embedding(1001, 37), linear(256, 128))
let wrong = 0
for (const initializer of [
  'uniform',
  'normal',
  'trunc_normal',
  'xavier',
  'lecun_normal',
  'eye',
  'orthogonal',
  'torch_default',
]) {
  for (const dtype of ['float32', 'float16', 'bfloat16']) {
    const weights = await initializeModel(model, initializer, {}, { device, seed: 42, dtype })
    const { mismatchCount, comparedCount } = await weights.verify()
    weights.destroy()
    wrong += mismatchCount
    console.log(`${initializer.padEnd(14)} ${dtype.padEnd(9)} ${mismatchCount} of ${comparedCount} differ`)
  }
}
Deno.exit(wrong === 0 ? 0 : 1)
