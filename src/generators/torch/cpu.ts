// PyTorch's CPU generator (ATen/native/cpu/DistributionTemplates.h, x86-64 with AVX2): which words a call takes, and how it
// turns them into values. CPU reference of shaders/generators/torch_cpu_*.wgsl.

import type { SimpleDistribution, TorchCpuSource, TorchCpuVariant } from '../../ir/generator.js'
import { cephesCosSin, cephesLog } from '../../random/libraries/cephes.js'
import {
  exactSquareRoot,
  fusedMultiplyAdd,
  type MulAdd,
  quickMultiplyAdd,
  splitMultiplyAdd,
} from '../../random/libraries/fma.js'
import { type MersenneStream, mersenneStream } from '../../random/libraries/mt19937.js'
import { affineConstants, normalConstants } from '../draw-constants.js'

const fround = Math.fround
const TWO_PI = /* @__PURE__ */ fround(2 * Math.PI)
/** From this element count on, normals are made in blocks of 16 in float32; below it, one by one in float64. */
export const TORCH_BLOCK = 16

/**
 * A place in a stream: how many words have been drawn and, in `cachedAt`, where the words of the pair lie whose second normal
 * has not been used yet.
 */
export interface TorchCursor {
  readonly position: number
  readonly cachedAt?: number
}

const torchMulAdd = (variant: TorchCpuVariant): MulAdd => (variant === 'fma' ? fusedMultiplyAdd : splitMultiplyAdd)
/**
 * For `torchRadius` and `torchDirection`, which are functions of 24 bits. scripts/check-generators.mjs shows that for all 2^24
 * inputs quickMultiplyAdd gives the same results as fusedMultiplyAdd, and it is twice as fast.
 */
const torchQuickMulAdd = (variant: TorchCpuVariant): MulAdd => (variant === 'fma' ? quickMultiplyAdd : splitMultiplyAdd)

/**
 * The number of words that normal_ takes for 16 or more elements: one per element, and 16 more if the last block is incomplete
 * and must be redone.
 */
export const normalWords = (count: number): number => count + (count % TORCH_BLOCK === 0 ? 0 : TORCH_BLOCK)

/** The number of words that normal_ takes for fewer elements: four per pair; a cached normal takes none. */
export const smallNormalWords = (count: number, cached: boolean): number =>
  4 * Math.ceil((count - (cached ? 1 : 0)) / 2)

/**
 * The cursor after a call. uniform_ takes one word per element. normal_ for fewer than 16 elements uses the cached second normal
 * first, and then makes pairs from four words each. If the second normal of the last pair is not needed, it is cached until a
 * later such call; other calls, except setting the seed, do not discard it.
 */
export function advanceTorch(cursor: TorchCursor, kind: 'uniform' | 'normal', count: number): TorchCursor {
  const { position, cachedAt } = cursor
  const cached = cachedAt === undefined ? {} : { cachedAt }
  if (kind === 'uniform') return { position: position + count, ...cached }
  if (count >= TORCH_BLOCK) return { position: position + normalWords(count), ...cached }
  const left = cachedAt === undefined ? count : count - 1
  const end = position + smallNormalWords(count, cachedAt !== undefined)
  return left % 2 === 0 ? { position: end } : { position: end, cachedAt: end - 4 }
}

/** sqrt(-2 ln(1 - d)) with d = (word & 0xffffff) 2^-24. */
export function torchRadius(word: number, mulAdd: MulAdd): number {
  return exactSquareRoot(-2 * cephesLog((0x1000000 - (word & 0xffffff)) * 2 ** -24, mulAdd))
}

/** Writes cos (index 0) and sin (index 1) of 2 pi d to `out`, with d = (word & 0xffffff) 2^-24. */
export function torchDirection(out: Float32Array, word: number, mulAdd: MulAdd): void {
  cephesCosSin(out, fround(TWO_PI * ((word & 0xffffff) * 2 ** -24)), mulAdd)
}

/** Elements [first, first + count) of a call as float32, in a new array. */
export function sampleTorchCpu(
  {
    distribution,
    generatorSource,
  }: { readonly distribution: SimpleDistribution; readonly generatorSource: TorchCpuSource },
  first: number,
  count: number,
): Float32Array {
  const stream = mersenneStream(generatorSource.seed)
  if (distribution.kind === 'uniform') {
    const words = new Uint32Array(count)
    stream.read(generatorSource.position + first, words)
    const {
      scale,
      offset,
      zeroPoint: zero,
      step,
    } = affineConstants(distribution, 24, generatorSource.variant === 'fma')
    const mulAdd = torchMulAdd(generatorSource.variant)
    const high = fround(distribution.high)
    const out = new Float32Array(words.buffer)
    if (offset === 0) {
      for (let i = 0; i < count; i++) out[i] = ((words[i]! & 0xffffff) - zero) * step * scale
    } else {
      for (let i = 0; i < count; i++) {
        const value = mulAdd(((words[i]! & 0xffffff) - zero) * step, scale, offset)
        // The upper end is excluded. PyTorch replaces it by the lower end.
        out[i] = value === high ? offset : value
      }
    }
    return out
  }
  if (generatorSource.count < TORCH_BLOCK)
    return smallNormals(stream, generatorSource, distribution).subarray(first, first + count)
  return blockNormals(stream, generatorSource, distribution, first, count)
}

function blockNormals(
  stream: MersenneStream,
  { position, count: total, variant }: TorchCpuSource,
  distribution: { mean: number; std: number },
  first: number,
  count: number,
): Float32Array {
  const mulAdd = torchQuickMulAdd(variant)
  const { mean, std } = normalConstants(distribution)
  const begin = first - (first % TORCH_BLOCK)
  const blocks = Math.ceil((first + count - begin) / TORCH_BLOCK)
  const words = new Uint32Array(blocks * TORCH_BLOCK)
  // If the last block is incomplete, it is redone below, and the words that are missing here are never used.
  stream.read(position + begin, words.subarray(0, Math.min(words.length, total - begin)))
  const out = new Float32Array(words.length)
  const pair = new Float32Array(2)
  const fill = (source: Uint32Array, from: number, to: number): void => {
    for (let j = 0; j < 8; j++) {
      const radius = torchRadius(source[from + j]!, mulAdd)
      torchDirection(pair, source[from + j + 8]!, mulAdd)
      // The last step is an explicit fused multiply-add in PyTorch's source, so it is fused in every build.
      const cosine = fround(radius * pair[0]!)
      const sine = fround(radius * pair[1]!)
      out[to + j] = mean === 0 ? cosine * std + 0 : fusedMultiplyAdd(cosine, std, mean)
      out[to + j + 8] = mean === 0 ? sine * std + 0 : fusedMultiplyAdd(sine, std, mean)
    }
  }
  for (let block = 0; block < blocks; block++) fill(words, block * TORCH_BLOCK, block * TORCH_BLOCK)
  const tail = total - TORCH_BLOCK
  if (total % TORCH_BLOCK === 0 || first + count <= tail) return out.subarray(first - begin, first - begin + count)
  const fresh = new Uint32Array(TORCH_BLOCK)
  stream.read(position + total, fresh)
  const last = new Float32Array(count)
  last.set(out.subarray(first - begin, first - begin + count))
  // `out` has been copied, so its first block can be reused.
  fill(fresh, 0, 0)
  for (let i = Math.max(0, tail - first); i < count; i++) last[i] = out[first + i - tail]!
  return last
}

/** Fewer than 16 normals, as at::normal_distribution<double> makes them: each pair gives the cosine first, then the sine. */
export function smallNormals<Out extends Float32Array | Float64Array = Float32Array>(
  stream: MersenneStream,
  { position, count, cachedAt }: TorchCpuSource,
  { mean, std }: { mean: number; std: number },
  out: Out = new Float32Array(count) as Out,
): Out {
  const words = new Uint32Array(4)
  const unit = (high: number, low: number): number => ((high & 0x1fffff) * 2 ** 32 + low) * 2 ** -53
  const pairAt = (at: number): readonly [number, number] => {
    stream.read(at, words)
    const u1 = unit(words[0]!, words[1]!)
    const u2 = unit(words[2]!, words[3]!)
    const radius = Math.sqrt(-2 * Math.log1p(-u2))
    const theta = 2 * Math.PI * u1
    return [radius * Math.cos(theta), radius * Math.sin(theta)]
  }
  let i = 0
  if (cachedAt !== undefined) out[i++] = pairAt(cachedAt)[1] * std + mean
  for (let at = position; i < count; at += 4) {
    const [first, second] = pairAt(at)
    out[i++] = first * std + mean
    if (i < count) out[i++] = second * std + mean
  }
  return out
}
