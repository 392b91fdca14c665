// Tests of one tensor against its distribution. Every p-value is exact, or an upper bound, at any number of elements: the chance of a
// p-value <= x for elements of the distribution is at most x.

import { isCoarse, NOTICED, type RoundedDistribution } from './expected/rounded-distribution.js'
import { meanPValue } from './expected/saddlepoint.js'
import { binomialTailBound, chiSquaredCdf, chiSquaredSf, twoSidedNormal } from './expected/special.js'
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
  /** Chance of so extreme a result if the distribution holds, or an upper bound of it. 0 for what the distribution rules out. */
  readonly pValue: number
  /** z of mean, variance and correlations; chi-squared; Kolmogorov and Smirnov's D; a count. */
  readonly statistic: number
  /** For people. */
  readonly message: string
}

/**
 * Expected count that a bin needs; bins are joined until they have it. Counts are no normals: far out, the statistic is
 * larger more often than chi-squared's distribution says. Convolved exactly over 8 and 64 equal bins: at 64 per bin up to 3.4 times at
 * p = 1e-11, shrinking as exp(1/count). At 256 and more, twice the distribution's tail is a bound.
 */
const CHI_SQUARED_COUNT = 256

const brief = (x: number): string =>
  x === 0 ? '0' : Math.abs(x) < 1e-3 || Math.abs(x) >= 1e6 ? x.toExponential(3) : x.toPrecision(5)

/** What is tested: elements that are independent draws of the distribution. */
export interface Sample {
  readonly distribution: RoundedDistribution
  /** Of all random elements. */
  readonly measurement: Measurement
  /** Of the draws: a sparse distribution's without its zeros. */
  readonly bins: readonly number[]
  /** Elements that are 0 by the distribution itself. */
  readonly expectedZeros: number
}

/**
 * The tests of independent draws. Where generators differ in what they do at the ends of a range of few numbers, each test asks all
 * of them and believes the one that fits best: valid weights follow one of them.
 */
export function sampleTests(sample: Sample): TestOutcome[] {
  let best = testsOf(sample)
  for (const variant of sample.distribution.variants) {
    const others = new Map(testsOf({ ...sample, distribution: variant }).map((one) => [one.test, one]))
    // A test that one of them does not know, as one without spread, refuses nothing.
    best = best.flatMap((one) => {
      const other = others.get(one.test)
      return other === undefined ? [] : other.pValue > one.pValue ? [other] : [one]
    })
  }
  return best
}

function testsOf(sample: Sample): TestOutcome[] {
  const { distribution, measurement, expectedZeros } = sample
  const { count, mean, squares, nonFiniteCount } = measurement.moments
  const tests: TestOutcome[] = [
    {
      test: 'non-finite',
      pValue: nonFiniteCount > 0 ? 0 : 1,
      statistic: nonFiniteCount,
      message: `${nonFiniteCount} elements are NaN or infinite`,
    },
  ]
  const drawn = count - expectedZeros
  if (drawn <= 0) return tests
  tests.push(boundsTest(sample))
  if (isCoarse(distribution, drawn)) return tests
  tests.push(zerosTest(sample, drawn))
  if (distribution.std > 0) {
    // Lawful zeros are at the mean, 0: they add nothing to the sums of the draws.
    const shift = mean - distribution.mean
    const meanU = (count * shift) / drawn / distribution.std
    const meanSquare = (squares + count * shift * shift) / drawn / distribution.std ** 2
    tests.push(meanTest(distribution, drawn, meanU), varianceTest(distribution, drawn, meanSquare))
    const offCentre = Math.abs(Math.fround(distribution.mean) - distribution.mean) / distribution.std
    // Neighbours are multiplied, and windows summed, about a float32 number: it has to be near enough to the mean.
    if (offCentre * offCentre * Math.sqrt(count) < NOTICED && offCentre < NOTICED)
      tests.push(...correlationTests(sample))
    const windows = windowTest(sample)
    if (windows !== undefined && expectedZeros === 0 && offCentre * Math.sqrt(WINDOW_LENGTH) < NOTICED) {
      tests.push(windows)
    }
  }
  tests.push(...binTests(distribution, sample.bins, drawn))
  if (expectedZeros === 0) tests.push(extremesTest(sample, drawn), neighboursTest(sample))
  return tests
}

function boundsTest({ distribution, measurement }: Sample): TestOutcome {
  const { min, max } = measurement.moments
  const { low, high, slack } = distribution
  const outside = min < low - slack || max > high + slack
  return {
    test: 'bounds',
    pValue: outside ? 0 : 1,
    statistic: outside ? 1 : 0,
    message: `values from ${brief(min)} to ${brief(max)}, allowed ${brief(low)} to ${brief(high)}`,
  }
}

/**
 * Sum of the draws: for normal distributions exact, else by saddlepoint. What rounding may have added to a single draw is taken
 * off: many draws' errors cancel, and their variance is in the distribution's.
 */
function meanTest(distribution: RoundedDistribution, n: number, meanU: number): TestOutcome {
  const z = meanU * Math.sqrt(n)
  const { continuous, largestRounding } = distribution
  return {
    test: 'mean',
    pValue:
      distribution.meanCumulants === 'normal'
        ? twoSidedNormal(Math.max(0, Math.abs(z) - largestRounding / continuous.std))
        : meanPValue(distribution.meanCumulants, n, meanU),
    statistic: z,
    message: `mean ${brief(distribution.mean + meanU * distribution.std)}, expected ${brief(distribution.mean)}: ${z.toFixed(2)} standard errors`,
  }
}

/** Sum of squared deviations from the distribution's mean: chi-squared for normal distributions, else by saddlepoint. */
function varianceTest(distribution: RoundedDistribution, n: number, meanSquare: number): TestOutcome {
  const z = (meanSquare - 1) * Math.sqrt(n / (distribution.kurtosis - 1))
  return {
    test: 'variance',
    pValue: squaresPValue(distribution, n, meanSquare),
    statistic: z,
    message: `root mean square deviation ${brief(distribution.std * Math.sqrt(meanSquare))}, expected ${brief(distribution.std)}: ${z.toFixed(2)} standard errors of the variance`,
  }
}

function squaresPValue(distribution: RoundedDistribution, n: number, meanSquare: number): number {
  if (distribution.meanCumulants !== 'normal' || n >= 200) {
    return meanPValue(distribution.squareCumulants, n, meanSquare)
  }
  // By the triangle inequality the root of the mean square is within the largest rounding of that before rounding.
  const { continuous, std, largestRounding } = distribution
  const rms = (std * Math.sqrt(meanSquare)) / continuous.std
  const off = largestRounding / continuous.std
  const upper = chiSquaredSf(n * Math.max(0, rms - off) ** 2, n)
  return Math.min(1, 2 * Math.min(upper, chiSquaredCdf(n * (rms + off) ** 2, n)))
}

function correlationTests({ distribution, measurement }: Sample): TestOutcome[] {
  // A distribution of a few rare numbers has products of heavier tails than the bound allows for.
  if (distribution.squareCumulants.discrete && distribution.kurtosis > 3) return []
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
        pValue: meanPValue(distribution.productCumulants, pairs, r / distribution.proxy),
        statistic: r * Math.sqrt(pairs),
        message: `correlation ${brief(r)} with ${what}, over ${pairs} pairs`,
      }
    })
}

/** More zeros than the distribution and the generator's grain can give. */
function zerosTest({ distribution, measurement, expectedZeros }: Sample, drawn: number): TestOutcome {
  const zeros = measurement.moments.zeroCount - expectedZeros
  return {
    test: 'zeros',
    pValue: binomialTailBound(zeros, drawn, distribution.zeroProbability),
    statistic: zeros,
    message: `${zeros} zeros, expected at most ${brief(drawn * distribution.zeroProbability)}`,
  }
}

/**
 * Equal neighbours: runs of one value. Whether neighbours are equal is independent for the pairs that begin at even places,
 * and for those at odd ones: twice the bound for half the pairs.
 */
function neighboursTest({ distribution, measurement }: Sample): TestOutcome {
  const { equalNeighbours, lag } = measurement
  const half = Math.max(1, Math.floor(lag.pairs / 2))
  return {
    test: 'equal neighbours',
    pValue: Math.min(1, 2 * binomialTailBound(Math.min(half, equalNeighbours / 2), half, distribution.largestAtom)),
    statistic: equalNeighbours,
    message: `${equalNeighbours} elements equal the next one, expected at most ${brief(lag.pairs * distribution.largestAtom)}`,
  }
}

/**
 * The largest and the smallest draw: P(max <= x) = F(x)^n, P(max >= x) = 1 - F(x-)^n. Of the tails only what is more likely than
 * the generator's grain is asked for, and single values, such as the end of a uniform range, may be as likely as the grain.
 */
function extremesTest({ distribution, measurement }: Sample, n: number): TestOutcome {
  const { min, max } = measurement.moments
  const allBelow = (beyond: number): number =>
    Math.exp(n * Math.log1p(-Math.min(1, Math.max(0, beyond - distribution.grain))))
  const someBeyond = (probability: number): number => -Math.expm1(n * Math.log1p(-Math.min(1, probability)))
  const pValue = Math.min(
    allBelow(distribution.sf(distribution.next(max, 1))),
    someBeyond(distribution.tailAbove(max)),
    allBelow(distribution.cdf(distribution.next(min, -1))),
    someBeyond(distribution.tailBelow(min)),
  )
  const far = Math.max((max - distribution.mean) / distribution.std, (distribution.mean - min) / distribution.std)
  return {
    test: 'extremes',
    pValue: Math.min(1, 4 * pValue),
    statistic: far,
    message: `values from ${brief(min)} to ${brief(max)}, ${far.toFixed(2)} std from the mean, among ${n}`,
  }
}

/** The most unusual of the windows of 16384 elements, each by the tests of mean and variance. */
function windowTest({ distribution, measurement }: Sample): TestOutcome | undefined {
  const { count, farthestSum, leastSquares, mostSquares } = measurement.windows
  if (count < 2) return undefined
  const n = WINDOW_LENGTH
  const mean =
    distribution.meanCumulants === 'normal'
      ? twoSidedNormal(farthestSum / Math.sqrt(n))
      : // Which side it was on is not known.
        Math.max(
          meanPValue(distribution.meanCumulants, n, farthestSum / n),
          meanPValue(distribution.meanCumulants, n, -farthestSum / n),
        )
  const least = squaresPValue(distribution, n, leastSquares / n)
  const most = squaresPValue(distribution, n, mostSquares / n)
  return {
    test: 'windows',
    pValue: Math.min(1, 3 * count * Math.min(mean, least, most)),
    statistic: count,
    message: `of ${count} windows of ${n} elements one has a mean ${brief(farthestSum / n)} std from the distribution's, the variances are ${brief(leastSquares / n)} to ${brief(mostSquares / n)} times the distribution's`,
  }
}

/** Chi-squared over the bins, joined until each expects enough; Kolmogorov and Smirnov at the edges. */
function binTests(distribution: RoundedDistribution, counts: readonly number[], n: number): TestOutcome[] {
  const tests: TestOutcome[] = []
  let [seen, expected, joinedSeen, joinedExpected, chi, cells] = [0, 0, 0, 0, 0, 0]
  let largest = 0
  const left = (): number => n - expected
  counts.forEach((count, bin) => {
    seen += count
    expected += n * distribution.probabilities[bin]!
    joinedSeen += count
    joinedExpected += n * distribution.probabilities[bin]!
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
      pValue: Math.min(1, 2 * chiSquaredSf(chi, cells - 1)),
      statistic: chi,
      message: `chi-squared ${chi.toFixed(1)} over ${cells} bins, expected ${cells - 1}`,
    })
  }
  const widest = Math.max(...distribution.probabilities)
  tests.push({
    test: 'kolmogorov-smirnov',
    // Massart 1990: 2 exp(-2 n D^2) for any n and any distribution; D at the edges is at most D.
    pValue: Math.min(1, 2 * Math.exp(-2 * n * largest * largest)),
    statistic: largest,
    message: `distribution function off by ${brief(largest)} at an edge, by at most ${brief(largest + widest)} anywhere`,
  })
  return tests
}
