// The uniforms and normals of a call, in the dtypes of at most 32 bits (ATen/native/cpu/DistributionTemplates.h).

import type { SimpleDistribution, TorchCpuSource, TorchCpuVariant } from '../../../ir/generator.js'
import { sampleTorchCpu, TORCH_BLOCK } from '../cpu.js'
import { rounding } from './arithmetic.js'
import type { Call, Place } from './types.js'

/** A call, and where its words are. */
export interface Draw {
  readonly call: Call
  readonly place: Place
  readonly variant: TorchCpuVariant
}

/** Operations that are another one with fixed arguments. */
const family: Readonly<Record<string, string>> = { randn: 'normal_', rand: 'uniform_' }
export const familyOf = ({ operation }: Call): string => family[operation] ?? operation

/** The numbers of a call; NaN for a bound of random_ that is not there. */
export const numbersOf = ({ arguments: given }: Call): number[] =>
  given.map((x) => (x === null ? Number.NaN : Number(x)))

/** A call as `sampleTorchCpu` takes it. */
export function sourceOf(
  { call, place, variant }: Draw,
  draw: TorchCpuSource['draw'],
  count: number = call.count,
): TorchCpuSource {
  return { generator: 'torch-cpu', variant, draw, seed: place.seed, position: place.position, count, ...cached(place) }
}

const cached = ({ cachedAt }: Place): { cachedAt?: number } => (cachedAt === undefined ? {} : { cachedAt })

/** uniform_: rounded to the dtype; what is then the upper end becomes the lower one. */
export function uniforms(draw: Draw, low: number, high: number, first: number, count: number): Float32Array {
  const distribution: SimpleDistribution = { kind: 'uniform', low, high }
  const values = sampleTorchCpu({ distribution, generatorSource: sourceOf(draw, 'uniform') }, first, count)
  const { dtype } = draw.call
  if (dtype === 'float32') return values
  const round = rounding(dtype)
  const [lowest, highest] = [round(low), round(high)]
  for (let i = 0; i < count; i++) {
    const value = round(values[i]!)
    values[i] = value === highest ? lowest : value
  }
  return values
}

/** normal_: halves have blocks of 16 words, and one more for the last 16 elements where 16 does not divide their number. */
export function normals(draw: Draw, mean: number, std: number, first: number, count: number): Float32Array {
  const { call } = draw
  const distribution: SimpleDistribution = { kind: 'normal', mean, std }
  const sample = (source: TorchCpuSource, from: number, length: number): Float32Array =>
    sampleTorchCpu({ distribution, generatorSource: source }, from, length)
  if (call.dtype === 'float32') return sample(sourceOf(draw, 'normal'), first, count)
  const values = new Float32Array(count)
  if (call.count < TORCH_BLOCK) values.set(sample(sourceOf(draw, 'normal'), first, count))
  else {
    const whole = call.count - (call.count % TORCH_BLOCK)
    const tail = call.count - TORCH_BLOCK
    const split = whole === call.count ? call.count : tail
    const before = Math.min(count, Math.max(0, split - first))
    if (before > 0) values.set(sample(sourceOf(draw, 'normal', whole), first, before))
    if (before < count) {
      const source = sourceOf(draw, 'normal', TORCH_BLOCK)
      values.set(
        sample({ ...source, position: source.position + whole }, first + before - tail, count - before),
        before,
      )
    }
  }
  const round = rounding(call.dtype)
  for (let i = 0; i < count; i++) values[i] = round(values[i]!)
  return values
}
