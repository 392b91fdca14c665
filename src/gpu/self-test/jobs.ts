import { decodeFloat32 } from '../../core/decode.js'
import { type FloatDType, floatFormats } from '../../core/dtype.js'
import { float32Bits } from '../../core/half.js'
import { fillBytes } from '../../cpu/fill.js'
import { SMALLEST_SCALE } from '../../distributions/checks.js'
import type { FillJob, FillSource } from '../../ir/job.js'
import type { Stream } from '../../random/keys.js'

/** The key has the digits of pi. The 64-bit block counter wraps inside the first job. */
const STREAM: Stream = { key: 0x243f6a8885a308d3n, counter: 2n ** 64n - 300n }
/** A part with runs of seven elements beyond 2^33, so that some groups of four lie inside a run and some cross its end. */
const PART = {
  firstElement: 2 ** 33 + 5,
  axes: [
    { length: 7, stride: 1 },
    { length: 5, stride: 11 },
    { length: 99, stride: 2 ** 32 + 9 },
  ],
} as const
/** Like PART, but within the 2^32 elements that a sparse distribution may have. */
const SMALL_PART = {
  firstElement: 5,
  axes: [
    { length: 7, stride: 1 },
    { length: 5, stride: 11 },
    { length: 99, stride: 1009 },
  ],
} as const
/** Larger edges would be cut off at the uniform distribution's upper end. */
const LARGEST_EDGE = 1e38

/**
 * float32 values at the edges of rounding to a dtype: halfway between neighbours, where ties go to even and to odd, and next to
 * that; among subnormal numbers, at the first normal one, about 1, where a carry runs into the exponent, and at the largest.
 */
function roundingEdges(dtype: FloatDType): Float32Array {
  const { encode, decode, smallestNormal, largest } = floatFormats[dtype]
  const patternOf = (x: number): number => encode(float32Bits(x))
  const patterns = [0, 1, 2, patternOf(smallestNormal) - 1, patternOf(smallestNormal), patternOf(1), patternOf(1) + 1]
  patterns.push(patternOf(2) - 1, patternOf(largest) - 1)
  const middles = patterns
    .map((pattern) => (decode(pattern) + decode(pattern + 1)) / 2)
    // Beyond the largest number, where a tie goes as the dtype says. Subnormal float32 may be flushed.
    .concat(largest + (largest - decode(patternOf(largest) - 1)) / 2)
    .filter((middle) => middle >= SMALLEST_SCALE && middle <= LARGEST_EDGE)
  const bits = middles.flatMap((middle, index) => {
    const middleBits = float32Bits(middle)
    const sign = index % 2 === 0 ? 0 : 0x80000000
    return [middleBits - 1, middleBits, middleBits + 1].map((word) => (word | sign) >>> 0)
  })
  return new Float32Array(Uint32Array.from(bits).buffer)
}

/** Single values that show every bit of a float32 through a narrower store. */
const EXPOSED_VALUES = 24

/**
 * Test jobs for a job's pipeline, which run every path of its shaders under the job's own distribution.
 *
 * A narrower store hides the low bits of what the sampler computes. So for narrower dtypes single values get an addend that
 * cancels what the CPU computes: the rest is 0, or the device's error in full view. The addend is the second constant of
 * the uniform and the normal distribution; for a distribution that is not known to have one these values are left out.
 * @param wholeQuads the pipeline stores four elements at a time and is given nothing else
 */
export function selfTestJobs(tested: FillJob, wholeQuads: boolean): FillJob[] {
  const { source, dtype, part } = tested
  const counted = (elementCount: number): number => (wholeQuads ? 4 * Math.ceil(elementCount / 4) : elementCount)
  if (source.kind === 'constant') {
    const pattern = Uint8Array.from({ length: 16 }, (_, i) => 17 * i)
    return [2048, 515].map((elementCount) => ({
      name: 'self-test',
      dtype: 'uint8',
      firstElement: 0,
      elementCount,
      source: { kind: 'constant', pattern },
      patches: [],
    }))
  }
  // For another library's generator the test makes the first values of the job.
  if (source.kind === 'generator') {
    return [{ ...tested, elementCount: Math.min(tested.elementCount, 2048), patches: [] }]
  }
  // Matrices are not compared bit by bit, because verify() measures their orthogonality.
  if (source.kind === 'orthogonal' || source.kind === 'table') return []
  const small = source.sampler === 'sparse'
  const job = (firstElement: number, elementCount: number, constants = source.constants): FillJob => ({
    name: 'self-test',
    dtype,
    firstElement,
    elementCount: counted(elementCount),
    source: { ...source, constants, stream: STREAM },
    ...(part === undefined ? {} : { part: small ? SMALL_PART : PART }),
    patches: [],
  })
  const jobs = [job(0, 2048), job(part === undefined && !small ? 2 ** 34 - 5 : 1001, 515)]
  if (dtype === 'float32' || !hasAddend(source)) return jobs
  const scale = exposingScale(dtype as FloatDType)
  for (let i = 0; i < EXPOSED_VALUES; i++) {
    const first = 5 * i
    const whole: FillJob = { ...job(first, 1, withAddend(source, scale, 0)), dtype: 'float32', elementCount: 1 }
    const [value = 0] = decodeFloat32(fillBytes(whole, 0, 1), 'float32')
    jobs.push(job(first, 1, withAddend(source, scale, -value)))
  }
  for (const edge of roundingEdges(dtype as FloatDType)) jobs.push(job(0, 4, withAddend(source, 0, edge)))
  return jobs
}

/** A scale at which the last bit of a sampled value is a number of the dtype, or more. */
function exposingScale(dtype: FloatDType): number {
  const { smallestNormal, fractionBits } = floatFormats[dtype]
  return 20226.048 * Math.max(1, smallestNormal * 2 ** (24 - fractionBits))
}

type SamplerSource = FillSource & { kind: 'sampler' }

const hasAddend = ({ sampler }: SamplerSource): boolean => sampler === 'uniform' || sampler === 'normal'

/** The distribution with this scale and this addend: constants (scale, addend, ...), and for a uniform no upper end. */
function withAddend({ sampler, constants }: SamplerSource, scale: number, addend: number): Uint32Array {
  const changed = constants.slice()
  const floats = new Float32Array(changed.buffer)
  floats[0] = scale
  floats[1] = addend
  if (sampler === 'uniform') floats[2] = 3e38
  return changed
}
