import { patternArrays } from '../core/decode.js'
import { byteWidth, type FloatDType, floatFormats } from '../core/dtype.js'
import type { FillSource } from '../ir/job.js'
import type { PartGeometry } from '../ir/part.js'
import { partRuns } from '../plan/parts/geometry.js'
import { sampleRange } from './samplers.js'
import { simdRound, simdSampler } from './simd.js'

/**
 * Fills `bytes` with the elements of a random parameter, or of a part of it, beginning with `first`. It uses WebAssembly if
 * there is a WebAssembly sampler for the distribution, otherwise TypeScript. The bits are the same.
 */
export function sampleBytes(
  source: FillSource & { kind: 'sampler' },
  part: PartGeometry | undefined,
  dtype: FloatDType,
  first: number,
  bytes: Uint8Array,
): void {
  const width = byteWidth(dtype)
  const count = bytes.length / width
  const write = simdSampler(source, dtype)
  let at = 0
  for (const run of part === undefined ? [{ first, count }] : partRuns(part, first, count)) {
    const end = at + run.count * width
    if (write !== undefined) write(run.first, run.count, bytes, at)
    else storeValues(float32Values(source, run.first, run.count), dtype, bytes.subarray(at, end))
    at = end
  }
}

/** Elements [first, first + count) before they are rounded to a dtype that WebAssembly does not have. */
function float32Values(source: FillSource & { kind: 'sampler' }, first: number, count: number): Float32Array {
  const write = simdSampler(source, 'float32')
  if (write === undefined) return sampleRange(source, first, count)
  const values = new Float32Array(count)
  write(first, count, new Uint8Array(values.buffer), 0)
  return values
}

/** Writes float32 values in a dtype, little-endian, rounded to nearest even: what shaders/store does. */
export function storeValues(values: Float32Array, dtype: FloatDType, bytes: Uint8Array): void {
  if (dtype === 'float32') bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  else if (!simdRound(values, dtype, bytes)) roundValues(values, dtype, bytes)
}

/** The CPU reference of `simdRound`. */
export function roundValues(values: Float32Array, dtype: FloatDType, bytes: Uint8Array): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  const { byteWidth: width, encode } = floatFormats[dtype]
  const patterns = new patternArrays[width](values.length)
  for (let i = 0; i < patterns.length; i++) patterns[i] = encode(bits[i]!)
  bytes.set(new Uint8Array(patterns.buffer))
}
