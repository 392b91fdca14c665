// PyTorch's sparse_ (torch/nn/init.py): it calls normal_(0, std), and then, in every column, sets the first rows of a randperm
// to 0. The permutations come from the default CPU generator, even on CUDA.

import type { DistributionOf } from '../../ir/distribution.js'
import { type MersenneStream, mersenneStream } from '../../random/libraries/mt19937.js'
import { sampleCall, type TorchCall } from './calls.js'
import { normalWords, smallNormalWords, TORCH_BLOCK } from './cpu.js'
import { randpermWords } from './randperm.js'

type SparseDistribution = DistributionOf<'sparse'>

/** The number of words that the permutations of all columns take. */
export const permutationWords = ({ rows, columns }: SparseDistribution): number => columns * randpermWords(rows)

/** Elements [first, first + count) of sparse_ as float32, in a new array. */
export function sampleSparse(
  distribution: SparseDistribution,
  call: TorchCall,
  first: number,
  count: number,
): Float32Array {
  const values = sampleCall({ kind: 'normal', mean: 0, std: distribution.std }, call, first, count)
  const zeros = zerosOf(distribution, call)
  for (let i = 0; i < count; i++) {
    const at = first + i
    if ((zeros[at >>> 3]! >>> (at & 7)) & 1) values[i] = 0
  }
  return values
}

/** Which elements are 0, with one bit for each. The bits of a source are cached as long as the source exists. */
let cache: WeakMap<TorchCall['generatorSource'], Uint8Array> | undefined

function zerosOf(distribution: SparseDistribution, { generatorSource }: TorchCall): Uint8Array {
  cache ??= new WeakMap()
  const cached = cache.get(generatorSource)
  if (cached !== undefined) return cached
  const zeros = makeZeros(
    distribution,
    mersenneStream(Number(BigInt(generatorSource.seed) & 0xffff_ffffn)),
    permutationsStart(generatorSource),
  )
  cache.set(generatorSource, zeros)
  return zeros
}

function permutationsStart(generatorSource: TorchCall['generatorSource']): number {
  if (generatorSource.generator === 'torch-cuda') return generatorSource.position ?? 0
  const { position, count, cachedAt } = generatorSource
  return position + (count < TORCH_BLOCK ? smallNormalWords(count, cachedAt !== undefined) : normalWords(count))
}

function makeZeros({ rows, columns, zeros }: SparseDistribution, stream: MersenneStream, start: number): Uint8Array {
  const bits = new Uint8Array(Math.ceil((rows * columns) / 8))
  const order = Uint32Array.from({ length: rows }, (_, i) => i)
  // Entry i of a permutation is final after the first i + 1 steps, so the steps after the last needed entry are skipped.
  const words = new Uint32Array(Math.min(zeros, rows - 1))
  const swapped = new Uint32Array(words.length)
  for (let column = 0; column < columns; column++) {
    stream.read(start + column * randpermWords(rows), words)
    for (let i = 0; i < words.length; i++) {
      const other = i + (words[i]! % (rows - i))
      swapped[i] = other
      swap(order, i, other)
    }
    for (let i = 0; i < zeros; i++) {
      const at = order[i]! * columns + column
      bits[at >>> 3]! |= 1 << (at & 7)
    }
    for (let i = words.length - 1; i >= 0; i--) swap(order, i, swapped[i]!)
  }
  return bits
}

function swap(order: Uint32Array, i: number, j: number): void {
  const value = order[i]!
  order[i] = order[j]!
  order[j] = value
}
