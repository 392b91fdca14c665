// What each kind of distribution promises beyond the tests of independent draws with a density (src/statistics/tests.ts).

import { Comparison } from '../core/comparison.js'
import { byteWidth, type FloatDType, floatFormats, isFloatDType, roundToDType } from '../core/dtype.js'
import { fillBytes } from '../cpu/fill.js'
import { fillJob } from '../fill/make-job.js'
import type { Distribution, DistributionKind, DistributionOf } from '../ir/distribution.js'
import type { PlannedParameter } from '../ir/plan.js'
import { roundingErrors } from '../statistics/expected/representable.js'
import type { RoundedDistribution } from '../statistics/expected/rounded-distribution.js'
import { roundedDistribution } from '../statistics/expected/rounded-distribution.js'
import { binomialTailBound } from '../statistics/expected/special.js'
import type { MeasuredTensor } from '../statistics/measured-tensor.js'
import type { Measurement } from '../statistics/measurement.js'
import type { TestName, TestOutcome } from '../statistics/tests.js'
import type { WeightStore } from '../store/weight-store.js'
import { allowedError } from './verify-orthogonal.js'

type Moments = Measurement['moments']

interface DistributionTests<D extends Distribution> {
  /** What one measurement tells of the elements, at least one of which is finite. */
  measured?(
    parameter: PlannedParameter,
    moments: Moments,
    distribution: D,
    rounded?: RoundedDistribution,
  ): TestOutcome[]
  /** What has to look at the elements themselves. */
  exact?(store: WeightStore, parameter: PlannedParameter, signal?: AbortSignal): Promise<TestOutcome[]>
}

/** Its tests as independent draws say everything. */
const drawsAlone = {}

const tests: { readonly [K in DistributionKind]: DistributionTests<DistributionOf<K>> } = {
  constant: { measured: constantTests },
  uniform: drawsAlone,
  normal: drawsAlone,
  'truncated-normal': drawsAlone,
  sparse: { measured: sparsityTests },
  diagonal: { exact: elementTests },
  pieces: { exact: elementTests },
  computed: { exact: elementTests },
  orthogonal: { measured: orthogonalTests, exact: orthogonalityTests },
  sinusoid: { exact: elementTests },
  custom: { measured: samplerTests },
}

// The table pairs each kind with its own tests; TypeScript cannot follow that through a lookup by a union.
const testsOf = ({ distribution }: PlannedParameter): DistributionTests<Distribution> =>
  tests[distribution.kind] as DistributionTests<Distribution>

/** What a measurement of a parameter's elements tells, beside the tests of independent draws. */
export const measuredTests = ({ parameter, rounded }: MeasuredTensor, { moments }: Measurement): TestOutcome[] =>
  (moments.count > 0 && testsOf(parameter).measured?.(parameter, moments, parameter.distribution, rounded)) || []

/** What has to look at the elements themselves: distributions that leave nothing to chance, and orthogonality. */
export const exactTests = async (
  store: WeightStore,
  parameter: PlannedParameter,
  signal?: AbortSignal,
): Promise<TestOutcome[]> => (await testsOf(parameter).exact?.(store, parameter, signal)) ?? []

/** A test that either holds or is ruled out. */
export const verdict = (test: TestName, holds: boolean, statistic: number, message: string): TestOutcome => ({
  test,
  pValue: holds ? 1 : 0,
  statistic,
  message,
})

export const finiteTest = ({ moments: { nonFiniteCount } }: Measurement): TestOutcome =>
  verdict('non-finite', nonFiniteCount === 0, nonFiniteCount, `${nonFiniteCount} elements are NaN or infinite`)

function constantTests(
  { dtype }: PlannedParameter,
  { min, max }: Moments,
  distribution: DistributionOf<'constant'>,
): TestOutcome[] {
  const value = isFloatDType(dtype) ? roundToDType(distribution.value, dtype) : Math.fround(distribution.value)
  const same = min === value && max === value
  const message = same ? `all are ${value}` : `values from ${min} to ${max}, expected ${value}`
  return [verdict('values', same, same ? 0 : 1, message)]
}

/**
 * Zeros of a sparse matrix: exactly `zeros` in every column, and what the dtype rounds to 0 of the draws; in a part of it, by
 * Hoeffding's bound (1963).
 */
function sparsityTests(
  { part, patches, dtype }: PlannedParameter,
  moments: Moments,
  distribution: DistributionOf<'sparse'>,
): TestOutcome[] {
  const { rows, columns, zeros, std } = distribution
  const found = moments.zeroCount
  const whole = part === undefined && patches.length === 0
  const exact = whole ? columns * zeros : (moments.count * zeros) / rows
  const zeroProbability =
    std === 0 || !isFloatDType(dtype) ? 1 : roundedDistribution(distribution, dtype)!.zeroProbability
  const expected = whole ? exact : exact + (moments.count - exact) * zeroProbability
  const off = Math.abs(found - expected)
  const draws = moments.count - exact
  const pValue = !whole
    ? Math.min(1, 2 * Math.exp((-2 * off * off) / moments.count))
    : found < exact
      ? 0
      : found === exact
        ? 1
        : binomialTailBound(found - exact, draws, zeroProbability)
  const message = `${found} zeros, expected ${whole ? '' : 'about '}${expected}`
  return [{ test: 'zeros', pValue, statistic: found, message }]
}

function orthogonalTests(
  parameter: PlannedParameter,
  moments: Moments,
  distribution: DistributionOf<'orthogonal'>,
): TestOutcome[] {
  const { relative, absolute } = roundingErrors(parameter.dtype as FloatDType)
  const std = orthogonalSumStd(distribution) * (1 + relative) + absolute * Math.sqrt(moments.count)
  const z = (moments.count * moments.mean) / std
  // Sums over a matrix are as concentrated as a normal distribution of their variance.
  return boundsAndMean(parameter, moments, 1e-5, z, 2 * Math.exp((-z * z) / 2))
}

/** Std of the sum of all elements: 1^T Q 1 is sqrt(rows columns) times an entry of a random unit vector. */
const orthogonalSumStd = ({ gain, batch, rows, columns }: DistributionOf<'orthogonal'>): number =>
  Math.abs(gain) * Math.sqrt(batch * Math.min(rows, columns))

function samplerTests(parameter: PlannedParameter, moments: Moments): TestOutcome[] {
  const { mean, std } = parameter.expected
  const off = Math.max(0, Math.abs(moments.mean - mean) - roundingBias(parameter))
  const z = (off / std) * Math.sqrt(moments.count)
  // Of a sampler of the user's own Chebyshev's inequality is all there is.
  return boundsAndMean(parameter, moments, 0, z, 1 / (z * z))
}

/** How far rounding to the dtype may move the mean of any distribution: E|x| <= sqrt(mean^2 + std^2). */
function roundingBias({ dtype, expected }: PlannedParameter): number {
  if (!isFloatDType(dtype)) return 0
  const { fractionBits, smallestNormal } = floatFormats[dtype]
  return 2 ** -(fractionBits + 1) * (smallestNormal + Math.hypot(expected.mean, expected.std))
}

/**
 * @param slack how far over the bounds rounding may carry a value, as a share of the upper one
 * @param z of the mean, and an upper bound of its p-value
 */
function boundsAndMean(
  { dtype, expected, part }: PlannedParameter,
  { min, max, mean }: Moments,
  slack: number,
  z: number,
  pValue: number,
): TestOutcome[] {
  // A dtype's rounding may carry a value over the bound by half a step. Without slack the bounds may be infinite.
  const beyond = slack && slack * expected.max
  const low = isFloatDType(dtype) ? roundToDType(expected.min - beyond, dtype) : expected.min
  const high = isFloatDType(dtype) ? roundToDType(expected.max + beyond, dtype) : expected.max
  const outside = min < low || max > high
  const tests = [
    verdict('bounds', !outside, outside ? 1 : 0, `values from ${min} to ${max}, allowed ${low} to ${high}`),
  ]
  // A part's mean is not that of the whole.
  if (part === undefined && Number.isFinite(z)) {
    const message = `mean ${mean}, expected ${expected.mean}: ${z.toFixed(2)} standard errors`
    tests.push({ test: 'mean', pValue: Math.min(1, pValue), statistic: z, message })
  }
  return tests
}

async function orthogonalityTests(
  store: WeightStore,
  parameter: PlannedParameter,
  signal?: AbortSignal,
): Promise<TestOutcome[]> {
  if (parameter.part !== undefined) return []
  const error = await store.orthogonalityError(parameter, signal)
  const allowed = allowedError(parameter, parameter.dtype)
  const message = `max |Q^T Q / gain^2 - I| is ${error.toExponential(1)}, allowed ${allowed.toExponential(1)}`
  return [verdict('orthogonality', error <= allowed, error, message)]
}

/** Elements compared at a time. */
const CHUNK_ELEMENTS = 2 ** 20

/** Every element, of a distribution that leaves nothing to chance. */
async function elementTests(
  store: WeightStore,
  parameter: PlannedParameter,
  signal?: AbortSignal,
): Promise<TestOutcome[]> {
  const { dtype, elementCount } = parameter
  const width = byteWidth(dtype)
  const job = fillJob(parameter)
  const comparison = new Comparison(dtype)
  for (let first = 0; first < elementCount; first += CHUNK_ELEMENTS) {
    signal?.throwIfAborted()
    const count = Math.min(CHUNK_ELEMENTS, elementCount - first)
    const actual = await store.readRange(parameter, first * width, count * width)
    comparison.add(actual, fillBytes(job, first, count), first)
  }
  const wrong = comparison.result().mismatchCount
  return [
    verdict('values', wrong === 0, wrong, `${wrong} of ${elementCount} elements are not what the distribution says`),
  ]
}
