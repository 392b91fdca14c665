import { byteWidth, type FloatDType } from '../core/dtype.js'
import { float32ToBfloat16, float32ToFloat16 } from '../core/half.js'
import type { FillSource } from '../ir/job.js'
import type { PartGeometry } from '../ir/part.js'
import { partRuns } from '../plan/parts/geometry.js'
import { sampleRange } from './samplers.js'
import { simdRound, simdSampler } from './simd.js'

/**
 * Fills `bytes` with the elements of a random parameter from `first` on, or with those of a part of it: in WebAssembly where
 * there is any for the distribution, else in TypeScript, with the same bits.
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
    else storeValues(sampleRange(source, run.first, run.count), dtype, bytes.subarray(at, end))
    at = end
  }
}

/** Writes float32 values in a dtype, little-endian, rounded to nearest even: what shaders/store does. */
export function storeValues(values: Float32Array, dtype: FloatDType, bytes: Uint8Array): void {
  if (dtype === 'float32') bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  else if (!simdRound(values, dtype, bytes)) roundValues(values, dtype, bytes)
}

/** The CPU reference of `simdRound`. */
export function roundValues(values: Float32Array, dtype: 'float16' | 'bfloat16', bytes: Uint8Array): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  const halves = new Uint16Array(values.length)
  const round = dtype === 'float16' ? float32ToFloat16 : float32ToBfloat16
  for (let i = 0; i < halves.length; i++) halves[i] = round(bits[i]!)
  bytes.set(new Uint8Array(halves.buffer))
}
