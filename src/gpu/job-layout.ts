import { byteWidth } from '../dtype.js'
import { blockCounter, type FillJob } from '../jobs.js'
import { high32, low32 } from '../random/keys.js'

/** Byte offsets of `Job` in shaders/core/job.wgsl. A test reads them out of the shader and compares. */
export const jobLayout = {
  key: 0,
  counter: 8,
  law0: 16,
  law1: 32,
  elementCount: 48,
  shift: 52,
  firstWord: 56,
  zero: 60,
  byteLength: 64,
} as const

/** Elements [start, start + count) of a job, to be written from a 32-bit word of a binding on. */
export interface FillWindow {
  readonly job: FillJob
  readonly start: number
  readonly count: number
  readonly firstWord: number
}

/** Writes a window's uniform block at `at`. */
export function packJob(view: DataView, at: number, { job, start, count, firstWord }: FillWindow): void {
  const { source } = job
  const u32 = (offset: number, value: number): void => view.setUint32(at + offset, value, true)
  if (source.kind === 'constant') {
    for (const [index, byte] of source.pattern.entries()) view.setUint8(at + jobLayout.law0 + index, byte)
    // The constant shader counts bytes: its pattern knows no dtype.
    u32(jobLayout.elementCount, count * byteWidth(job.dtype))
  } else {
    // A part's elements have indices of their own: its counter is that of the tensor's element 0.
    const first = job.part === undefined ? job.firstElement + start : 0
    const [low, high] = blockCounter(source.stream, first)
    u32(jobLayout.key, low32(source.stream.seed))
    u32(jobLayout.key + 4, high32(source.stream.seed))
    u32(jobLayout.counter, low)
    u32(jobLayout.counter + 4, high)
    for (const [index, value] of source.constants.entries()) {
      view.setFloat32(at + jobLayout.law0 + 4 * index, value, true)
    }
    u32(jobLayout.elementCount, count)
    u32(jobLayout.shift, first % 4)
  }
  u32(jobLayout.firstWord, firstWord)
  u32(jobLayout.zero, 0)
}
