import type { ExpectedMoments } from '../ir/distribution.js'
import type { MeasuredTensor } from './measured-tensor.js'
import { type Measurement, mergeMeasurements, noMeasurement, type PairSum } from './measurement.js'

/** Counts over bins that the distribution makes equally likely, as far as the dtype has numbers to cut between. */
export interface Histogram {
  /** Rising; bin b holds edges[b - 1] <= x < edges[b], the first and the last bin are open. 63 or fewer. */
  readonly edges: readonly number[]
  /** Finite elements in each bin: one more than edges. */
  readonly counts: readonly number[]
  /** What the distribution promises for each bin, rounding to the dtype included; sums to 1. */
  readonly probabilities: readonly number[]
}

/** Measured over a parameter's elements, beside what its distribution promises. */
export interface ParameterStatistics {
  readonly name: string
  /** Finite elements; mean, std, min and max are over these. */
  readonly count: number
  readonly mean: number
  /** Population standard deviation: divided by count. */
  readonly std: number
  readonly min: number
  readonly max: number
  /** Third central moment / std^3; NaN without spread. Of a symmetric distribution 0. */
  readonly skewness: number
  /** Fourth central moment / std^4; NaN without spread. Of a normal distribution 3, of a uniform distribution 1.8. */
  readonly kurtosis: number
  readonly nonFiniteCount: number
  readonly zeroCount: number
  /** Correlation of an element with the next one, about the mean of all; NaN where there is none, or no spread. */
  readonly lagCorrelation: number
  /** Correlation with the element one row below (a row is what one index of the first axis holds), likewise. */
  readonly rowCorrelation: number
  /** Only of uniform, normal, truncated-normal and sparse distributions. Of a sparse distribution over the elements that are not 0. */
  readonly histogram?: Histogram
  readonly expected: ExpectedMoments
}

/** @param measured one per run of the tensor */
export function parameterStatistics(tensor: MeasuredTensor, measured: readonly Measurement[]): ParameterStatistics {
  const { parameter, rounded, normalisation } = tensor
  const whole = measured.reduce(mergeMeasurements, noMeasurement)
  const { count, mean, squares, cubes, fourths, min, max, nonFiniteCount, zeroCount } = whole.moments
  const variance = squares / count
  const m = (mean - normalisation.center) * normalisation.scale
  const spread = variance * normalisation.scale ** 2
  /** Of y, whose mean is m and variance `spread`. */
  const correlation = ({ sum, pairs }: PairSum): number =>
    pairs === 0 || !(spread > 0) ? Number.NaN : (sum / pairs - m * m) / spread
  return {
    name: parameter.name,
    count,
    mean: count === 0 ? Number.NaN : mean,
    std: count === 0 ? Number.NaN : Math.sqrt(variance),
    min,
    max,
    skewness: variance > 0 ? cubes / count / variance ** 1.5 : Number.NaN,
    kurtosis: variance > 0 ? fourths / count / variance ** 2 : Number.NaN,
    nonFiniteCount,
    zeroCount,
    lagCorrelation: correlation(whole.lag),
    rowCorrelation: correlation(whole.row),
    ...(rounded === undefined
      ? {}
      : {
          histogram: {
            edges: [...rounded.edges],
            counts: randomBins(tensor, measured),
            probabilities: [...rounded.probabilities],
          },
        }),
    expected: parameter.expected,
  }
}

/** Bins of what the distribution draws: without padding, and of a sparse distribution without its zeros. */
export function randomBins({ rounded, runs }: MeasuredTensor, measured: readonly Measurement[]): number[] {
  const random = measured.filter((_, run) => !runs[run]!.padding).reduce(mergeMeasurements, noMeasurement)
  const bins =
    rounded!.probabilities.length === random.bins.length
      ? [...random.bins]
      : Array.from(rounded!.probabilities, () => 0)
  if (rounded!.continuous.zeroInflated) {
    const bin = rounded!.edges.filter((edge) => edge <= 0).length
    bins[bin]! -= random.moments.zeroCount
  }
  return bins
}
