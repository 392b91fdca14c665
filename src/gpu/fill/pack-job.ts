import { byteWidth } from '../../core/dtype.js'
import { clipDiagonal, clipRange } from '../../fill/clip.js'
import { blockCounter } from '../../fill/make-job.js'
import type { FillJob, Patch } from '../../ir/job.js'
import { high32, low32 } from '../../random/keys.js'
import { type GeneratorFields, generatorFields } from './generators.js'
import { jobLayout } from './layouts.js'

/** Elements [start, start + count) of a job, and the 32-bit word of the binding at which they begin. */
export interface FillWindow {
  readonly job: FillJob
  readonly start: number
  readonly count: number
  readonly firstWord: number
}

/** The place of a uniform block, which contains zeros before it is packed. */
export interface BlockPlace {
  readonly view: DataView
  readonly at: number
}

const put = ({ view, at }: BlockPlace, offset: number, value: number): void => view.setUint32(at + offset, value, true)

function putPair(place: BlockPlace, offset: number, [low, high]: readonly [number, number]): void {
  put(place, offset, low)
  put(place, offset + 4, high)
}

function putConstants(place: BlockPlace, constants: ArrayLike<number>): void {
  for (let index = 0; index < constants.length; index++) put(place, jobLayout.constants + 4 * index, constants[index]!)
}

const patternWords = (pattern: Uint8Array): number[] => {
  const view = new DataView(pattern.buffer, pattern.byteOffset, pattern.byteLength)
  return [0, 4, 8, 12].map((at) => view.getUint32(at, true))
}

/**
 * Writes the source's block for a window.
 * @returns the number of iterations that the window needs; an iteration of an invocation makes a group of four words
 */
export function packSource(place: BlockPlace, { job, start, count, firstWord }: FillWindow): number {
  const { source } = job
  if (source.kind === 'constant') {
    return packConstant(place, source.pattern, count * byteWidth(job.dtype), firstWord, 0)
  }
  // These are made by src/gpu/orthogonal/fill.ts and src/gpu/fill/host-generated.ts.
  if (source.kind === 'orthogonal' || source.kind === 'table')
    throw new TypeError(`${source.kind}: no block of its own`)
  // The shader indexes the elements of a part by itself, so the counter is that of the tensor's element 0.
  const first = job.part === undefined ? job.firstElement + start : 0
  if (source.kind === 'generator') return packGenerator(place, generatorFields(source, first), count, firstWord)
  const { key } = source.stream
  const block = Math.floor(first / 4)
  putPair(place, jobLayout.key, [low32(key), high32(key)])
  putPair(place, jobLayout.counter, blockCounter(source.stream, first))
  putPair(place, jobLayout.block, [block % 2 ** 32, Math.floor(block / 2 ** 32)])
  put(place, jobLayout.elementCount, count)
  put(place, jobLayout.shift, first % 4)
  put(place, jobLayout.firstWord, firstWord)
  putConstants(place, source.constants)
  return Math.ceil(count / 4)
}

/** Packs another library's generator: distribution.a and .b hold float32 values, .c the integers that its shader expects. */
export function packGenerator(
  place: BlockPlace,
  { key, counter, constants, shift, extra }: GeneratorFields,
  count: number,
  firstWord: number,
): number {
  const floats = new Float32Array(8)
  floats.set(constants)
  putPair(place, jobLayout.key, key)
  putPair(place, jobLayout.counter, counter)
  put(place, jobLayout.elementCount, count)
  put(place, jobLayout.shift, shift)
  put(place, jobLayout.firstWord, firstWord)
  putConstants(place, [...new Uint32Array(floats.buffer), ...extra])
  return Math.ceil(count / 4)
}

/**
 * Writes a patch's block for a window.
 * @returns the number of iterations: groups of four words, or single elements of a diagonal; 0 if the patch has no element
 *   in the window
 */
export function packPatch(place: BlockPlace, patch: Patch, { job, start, count, firstWord }: FillWindow): number {
  const first = job.firstElement + start
  const width = byteWidth(job.dtype)
  if (patch.kind === 'range') {
    const part = clipRange(patch, first, count)
    if (part === undefined) return 0
    const byte = part.first * width
    return packConstant(place, patch.pattern, part.count * width, firstWord + Math.floor(byte / 4), byte % 4)
  }
  const run = clipDiagonal(patch, first, count)
  if (run === undefined) return 0
  put(place, jobLayout.elementCount, run.count)
  put(place, jobLayout.firstWord, firstWord)
  // If the stride needs more than 32 bits, the window holds at most one element, and the stride is not used.
  putConstants(place, [...patternWords(patch.pattern), run.first, run.count > 1 ? run.stride : 0, width])
  return run.count
}

/** The constant shader counts in bytes, because its pattern is independent of the dtype. */
function packConstant(
  place: BlockPlace,
  pattern: Uint8Array,
  byteLength: number,
  firstWord: number,
  byteShift: number,
): number {
  put(place, jobLayout.elementCount, byteLength)
  put(place, jobLayout.shift, byteShift)
  put(place, jobLayout.firstWord, firstWord)
  putConstants(place, patternWords(pattern))
  return Math.ceil(byteLength / 16)
}
