// PyTorch's CUDA generator (ATen/native/cuda/DistributionTemplates.h), which uses cuRAND's Philox4x32-10, in the layout
// 'torch-cuda-v1'. CPU reference of shaders/generators/torch_cuda*.wgsl.

import type { SimpleDistribution, TorchCudaSource } from '../../ir/generator.js'
import { high32, low32 } from '../../random/keys.js'
import { curandDirection, curandRadius, curandUniform } from '../../random/libraries/curand.js'
import { fusedMultiplyAdd } from '../../random/libraries/fma.js'
import { philox4x32 } from '../../random/philox.js'
import { normalConstants } from '../draw-constants.js'

const fround = Math.fround
/** The number of threads in a CUDA block of PyTorch's launch. */
const CUDA_BLOCK = 256

/** The number of threads that PyTorch launches for `count` elements on a GPU that runs `capacity` at once; null: no limit. */
export function launchThreads(count: number, capacity: number | null): number {
  const threads = Math.ceil(count / CUDA_BLOCK) * CUDA_BLOCK
  return capacity === null ? threads : Math.min(threads, capacity)
}

/** How much a call adds to PyTorch's philox_offset. */
export function cudaOffsetStep(count: number, threads: number): bigint {
  return 4n * BigInt(Math.floor((count - 1) / (4 * threads)) + 1)
}

/**
 * The float32 constants of uniform_(low, high): a value is u * scale + low, rounded once. A value equal to `high` becomes
 * `low`.
 */
export function cudaUniformConstants(distribution: { low: number; high: number }): {
  low: number
  high: number
  scale: number
} {
  const low = fround(distribution.low)
  const high = fround(distribution.high)
  return { low, high, scale: fround(high - low) }
}

/** Elements [first, first + count) of a call as float32, in a new array. */
export function sampleTorchCuda(
  {
    distribution,
    generatorSource,
  }: { readonly distribution: SimpleDistribution; readonly generatorSource: TorchCudaSource },
  first: number,
  count: number,
): Float32Array {
  const { threads } = generatorSource
  const key = BigInt(generatorSource.seed)
  const [key0, key1] = [low32(key), high32(key)]
  const block = BigInt(generatorSource.offset) / 4n
  const out = new Float32Array(count)
  const words = new Uint32Array(4)
  const uniform = distribution.kind === 'uniform' ? cudaUniformConstants(distribution) : undefined
  const { mean, std } = distribution.kind === 'normal' ? normalConstants(distribution) : { mean: 0, std: 1 }
  const pair = new Float32Array(2)
  // Element i is made by thread i mod threads, from that thread's word (or half of a pair) number floor(i / threads).
  let turn = Math.floor(first / threads)
  let thread = first % threads
  let counter = block + BigInt(Math.floor(turn / 4))
  let [low, high] = [low32(counter), high32(counter)]
  for (let i = 0; i < count; i++) {
    philox4x32(words, low, high, thread, 0, key0, key1)
    const component = turn % 4
    if (uniform !== undefined) {
      const value = fusedMultiplyAdd(curandUniform(words[component]!), uniform.scale, uniform.low)
      out[i] = value === uniform.high ? uniform.low : value
    } else {
      const base = component & 2
      const radius = curandRadius(words[base]!)
      curandDirection(pair, words[base + 1]!)
      // cuRAND returns the sine first.
      out[i] = fusedMultiplyAdd(fround(radius * pair[1 - (component & 1)]!), std, mean)
    }
    if (++thread === threads) {
      thread = 0
      if (++turn % 4 === 0) {
        counter++
        low = low32(counter)
        high = high32(counter)
      }
    }
  }
  return out
}
