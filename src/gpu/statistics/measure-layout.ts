// The layouts of shaders/statistics: jobs as it takes them, records as it leaves them.

import { byteWidth } from '../../core/dtype.js'
import { BIN_COUNT } from '../../statistics/expected/rounded-distribution.js'
import { START_LENGTH } from '../../statistics/fingerprint.js'
import type { MeasuredTensor } from '../../statistics/measured-tensor.js'
import type { Measurement, Normalisation } from '../../statistics/measurement.js'
import { momentsFromSums, noMoments } from '../../statistics/moments.js'
import { type Binding, type BindingLimits, bindingWindows } from '../device/windows.js'

export const MEASURE_JOB_BYTES = 64
export const RECORD_WORDS = 96
export const PARTIAL_BYTES = 32
/** Elements that a workgroup of statistics/measure takes. */
export const GROUP_ELEMENTS = 16384
/** Elements of a dispatch: 512 workgroups. */
const DISPATCH_ELEMENTS = 2 ** 23
/** A record's counters have 32 bits. */
export const MAX_RECORD_ELEMENTS: number = 2 ** 31

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

/** The dispatches of a piece, and how many pairs of neighbours and of rows they see. */
export function dispatchesOf(
  piece: MeasurePiece,
  index: number,
  limits: BindingLimits,
): { dispatches: MeasureDispatch[]; lagPairs: number; rowPairs: number } {
  const { buffer, byteOffset, elementCount, tensor } = piece
  const width = byteWidth(tensor.parameter.dtype)
  // An odd 16-bit element is half a word in.
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

export interface JobPlaces {
  readonly firstPartial: number
  readonly result: number
  readonly anchorMask: number
  readonly anchorCapacity: number
  readonly id: number
}

export function packMeasureJob(
  view: DataView,
  at: number,
  dispatch: MeasureDispatch,
  y: Normalisation,
  p: JobPlaces,
): void {
  const words = [
    dispatch.elementCount,
    dispatch.available,
    dispatch.firstWord,
    dispatch.shift,
    p.firstPartial,
    p.result,
    y.edges.length,
    0,
    0,
    y.rowLength,
    Math.min(dispatch.firstElement, START_LENGTH),
    p.anchorMask,
    p.anchorCapacity,
    p.id,
    0,
    0,
  ]
  words.forEach((word, index) => {
    view.setUint32(at + 4 * index, word, true)
  })
  view.setFloat32(at + 28, y.center, true)
  view.setFloat32(at + 32, y.scale, true)
}

/** A distribution's edges as the shader takes them. A multiple of any device's alignment of uniforms. */
export const EDGE_TABLE_BYTES: number = 4 * BIN_COUNT

/** Before each edge, as the shader compares: signed integers in the order of the floats. Behind the last one no number is. */
export function edgeTable(edges: Float32Array): Int32Array {
  const table = new Int32Array(BIN_COUNT).fill(0x7fffffff)
  const bits = new Int32Array(edges.buffer, edges.byteOffset, edges.length)
  bits.forEach((word, index) => {
    const key = (word & 0x7fffffff) === 0 ? 0 : word ^ ((word >> 31) & 0x7fffffff)
    table[index] = key - 1
  })
  return table
}

const scratch = (): DataView => new DataView(new ArrayBuffer(4))

function valueOfKey(key: number, view: DataView): number {
  view.setUint32(0, key >= 0x80000000 ? key & 0x7fffffff : ~key)
  return view.getFloat32(0)
}

/**
 * A record of statistics/merge and statistics/measure. `trusted` is false where float32 could not hold the sums (values
 * far from the distribution, or a spread that is not the distribution's): then the host has to measure.
 */
export function readRecord(
  view: DataView,
  at: number,
  normalisation: Normalisation,
  pairs: { readonly lagPairs: number; readonly rowPairs: number },
): { measurement: Measurement; trusted: boolean } {
  const word = (index: number): number => view.getUint32(at + 4 * index, true)
  const float = (index: number): number => view.getFloat32(at + 4 * index, true)
  const keys = scratch()
  const [count, nonFiniteCount, zeroCount, wild] = [word(0), word(1), word(2), word(3)]
  const min = count === 0 ? Number.POSITIVE_INFINITY : valueOfKey(~word(6) >>> 0, keys)
  const max = count === 0 ? Number.NEGATIVE_INFINITY : valueOfKey(word(5), keys)
  const sum = (k: number): number => float(16 + 2 * k) + float(17 + 2 * k)
  const sums = [sum(0), sum(1), sum(2), sum(3)] as const
  const meanY = count === 0 ? 0 : sums[0] / count
  const varianceY = count === 0 ? 0 : sums[1] / count - meanY ** 2
  const counters = { count, nonFiniteCount, zeroCount, min, max }
  // All the same: nothing to sum.
  const same = min === max
  const binCount = normalisation.edges.length === 0 ? 0 : normalisation.edges.length + 1
  return {
    trusted: count === 0 || same || (wild === 0 && Math.abs(meanY) < 16 && varianceY > 2 ** -10 && varianceY < 2 ** 10),
    measurement: {
      moments: same ? { ...noMoments, ...counters, mean: min } : momentsFromSums(counters, sums, normalisation),
      bins: Array.from({ length: Math.min(binCount, BIN_COUNT) }, (_, bin) => word(32 + bin)),
      lag: { sum: sum(4), pairs: pairs.lagPairs },
      row: { sum: sum(5), pairs: pairs.rowPairs },
      equalNeighbours: word(4),
      windows: { count: word(9), farthestSum: float(10), leastSquares: float(11), mostSquares: float(12) },
      startHash: [word(7), word(8)],
    },
  }
}
