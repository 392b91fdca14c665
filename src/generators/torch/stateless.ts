// PyTorch's stateless generator (torch.func._random). It uses the same Philox blocks as the value contract, but turns them into
// values with different arithmetic.
// CPU reference of shaders/generators/stateless_*.wgsl.

import type { SimpleDistribution, StatelessSource } from '../../ir/generator.js'
import { high32, low32 } from '../../random/keys.js'
import { curandRadius, statelessDirection } from '../../random/libraries/curand.js'
import { fusedMultiplyAdd } from '../../random/libraries/fma.js'
import { philox4x32 } from '../../random/philox.js'
import { affineConstants, normalConstants } from '../draw-constants.js'

const fround = Math.fround

/** `torch.func._random.fold_in(key, data)`: one Philox block of the key, read as a new seed and offset. Exact. */
export function statelessFoldIn({ seed, offset }: StatelessSource, data: number): StatelessSource {
  const key = BigInt(seed)
  const counter = BigInt.asUintN(64, BigInt(offset) + BigInt(data))
  const words = new Uint32Array(4)
  philox4x32(words, low32(counter), high32(counter), 0, 0, low32(key), high32(key))
  const [w0, w1, w2, w3] = BigUint64Array.from(words, BigInt) as unknown as [bigint, bigint, bigint, bigint]
  return { generator: 'torch-stateless', seed: String(w0 | (w1 << 32n)), offset: String(w2 | (w3 << 32n)) }
}

/** Elements [first, first + count) of a tensor as float32, in a new array. */
export function sampleStateless(
  {
    distribution,
    generatorSource,
  }: { readonly distribution: SimpleDistribution; readonly generatorSource: StatelessSource },
  first: number,
  count: number,
): Float32Array {
  const seed = BigInt(generatorSource.seed)
  const [key0, key1] = [low32(seed), high32(seed)]
  const shift = first % 4
  const blocks = Math.ceil((shift + count) / 4)
  const out = new Float32Array(blocks * 4)
  const words = new Uint32Array(4)
  const affine = distribution.kind === 'uniform' ? affineConstants(distribution, 24) : undefined
  const { mean, std } = distribution.kind === 'normal' ? normalConstants(distribution) : { mean: 0, std: 1 }
  const pair = new Float32Array(2)
  const counter = BigInt(generatorSource.offset) + BigInt(Math.floor(first / 4))
  let [low, high] = [low32(counter), high32(counter)]
  for (let block = 0; block < blocks; block++) {
    philox4x32(words, low, high, 0, 0, key0, key1)
    low = (low + 1) >>> 0
    if (low === 0) high = (high + 1) >>> 0
    for (let j = 0; j < 4; j++) {
      if (affine !== undefined) {
        const { scale, offset, zeroPoint: zero, step } = affine
        out[4 * block + j] = fusedMultiplyAdd(((words[j]! & 0xffffff) - zero) * step, scale, offset)
      } else {
        // A pair gives the cosine first.
        if ((j & 1) === 0) statelessDirection(pair, words[j + 1]!)
        out[4 * block + j] = fusedMultiplyAdd(fround(curandRadius(words[j & 2]!) * pair[j & 1]!), std, mean)
      }
    }
  }
  return shift === 0 && count === out.length ? out : out.subarray(shift, shift + count)
}
