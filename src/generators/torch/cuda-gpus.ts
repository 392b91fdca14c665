import { show, WeightInitError } from '../../core/errors.js'

/**
 * How many threads a GPU runs at once: 256 * SMs * floor(threads per SM / 256). PyTorch's CUDA generator depends on nothing else
 * of a GPU. `checked` means that published values or measurements confirm the number; the others follow from the chips' data
 * sheets.
 */
const gpus: readonly { readonly gpu: string; readonly threads: number; readonly checked: boolean }[] = [
  { gpu: 'GTX 1050', threads: 10240, checked: false },
  { gpu: 'GTX 1650', threads: 14336, checked: false },
  { gpu: 'GTX 1060', threads: 20480, checked: false },
  { gpu: 'Quadro M4000', threads: 26624, checked: false },
  { gpu: 'RTX 3050', threads: 30720, checked: false },
  { gpu: 'RTX 4060', threads: 36864, checked: false },
  { gpu: 'T4', threads: 40960, checked: true },
  { gpu: 'RTX 2070 SUPER', threads: 40960, checked: false },
  { gpu: 'RTX 3060', threads: 43008, checked: false },
  { gpu: 'GTX 1080 Ti', threads: 57344, checked: false },
  { gpu: 'RTX 2080 Ti', threads: 69632, checked: false },
  { gpu: 'W7800', threads: 71680, checked: true },
  { gpu: 'RTX A4000', threads: 73728, checked: true },
  { gpu: 'L4', threads: 89088, checked: true },
  { gpu: 'W7900', threads: 98304, checked: true },
  { gpu: 'A10G', threads: 122880, checked: true },
  { gpu: 'RTX 3090', threads: 125952, checked: false },
  { gpu: 'RTX A6000', threads: 129024, checked: false },
  { gpu: 'H20', threads: 159744, checked: true },
  { gpu: 'V100', threads: 163840, checked: false },
  { gpu: 'MI308X', threads: 163840, checked: true },
  { gpu: 'RTX 4090D', threads: 175104, checked: true },
  { gpu: 'RTX 4090', threads: 196608, checked: true },
  { gpu: 'L40', threads: 218112, checked: true },
  { gpu: 'L40S', threads: 218112, checked: true },
  { gpu: 'A100', threads: 221184, checked: true },
  { gpu: 'H100 PCIe', threads: 233472, checked: true },
  { gpu: 'H100 SXM', threads: 270336, checked: true },
]

/** The known GPUs by name, with the number of threads that each runs at once. Smallest number first. */
export const torchCudaThreads: Readonly<Record<string, number>> = /* @__PURE__ */ (() =>
  Object.fromEntries(gpus.map(({ gpu, threads }) => [gpu, threads])))()

const plain = (name: string): string =>
  name
    .toLowerCase()
    .replace(/nvidia|geforce|tesla|quadro/g, '')
    .replace(/[^a-z0-9]/g, '')

/**
 * How many threads the GPU with this name runs at once. The words 'NVIDIA', 'GeForce', 'Tesla' and 'Quadro', case, blanks and
 * hyphens do not matter.
 *
 * @example
 * threadsOfGpu('NVIDIA A100') // 221184
 * @throws WeightInitError `UNSUPPORTED_GENERATOR` for an unknown name; the message lists the known names
 */
export function threadsOfGpu(name: string): number {
  const found = typeof name === 'string' ? gpus.find(({ gpu }) => plain(gpu) === plain(name)) : undefined
  if (found !== undefined) return found.threads
  throw new WeightInitError(
    'UNSUPPORTED_GENERATOR',
    `generator torch-cuda: unknown gpu ${show(name)}; known: ${gpus.map(({ gpu }) => gpu).join(', ')}. ` +
      'For another GPU give threads = 256 * SMs * floor(max threads per SM / 256).',
  )
}
