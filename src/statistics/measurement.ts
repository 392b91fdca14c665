import { type Moments, mergeMoments, noMoments } from './moments.js'

/** Elements of a window: of these the most unusual ones are noted. CPU reference of FULL_WINDOW in shaders/statistics/merge.wgsl. */
export const WINDOW_LENGTH = 16384

/** How the elements of a run are measured: y = (x - center) scale, and the edges of the histogram's bins. */
export interface Normalisation {
  /** float32. */
  readonly center: number
  readonly scale: number
  /** Rising float32; none: no histogram. */
  readonly edges: Float32Array
  /** Elements from one row to the next; 0: no row correlation. */
  readonly rowLength: number
}

/** The most unusual windows of WINDOW_LENGTH elements; of a run's tail that is shorter nothing. In y. */
export interface WindowExtremes {
  readonly count: number
  /** Largest |sum of y|. */
  readonly farthestSum: number
  readonly leastSquares: number
  readonly mostSquares: number
}

/** Sum of y y' over pairs of finite neighbours, and how many pairs there are. */
export interface PairSum {
  readonly sum: number
  readonly pairs: number
}

/** What one pass over a run of elements gives: a few hundred bytes, mergeable. */
export interface Measurement {
  readonly moments: Moments
  /** Finite elements per bin. */
  readonly bins: readonly number[]
  readonly lag: PairSum
  readonly row: PairSum
  /** Neighbours with the same bits. */
  readonly equalNeighbours: number
  readonly windows: WindowExtremes
  /** Of the bins of the tensor's first 1024 elements, in order: equal for tensors that begin alike up to scale. */
  readonly startHash: readonly [number, number]
}

export const noMeasurement: Measurement = {
  moments: noMoments,
  bins: [],
  lag: { sum: 0, pairs: 0 },
  row: { sum: 0, pairs: 0 },
  equalNeighbours: 0,
  windows: { count: 0, farthestSum: 0, leastSquares: Number.POSITIVE_INFINITY, mostSquares: 0 },
  startHash: [0, 0],
}

const addPairs = (a: PairSum, b: PairSum): PairSum => ({ sum: a.sum + b.sum, pairs: a.pairs + b.pairs })

/** Two disjoint runs with the same normalisation. Pairs across their border are in neither. */
export function mergeMeasurements(a: Measurement, b: Measurement): Measurement {
  const bins = a.bins.length > b.bins.length ? a.bins : b.bins
  return {
    moments: mergeMoments(a.moments, b.moments),
    bins: bins.map((_, i) => (a.bins[i] ?? 0) + (b.bins[i] ?? 0)),
    lag: addPairs(a.lag, b.lag),
    row: addPairs(a.row, b.row),
    equalNeighbours: a.equalNeighbours + b.equalNeighbours,
    windows: {
      count: a.windows.count + b.windows.count,
      farthestSum: Math.max(a.windows.farthestSum, b.windows.farthestSum),
      leastSquares: Math.min(a.windows.leastSquares, b.windows.leastSquares),
      mostSquares: Math.max(a.windows.mostSquares, b.windows.mostSquares),
    },
    startHash: [(a.startHash[0] + b.startHash[0]) >>> 0, (a.startHash[1] + b.startHash[1]) >>> 0],
  }
}
