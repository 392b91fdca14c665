// Tests of one tensor against its law. Every p-value is exact, or an upper bound, at any number of elements: the chance of a
// p-value <= x for elements of the law is at most x.

import { type ExpectedLaw, GRAIN } from './expected/expected-distribution.js'
import { meanPValue } from './expected/saddlepoint.js'
import { binomialTailBound, chiSquaredHead, chiSquaredTail, twoSidedNormal } from './expected/special.js'
import { type Measurement, WINDOW_LENGTH } from './measurement.js'

export type TestName =
  | 'non-finite'
  | 'bounds'
  | 'mean'
  | 'variance'
  | 'chi-squared'
  | 'kolmogorov-smirnov'
  | 'extremes'
  | 'lag correlation'
  | 'row correlation'
  | 'zeros'
  | 'equal neighbours'
  | 'windows'
  | 'values'
  | 'padding'
  | 'orthogonality'
  | 'copies'
  | 'same start'

/** One test before the model's error rate is shared out. */
export interface TestOutcome {
  readonly test: TestName
  /** Chance of so extreme a result if the law holds, or an upper bound of it. 0 for what the law rules out. */
  readonly pValue: number
  /** z of mean, variance and correlations; chi-squared; Kolmogorov and Smirnov's D; a count. */
  readonly statistic: number
  /** For people. */
  readonly message: string
}

/**
 * Expected count that a bin needs; bins are joined until they have it. Counts are no normals: far out, the statistic is
 * larger more often than chi-squared's law says. Convolved exactly over 8 and 64 equal bins: at 64 per bin up to 3.4 times at
 * p = 1e-11, shrinking as exp(1/count). At 256 and more, twice the law's tail is a bound.
 */
const CHI_SQUARED_COUNT = 256

const brief = (x: number): string =>
  x === 0 ? '0' : Math.abs(x) < 1e-3 || Math.abs(x) >= 1e6 ? x.toExponential(3) : x.toPrecision(5)

/** What is tested: elements that are independent draws of the law. */
export interface Sample {
  readonly law: ExpectedLaw
  /** Of all random elements. */
  readonly measurement: Measurement
  /** Of the draws: a sparse law's without its zeros. */
  readonly bins: readonly number[]
  /** Elements that are 0 by the law itself. */
  readonly lawfulZeros: number
}

/** The tests of independent draws. */
export function sampleTests(sample: Sample): TestOutcome[] {
  const { measurement, lawfulZeros } = sample
  const { count, mean, squares, nonFiniteCount } = measurement.moments
  const tests: TestOutcome[] = [
    {
      test: 'non-finite',
      pValue: nonFiniteCount > 0 ? 0 : 1,
      statistic: nonFiniteCount,
      message: `${nonFiniteCount} elements are NaN or infinite`,
    },
  ]
  const drawn = count - lawfulZeros
  if (drawn <= 0) return tests
  const { law } = sample
  tests.push(boundsTest(sample), zerosTest(sample, drawn))
  if (law.std > 0) {
    // Lawful zeros are at the mean, 0: they add nothing to the sums of the draws.
    const shift = mean - law.mean
    const meanU = (count * shift) / drawn / law.std
    const meanSquare = (squares + count * shift * shift) / drawn / law.std ** 2
    tests.push(meanTest(law, drawn, meanU), varianceTest(law, drawn, meanSquare), ...correlationTests(sample))
    const windows = windowTest(sample)
    if (windows !== undefined && lawfulZeros === 0) tests.push(windows)
  }
  tests.push(...binTests(law, sample.bins, drawn))
  if (lawfulZeros === 0) tests.push(extremesTest(sample, drawn), neighboursTest(sample))
  return tests
}

function boundsTest({ law, measurement }: Sample): TestOutcome {
  const { min, max } = measurement.moments
  const outside = min < law.low || max > law.high
  return {
    test: 'bounds',
    pValue: outside ? 0 : 1,
    statistic: outside ? 1 : 0,
    message: `values from ${brief(min)} to ${brief(max)}, allowed ${brief(law.low)} to ${brief(law.high)}`,
  }
}

/** Sum of the draws: exact for normal laws, else by saddlepoint. */
function meanTest(law: ExpectedLaw, n: number, meanU: number): TestOutcome {
  const z = meanU * Math.sqrt(n)
  return {
    test: 'mean',
    pValue: law.meanCumulants === 'normal' ? twoSidedNormal(z) : meanPValue(law.meanCumulants, n, meanU),
    statistic: z,
    message: `mean ${brief(law.mean + meanU * law.std)}, expected ${brief(law.mean)}: ${z.toFixed(2)} standard errors`,
  }
}

/** Sum of squared deviations from the law's mean: chi-squared for normal laws, else by saddlepoint. */
function varianceTest(law: ExpectedLaw, n: number, meanSquare: number): TestOutcome {
  const z = (meanSquare - 1) * Math.sqrt(n / (law.kurtosis - 1))
  return {
    test: 'variance',
    pValue: squaresPValue(law, n, meanSquare),
    statistic: z,
    message: `root mean square deviation ${brief(law.std * Math.sqrt(meanSquare))}, expected ${brief(law.std)}: ${z.toFixed(2)} standard errors of the variance`,
  }
}

function squaresPValue(law: ExpectedLaw, n: number, meanSquare: number): number {
  if (law.meanCumulants === 'normal' && n < 200) {
    return Math.min(1, 2 * Math.min(chiSquaredTail(n * meanSquare, n), chiSquaredHead(n * meanSquare, n)))
  }
  return meanPValue(law.squareCumulants, n, meanSquare)
}

function correlationTests({ law, measurement }: Sample): TestOutcome[] {
  // A law of a few rare numbers has products of heavier tails than the bound allows for.
  if (law.squareCumulants.discrete && law.kurtosis > 3) return []
  const named = [
    ['lag correlation', 'the next element', measurement.lag],
    ['row correlation', 'the element one row below', measurement.row],
  ] as const
  return named
    .filter(([, , { pairs }]) => pairs > 0)
    .map(([test, what, { sum, pairs }]) => {
      const r = sum / pairs
      return {
        test,
        pValue: meanPValue(law.productCumulants, pairs, r / law.proxy),
        statistic: r * Math.sqrt(pairs),
        message: `correlation ${brief(r)} with ${what}, over ${pairs} pairs`,
      }
    })
}

/** More zeros than the law and the generator's grain can give. */
function zerosTest({ law, measurement, lawfulZeros }: Sample, drawn: number): TestOutcome {
  const zeros = measurement.moments.zeroCount - lawfulZeros
  return {
    test: 'zeros',
    pValue: binomialTailBound(zeros, drawn, law.zeroProbability),
    statistic: zeros,
    message: `${zeros} zeros, expected at most ${brief(drawn * law.zeroProbability)}`,
  }
}

/**
 * Equal neighbours: runs of one value. Whether neighbours are equal is independent for the pairs that begin at even places,
 * and for those at odd ones: twice the bound for half the pairs.
 */
function neighboursTest({ law, measurement }: Sample): TestOutcome {
  const { equalNeighbours, lag } = measurement
  const half = Math.max(1, Math.floor(lag.pairs / 2))
  return {
    test: 'equal neighbours',
    pValue: Math.min(1, 2 * binomialTailBound(Math.min(half, equalNeighbours / 2), half, law.largestAtom)),
    statistic: equalNeighbours,
    message: `${equalNeighbours} elements equal the next one, expected at most ${brief(lag.pairs * law.largestAtom)}`,
  }
}

/**
 * The largest and the smallest draw: P(max <= x) = F(x)^n, P(max >= x) = 1 - F(x-)^n, exactly. Of the tails only what is
 * more likely than 2^-22 is asked for: that is how far generators reach.
 */
function extremesTest({ law, measurement }: Sample, n: number): TestOutcome {
  const { min, max } = measurement.moments
  const allBelow = (beyond: number): number => Math.exp(n * Math.log1p(-Math.min(1, Math.max(0, beyond - GRAIN))))
  const someBeyond = (probability: number): number => -Math.expm1(n * Math.log1p(-Math.min(1, probability)))
  const pValue = Math.min(
    allBelow(law.tail(law.next(max, 1))),
    someBeyond(law.tail(max)),
    allBelow(law.head(law.next(min, -1))),
    someBeyond(law.head(min)),
  )
  const far = Math.max((max - law.mean) / law.std, (law.mean - min) / law.std)
  return {
    test: 'extremes',
    pValue: Math.min(1, 4 * pValue),
    statistic: far,
    message: `values from ${brief(min)} to ${brief(max)}, ${far.toFixed(2)} std from the mean, among ${n}`,
  }
}

/** The most unusual of the windows of 16384 elements, each by the tests of mean and variance. */
function windowTest({ law, measurement }: Sample): TestOutcome | undefined {
  const { count, farthestSum, leastSquares, mostSquares } = measurement.windows
  if (count < 2) return undefined
  const n = WINDOW_LENGTH
  const mean =
    law.meanCumulants === 'normal'
      ? twoSidedNormal(farthestSum / Math.sqrt(n))
      : // Which side it was on is not known.
        Math.max(meanPValue(law.meanCumulants, n, farthestSum / n), meanPValue(law.meanCumulants, n, -farthestSum / n))
  const least = squaresPValue(law, n, leastSquares / n)
  const most = squaresPValue(law, n, mostSquares / n)
  return {
    test: 'windows',
    pValue: Math.min(1, 3 * count * Math.min(mean, least, most)),
    statistic: count,
    message: `of ${count} windows of ${n} elements one has a mean ${brief(farthestSum / n)} std from the law's, the variances are ${brief(leastSquares / n)} to ${brief(mostSquares / n)} times the law's`,
  }
}

/** Chi-squared over the bins, joined until each expects enough; Kolmogorov and Smirnov at the edges. */
function binTests(law: ExpectedLaw, counts: readonly number[], n: number): TestOutcome[] {
  const tests: TestOutcome[] = []
  let [seen, expected, joinedSeen, joinedExpected, chi, cells] = [0, 0, 0, 0, 0, 0]
  let largest = 0
  const left = (): number => n - expected
  counts.forEach((count, bin) => {
    seen += count
    expected += n * law.probabilities[bin]!
    joinedSeen += count
    joinedExpected += n * law.probabilities[bin]!
    if (bin < counts.length - 1) largest = Math.max(largest, Math.abs(seen - expected) / n)
    // The last cell takes what would be too little for one of its own.
    if (bin === counts.length - 1 || (joinedExpected >= CHI_SQUARED_COUNT && left() >= CHI_SQUARED_COUNT)) {
      if (joinedExpected > 0) chi += (joinedSeen - joinedExpected) ** 2 / joinedExpected
      cells++
      joinedSeen = 0
      joinedExpected = 0
    }
  })
  if (cells > 1) {
    tests.push({
      test: 'chi-squared',
      pValue: Math.min(1, 2 * chiSquaredTail(chi, cells - 1)),
      statistic: chi,
      message: `chi-squared ${chi.toFixed(1)} over ${cells} bins, expected ${cells - 1}`,
    })
  }
  const widest = Math.max(...law.probabilities)
  tests.push({
    test: 'kolmogorov-smirnov',
    // Massart 1990: 2 exp(-2 n D^2) for any n and any law; D at the edges is at most D.
    pValue: Math.min(1, 2 * Math.exp(-2 * n * largest * largest)),
    statistic: largest,
    message: `distribution function off by ${brief(largest)} at an edge, by at most ${brief(largest + widest)} anywhere`,
  })
  return tests
}
