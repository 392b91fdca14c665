import { byteWidth } from '../dtype.js'
import { blockCounter, clipDiagonal, clipRange, type FillJob, type Overlay } from '../jobs.js'
import { high32, low32 } from '../random/keys.js'
import { type GeneratorFields, generatorFields } from './generators.js'

/** Byte offsets of `Job` in shaders/core/job.wgsl. A test reads them out of the shader and compares. */
export const jobLayout = {
  key: 0,
  counter: 8,
  block: 16,
  elementCount: 24,
  shift: 28,
  law: 32,
  firstWord: 80,
  zero: 84,
  byteLength: 96,
} as const

/** Elements [start, start + count) of a job, to be written from a 32-bit word of a binding on. */
export interface FillWindow {
  readonly job: FillJob
  readonly start: number
  readonly count: number
  readonly firstWord: number
}

/** One uniform block: what a dispatch reads, and how much there is to do. */
export interface PackedJob {
  /** 32-bit fields by byte offset. */
  readonly fields: ReadonlyMap<number, number>
  /** Groups of four words, or single elements of a diagonal: one invocation's turn each. */
  readonly turns: number
}

function law(constants: ArrayLike<number>): [number, number][] {
  return Array.from({ length: constants.length }, (_, index) => [jobLayout.law + 4 * index, constants[index]!])
}

const patternWords = (pattern: Uint8Array): number[] => {
  const view = new DataView(pattern.buffer, pattern.byteOffset, pattern.byteLength)
  return [0, 4, 8, 12].map((at) => view.getUint32(at, true))
}

/** The source's block for a window. */
export function packSource({ job, start, count, firstWord }: FillWindow): PackedJob {
  const { source } = job
  if (source.kind === 'constant') return packConstant(source.pattern, count * byteWidth(job.dtype), firstWord, 0)
  // Made by src/gpu/orthogonal-fill.ts and src/gpu/uploaded.ts.
  if (source.kind === 'orthogonal' || source.kind === 'table')
    throw new TypeError(`${source.kind}: no block of its own`)
  // A part's elements have indices of their own: its counter is that of the tensor's element 0.
  const first = job.part === undefined ? job.firstElement + start : 0
  if (source.kind === 'generator') return packGenerator(generatorFields(source, first), count, firstWord)
  const block = Math.floor(first / 4)
  const [low, high] = blockCounter(source.stream, first)
  return {
    fields: new Map([
      [jobLayout.key, low32(source.stream.seed)],
      [jobLayout.key + 4, high32(source.stream.seed)],
      [jobLayout.counter, low],
      [jobLayout.counter + 4, high],
      [jobLayout.block, block % 2 ** 32],
      [jobLayout.block + 4, Math.floor(block / 2 ** 32)],
      [jobLayout.elementCount, count],
      [jobLayout.shift, first % 4],
      [jobLayout.firstWord, firstWord],
      ...law(source.constants),
    ]),
    turns: Math.ceil(count / 4),
  }
}

/** Another library's generator: law.a and law.b are float32, law.c the integers that its shader wants. */
export function packGenerator(
  { key, counter, constants, shift, extra }: GeneratorFields,
  count: number,
  firstWord: number,
): PackedJob {
  const floats = new Float32Array(8)
  floats.set(constants)
  const integers = Array.from({ length: 4 }, (_, index) => extra[index] ?? 0)
  return {
    fields: new Map([
      [jobLayout.key, key[0]],
      [jobLayout.key + 4, key[1]],
      [jobLayout.counter, counter[0]],
      [jobLayout.counter + 4, counter[1]],
      [jobLayout.elementCount, count],
      [jobLayout.shift, shift],
      [jobLayout.firstWord, firstWord],
      ...law([...new Uint32Array(floats.buffer), ...integers]),
    ]),
    turns: Math.ceil(count / 4),
  }
}

/** Writes a uniform block at a byte offset. */
export function writeJob(view: DataView, at: number, { fields }: PackedJob): void {
  for (const [offset, value] of fields) view.setUint32(at + offset, value, true)
}

/** An overlay's block for a window; undefined where it does not reach into the window. */
export function packOverlay(overlay: Overlay, { job, start, count, firstWord }: FillWindow): PackedJob | undefined {
  const first = job.firstElement + start
  const width = byteWidth(job.dtype)
  if (overlay.kind === 'range') {
    const part = clipRange(overlay, first, count)
    if (part === undefined) return undefined
    const byte = part.first * width
    return packConstant(overlay.pattern, part.count * width, firstWord + Math.floor(byte / 4), byte % 4)
  }
  const run = clipDiagonal(overlay, first, count)
  if (run === undefined) return undefined
  return {
    fields: new Map([
      [jobLayout.elementCount, run.count],
      [jobLayout.firstWord, firstWord],
      // A stride beyond 32 bits leaves one element in a window: it is not used.
      ...law([...patternWords(overlay.pattern), run.first, run.count > 1 ? run.stride : 0, width]),
    ]),
    turns: run.count,
  }
}

/** The constant shader counts bytes: its pattern knows no dtype. */
function packConstant(pattern: Uint8Array, byteLength: number, firstWord: number, byteShift: number): PackedJob {
  return {
    fields: new Map([
      [jobLayout.elementCount, byteLength],
      [jobLayout.shift, byteShift],
      [jobLayout.firstWord, firstWord],
      ...law(patternWords(pattern)),
    ]),
    turns: Math.ceil(byteLength / 16),
  }
}
