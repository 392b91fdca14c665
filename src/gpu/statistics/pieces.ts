// Tensors are cut into pieces with a record each, and those into dispatches.
import { byteWidth } from '../../core/dtype.js'
import type { MeasuredTensor } from '../../statistics/measured-tensor.js'
import type { GpuSegment } from '../device/segments.js'
import { type Binding, type BindingLimits, bindingWindows } from '../device/windows.js'
import { RECORD_WORDS } from './record.js'

/** Elements that a workgroup of statistics/measure takes. */
export const GROUP_ELEMENTS = 16384
/** Elements of a dispatch: 512 workgroups. */
const DISPATCH_ELEMENTS = 2 ** 23
/** A record's counters have 32 bits. */
const MAX_RECORD_ELEMENTS = 2 ** 31

/** A tensor and where its elements are. */
export interface GpuMeasuredTensor {
  readonly tensor: MeasuredTensor
  readonly segments: readonly GpuSegment[]
}

/** A piece of a run, in one buffer, with a record of its own. */
export interface MeasurePiece {
  readonly tensor: MeasuredTensor
  /** Which run of the tensor. */
  readonly run: number
  readonly buffer: GPUBuffer
  readonly byteOffset: number
  /** Index within the tensor. */
  readonly firstElement: number
  readonly elementCount: number
}

export interface MeasureDispatch {
  readonly piece: number
  readonly binding: Binding
  readonly firstWord: number
  /** Elements between that word and the dispatch's first. */
  readonly shift: number
  readonly available: number
  readonly elementCount: number
  /** Index of its first element within the tensor. */
  readonly firstElement: number
}

/** The runs of a tensor, cut where its buffers end and where a record's counters would. */
export function piecesOf({ tensor, segments }: GpuMeasuredTensor): MeasurePiece[] {
  const width = byteWidth(tensor.parameter.dtype)
  return tensor.runs.flatMap((run, index) =>
    segments.flatMap((segment) => {
      const pieces: MeasurePiece[] = []
      const end = Math.min(run.firstElement + run.elementCount, segment.firstElement + segment.elementCount)
      let first = Math.max(run.firstElement, segment.firstElement)
      while (first < end) {
        const elementCount = Math.min(MAX_RECORD_ELEMENTS, end - first)
        const byteOffset = segment.byteOffset + (first - segment.firstElement) * width
        pieces.push({ tensor, run: index, buffer: segment.buffer, byteOffset, firstElement: first, elementCount })
        first += elementCount
      }
      return pieces
    }),
  )
}

/** The dispatches of a piece, and how many pairs of neighbours and of rows they see. */
export function dispatchesOf(
  piece: MeasurePiece,
  index: number,
  limits: BindingLimits,
): { dispatches: MeasureDispatch[]; lagPairs: number; rowPairs: number } {
  const { buffer, byteOffset, elementCount, tensor } = piece
  const width = byteWidth(tensor.parameter.dtype)
  // An element narrower than a word may begin inside one.
  const lead = (byteOffset % 4) / width
  const region = {
    bufferByteLength: buffer.size,
    byteOffset: byteOffset - lead * width,
    elementCount: elementCount + lead,
    byteWidth: width,
  }
  const dispatches: MeasureDispatch[] = []
  let lagPairs = 0
  let rowPairs = 0
  const { rowLength } = tensor.normalisation
  for (const { binding, start, count, firstWord } of bindingWindows(region, limits)) {
    const begin = start === 0 ? lead : 0
    if (count > begin) {
      lagPairs += count - begin - 1
      if (rowLength > 0) rowPairs += Math.max(0, count - begin - rowLength)
    }
    for (let shift = begin; shift < count; shift += DISPATCH_ELEMENTS) {
      dispatches.push({
        piece: index,
        binding,
        firstWord,
        shift,
        available: count - shift,
        elementCount: Math.min(DISPATCH_ELEMENTS, count - shift),
        firstElement: piece.firstElement + start + shift - lead,
      })
    }
  }
  return { dispatches, lagPairs, rowPairs }
}

/** Per piece: first partial, how many, first word of its record, and the 0 that the shader's rounding needs. */
export function runTable(
  planned: readonly { readonly dispatches: readonly MeasureDispatch[] }[],
  dispatches: readonly MeasureDispatch[],
  firstPartials: readonly number[],
): Uint32Array<ArrayBuffer> {
  const table = new Uint32Array(planned.length * 4)
  let next = 0
  planned.forEach(({ dispatches: own }, index) => {
    const first = firstPartials[next]!
    next += own.length
    const last = dispatches[next - 1]!
    const count = firstPartials[next - 1]! + Math.ceil(last.elementCount / GROUP_ELEMENTS) - first
    table.set([first, count, index * RECORD_WORDS, 0], index * 4)
  })
  return table
}
