import { byteWidth, type FloatDType } from '../core/dtype.js'
import { clipDiagonal, clipRange } from '../fill/clip.js'
import { sampleGenerator } from '../generators/sample.js'
import type { FillJob } from '../ir/job.js'
import { orthogonalElements } from './orthogonal.js'
import { sampleBytes, storeValues } from './sample.js'
import { tableElements } from './table.js'

/**
 * The bytes of elements [start, start + count) of a job, little-endian, in a new array. They equal what the GPU writes, bit
 * for bit. `start` counts from the job's first element.
 */
export function fillBytes(job: FillJob, start: number, count: number): Uint8Array {
  const bytes = new Uint8Array(count * byteWidth(job.dtype))
  fillInto(job, start, bytes)
  return bytes
}

/** Writes the same to existing memory: as many elements as fit into `bytes`, beginning with `start`. */
export function fillInto(job: FillJob, start: number, bytes: Uint8Array): void {
  const count = bytes.length / byteWidth(job.dtype)
  sourceInto(job, start, count, bytes)
  applyPatches(job, start, count, bytes)
}

function sourceInto(
  { source, dtype, firstElement, part }: FillJob,
  start: number,
  count: number,
  bytes: Uint8Array,
): void {
  if (source.kind === 'constant') {
    bytes.set(source.pattern.subarray(0, bytes.length))
    // The pattern holds whole elements, so the bytes already written can be copied to double their number.
    for (let done = source.pattern.length; done < bytes.length; done *= 2) {
      bytes.copyWithin(done, 0, Math.min(done, bytes.length - done))
    }
    return
  }
  const first = firstElement + start
  // A plan allows random values only for floating-point dtypes.
  const float = dtype as FloatDType
  if (source.kind === 'sampler') {
    sampleBytes(source, part, float, first, bytes)
    return
  }
  const values =
    source.kind === 'generator'
      ? sampleGenerator(source, first, count)
      : source.kind === 'table'
        ? tableElements(source, part, first, count)
        : orthogonalElements(source, part, first, count)
  storeValues(values, float, bytes)
}

function applyPatches(
  { patches, dtype, firstElement }: FillJob,
  start: number,
  count: number,
  bytes: Uint8Array,
): void {
  const width = byteWidth(dtype)
  for (const patch of patches) {
    const element = patch.pattern.subarray(0, width)
    const part =
      patch.kind === 'range'
        ? { stride: 1, first: 0, ...(clipRange(patch, firstElement + start, count) ?? { count: 0 }) }
        : clipDiagonal(patch, firstElement + start, count)
    if (part === undefined) continue
    for (let i = 0; i < part.count; i++) bytes.set(element, (part.first + i * part.stride) * width)
  }
}
