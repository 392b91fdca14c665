import { BIN_COUNT } from '../../statistics/expected/rounded-distribution.js'
import type { Measurement, Normalisation } from '../../statistics/measurement.js'
import { momentsFromSums, noMoments } from '../../statistics/moments.js'

export const RECORD_WORDS = 96

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
