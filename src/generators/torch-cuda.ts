import { refuse, show } from '../core/errors.js'
import { isInteger } from '../core/integers.js'
import type { DrawingDistribution, TorchCudaSource } from '../ir/generator.js'
import type { GeneratorDefinition, GeneratorSampler } from './kind.js'
import { cudaOffsetStep, launchThreads } from './torch/cuda.js'
import { threadsOfGpu } from './torch/cuda-gpus.js'
import {
  checkTorchDistribution,
  elementsOfCall,
  isDecimal64,
  LAST_POSITION,
  torchDistributions,
  torchSampler,
} from './torch/distributions.js'
import { permutationWords } from './torch/sparse.js'
import { afterTruncated } from './torch/truncated.js'

/** The largest tensor if the GPU is not named. Up to this size, the T4 and all larger GPUs give the same values. */
const UNNAMED_GPU_LIMIT = 40960
/** PyTorch splits larger tensors into parts with offsets of their own, which is not supported. */
const LARGEST = 2 ** 31 - 1
const layout = 'torch-cuda-v1'
const MOST_THREADS = 2 ** 30

/**
 * PyTorch's generator on CUDA. Every call advances an offset, and the values depend on how many threads the GPU runs. The
 * arithmetic is in torch/cuda.ts.
 */
export const torchCudaGenerator: GeneratorDefinition<'torch-cuda'> = {
  settings: ['threads', 'gpu'],
  layout,
  resolve({ threads, gpu }) {
    const fail = refuse('UNSUPPORTED_GENERATOR', 'generator torch-cuda: ')
    const name = 'torch-cuda'
    if (threads !== undefined && gpu !== undefined) fail('give threads or gpu, not both.')
    if (gpu !== undefined) return { name, layout, threads: threadsOfGpu(gpu as string) }
    if (threads === undefined || threads === null) return { name, layout, threads: null }
    if (!isInteger(threads, 1, Number.MAX_SAFE_INTEGER) || threads % 256 !== 0) {
      return fail(
        `threads must be a positive multiple of 256 (256 * SMs * floor(max threads per SM / 256)), but found ${show(threads)}.`,
      )
    }
    if (threads > MOST_THREADS) fail(`threads ${threads} is more than 2^30.`)
    return { name, layout, threads }
  },
  distributions: torchDistributions,
  check(distribution, { name }, where) {
    checkTorchDistribution(distribution, name, true, where)
  },
  assign(settings, seed) {
    let offset = (): bigint => 0n
    let position = 0
    return ({ elementCount, where }, distribution) => {
      const count = elementsOfCall(distribution, elementCount)
      checkCallLength(count, settings.threads, where)
      const source: TorchCudaSource = {
        generator: 'torch-cuda',
        seed: String(seed),
        offset: String(offset()),
        threads: launchThreads(count, settings.threads),
        ...(distribution.kind === 'truncated-normal' ? { count } : {}),
        ...(distribution.kind === 'sparse' ? { position } : {}),
      }
      if (distribution.kind === 'sparse') position += permutationWords(distribution)
      let after: bigint | undefined
      offset = () => (after ??= offsetAfter(distribution, source, count))
      return source
    }
  },
  mostElements: LARGEST,
  sourceFields: {
    seed: isDecimal64,
    offset: (x) => isDecimal64(x) && BigInt(x) % 4n === 0n,
    threads: (x) => isInteger(x, 1, 2 ** 31),
    count: (x, { distribution, elementCount }) =>
      x === (distribution.kind === 'truncated-normal' ? elementCount : undefined),
    // A sparse distribution that consists only of zeros has become a constant, but PyTorch draws for it nevertheless.
    position: (x, { distribution: { kind } }) =>
      (x === undefined && kind !== 'sparse') ||
      (isInteger(x, 0, LAST_POSITION) && (kind === 'sparse' || kind === 'constant')),
  },
}

export const torchCudaSampler: GeneratorSampler<'torch-cuda'> = /* @__PURE__ */ torchSampler(
  // A source contains the element count only if the call needs it.
  (generatorSource) => ({ generatorSource, count: generatorSource.count ?? 0 }),
  (generatorSource, count) => ({ generatorSource, count }),
)

function checkCallLength(count: number, threads: number | null, where: string): void {
  const fail = refuse('LIMIT_EXCEEDED', `${where} has ${count} elements`)
  if (threads === null && count > UNNAMED_GPU_LIMIT) {
    fail(
      `: above ${UNNAMED_GPU_LIMIT} the values of generator torch-cuda depend on the GPU. ` +
        "Name it: generator: { name: 'torch-cuda', gpu: 'A100' }, or give its thread capacity as threads.",
    )
  }
  if (count > LARGEST) {
    fail('; generator torch-cuda takes at most 2^31 - 1 in one tensor. Split the parameter.')
  }
}

/** PyTorch's philox_offset after a parameter. */
function offsetAfter(distribution: DrawingDistribution, source: TorchCudaSource, count: number): bigint {
  if (distribution.kind === 'truncated-normal') {
    return BigInt(afterTruncated(distribution, { generatorSource: source, count }, count).generatorSource.offset)
  }
  const calls = distribution.kind === 'orthogonal' ? BigInt(distribution.batch) : 1n
  return BigInt(source.offset) + calls * cudaOffsetStep(count, source.threads)
}
