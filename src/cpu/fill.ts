import { byteWidth } from '../dtype.js'
import { sampleGenerator } from '../generators/sample.js'
import { clipDiagonal, clipRange, type FillJob } from '../jobs.js'
import { float32ToBfloat16, float32ToFloat16 } from '../random/half.js'
import { orthogonalElements } from './orthogonal.js'
import { samplePart, sampleRange } from './samplers.js'
import { tableElements } from './table.js'

/**
 * The bytes of elements [start, start + count) of a job, little-endian, in a new array: what the GPU writes, bit for
 * bit. `start` counts from the job's first element.
 */
export function fillBytes(job: FillJob, start: number, count: number): Uint8Array {
  const bytes = sourceBytes(job, start, count)
  applyOverlays(job, start, count, bytes)
  return bytes
}

function sourceBytes({ source, dtype, firstElement, part }: FillJob, start: number, count: number): Uint8Array {
  if (source.kind === 'constant') {
    const bytes = new Uint8Array(count * byteWidth(dtype))
    bytes.set(source.pattern.subarray(0, bytes.length))
    // The pattern holds whole elements, so doubling what is there keeps the phase.
    for (let done = source.pattern.length; done < bytes.length; done *= 2) {
      bytes.copyWithin(done, 0, Math.min(done, bytes.length - done))
    }
    return bytes
  }
  const first = firstElement + start
  const values =
    source.kind === 'generator'
      ? sampleGenerator(source, first, count)
      : source.kind === 'table'
        ? tableElements(source, part, first, count)
        : source.kind === 'orthogonal'
          ? orthogonalElements(source, part, first, count)
          : part === undefined
            ? sampleRange(source, first, count)
            : samplePart(source, part, first, count)
  if (dtype === 'float32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  const bits = new Uint32Array(values.buffer, values.byteOffset, count)
  const half = new Uint16Array(count)
  const round = dtype === 'float16' ? float32ToFloat16 : float32ToBfloat16
  for (let i = 0; i < count; i++) half[i] = round(bits[i]!)
  return new Uint8Array(half.buffer)
}

function applyOverlays(
  { overlays, dtype, firstElement }: FillJob,
  start: number,
  count: number,
  bytes: Uint8Array,
): void {
  const width = byteWidth(dtype)
  for (const overlay of overlays) {
    const element = overlay.pattern.subarray(0, width)
    const part =
      overlay.kind === 'range'
        ? { stride: 1, first: 0, ...(clipRange(overlay, firstElement + start, count) ?? { count: 0 }) }
        : clipDiagonal(overlay, firstElement + start, count)
    if (part === undefined) continue
    for (let i = 0; i < part.count; i++) bytes.set(element, (part.first + i * part.stride) * width)
  }
}
