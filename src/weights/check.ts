import { Comparison } from '../core/comparison.js'
import { byteWidth, isFloatDType } from '../core/dtype.js'
import { refuseUnknownKeys, show, WeightInitError } from '../core/errors.js'
import { fillBytes } from '../cpu/fill.js'
import { fillJob } from '../fill/make-job.js'
import type { DistributionOf } from '../ir/distribution.js'
import type { PlannedParameter } from '../ir/plan.js'
import { roundToDType } from '../statistics/expected/representable.js'
import { binomialTailBound } from '../statistics/expected/special.js'
import { type MeasuredTensor, measuredTensorsOf } from '../statistics/measured-tensor.js'
import { type Measurement, mergeMeasurements, noMeasurement } from '../statistics/measurement.js'
import { copiedNames, copiesTest, holmAdjusted, sameStartTests } from '../statistics/model-tests.js'
import { noRepeats, type Repeats } from '../statistics/repeats.js'
import { type ParameterStatistics, parameterStatistics, randomBins } from '../statistics/report.js'
import { sampleTests, type TestName, type TestOutcome } from '../statistics/tests.js'
import type { WeightStore } from '../store/weight-store.js'
import { allowedError } from './verify.js'

export interface CheckOptions {
  /**
   * Chance that weights which are right fail any test, over all tests of the whole call, 0 < rate < 1. Default 1e-6. It holds
   * for any number of parameters of any size: p-values are exact or upper bounds, and Holm's procedure shares the rate out.
   */
  readonly falseAlarmRate?: number
  readonly signal?: AbortSignal
}

export interface TestResult {
  readonly test: TestName
  /** False where the adjusted p-value is at most the false-alarm rate. */
  readonly ok: boolean
  /** Chance of so extreme a result under the distribution, or an upper bound of it; 0 for what the distribution rules out. */
  readonly pValue: number
  /** After Holm's procedure over all tests of the call: compare this one with the rate. */
  readonly adjustedPValue: number
  /** z of mean, variance and correlations; chi-squared; Kolmogorov and Smirnov's D; a count. */
  readonly statistic: number
  /** The measured and the expected values, in words. */
  readonly message: string
}

export interface ParameterCheck {
  readonly name: string
  readonly ok: boolean
  readonly statistics: ParameterStatistics
  readonly tests: readonly TestResult[]
}

export interface CheckReport {
  /** True when no test failed. */
  readonly ok: boolean
  readonly falseAlarmRate: number
  readonly testCount: number
  readonly parameters: readonly ParameterCheck[]
  /** Tests of the whole: copies within and between parameters, and parameters that begin with the same draws. */
  readonly model: readonly TestResult[]
  /** Every failed test; `parameters` names those concerned. */
  readonly failures: readonly (TestResult & { readonly parameters: readonly string[] })[]
}

export function resolveCheckOptions(options: CheckOptions): { falseAlarmRate: number; signal?: AbortSignal } {
  refuseUnknownKeys(options, ['falseAlarmRate', 'signal'], 'check option')
  const { falseAlarmRate = 1e-6, signal } = options
  if (typeof falseAlarmRate !== 'number' || !(falseAlarmRate > 0 && falseAlarmRate < 1)) {
    throw new WeightInitError(
      'INVALID_ARGUMENT',
      `check: falseAlarmRate must lie in (0, 1), but found ${show(falseAlarmRate)}; the default is 1e-6.`,
    )
  }
  return { falseAlarmRate, ...(signal === undefined ? {} : { signal }) }
}

/** Measures what a store holds and tests it against the parameters' distributions. */
export async function checkStore(
  store: WeightStore,
  parameters: readonly PlannedParameter[],
  options: CheckOptions = {},
): Promise<CheckReport> {
  const { falseAlarmRate, signal } = resolveCheckOptions(options)
  const tensors = measuredTensorsOf(parameters)
  const { measurements, repeats } = await store.measure(tensors, {
    repeats: true,
    ...(signal === undefined ? {} : { signal }),
  })
  const exact: (TestOutcome[] | undefined)[] = []
  for (const { parameter } of tensors) {
    signal?.throwIfAborted()
    exact.push(await exactTests(store, parameter))
  }
  return checkMeasured({ tensors, measurements, repeats, exact, falseAlarmRate })
}

export interface Measured {
  readonly tensors: readonly MeasuredTensor[]
  readonly measurements: readonly (readonly Measurement[])[]
  readonly repeats?: Repeats
  /** Tests that had to look at the elements one by one, where there are such. */
  readonly exact: readonly (readonly TestOutcome[] | undefined)[]
  readonly falseAlarmRate: number
}

/** The report on measurements, however they were made. */
export function checkMeasured({
  tensors,
  measurements,
  repeats = noRepeats,
  exact,
  falseAlarmRate,
}: Measured): CheckReport {
  const perParameter = tensors.map((tensor, index) => [
    ...parameterTests(tensor, measurements[index]!),
    ...(exact[index] ?? []),
  ])
  const starts = sameStartTests(tensors, measurements)
  const outcomes = [...perParameter.flat(), copiesTest(tensors, repeats), ...starts.map(({ outcome }) => outcome)]
  const adjusted = holmAdjusted(outcomes.map(({ pValue }) => pValue))
  const results = outcomes.map(
    ({ test, pValue, statistic, message }, index): TestResult => ({
      test,
      // NaN fails.
      ok: adjusted[index]! > falseAlarmRate,
      pValue,
      adjustedPValue: adjusted[index]!,
      statistic,
      message,
    }),
  )
  let next = 0
  const checks = tensors.map((tensor, index): ParameterCheck => {
    const tests = results.slice(next, next + perParameter[index]!.length)
    next += tests.length
    return {
      name: tensor.parameter.name,
      ok: tests.every(({ ok }) => ok),
      statistics: parameterStatistics(tensor, measurements[index]!),
      tests,
    }
  })
  const model = results.slice(next)
  const failures = [
    ...checks.flatMap(({ name, tests }) => tests.filter(({ ok }) => !ok).map((t) => ({ ...t, parameters: [name] }))),
    ...model
      .map((t, index) => ({ ...t, parameters: index === 0 ? [...copiedNames(repeats)] : starts[index - 1]!.names }))
      .filter(({ ok }) => !ok),
  ]
  return { ok: failures.length === 0, falseAlarmRate, testCount: results.length, parameters: checks, model, failures }
}

/** The tests of one parameter that its measurements are enough for. */
function parameterTests(tensor: MeasuredTensor, measured: readonly Measurement[]): TestOutcome[] {
  const { parameter, rounded, runs } = tensor
  const of = (padding: boolean): Measurement =>
    measured.filter((_, run) => runs[run]!.padding === padding).reduce(mergeMeasurements, noMeasurement)
  const tests: TestOutcome[] = []
  const measurement = of(false)
  const { distribution } = parameter
  if (rounded !== undefined) {
    const expectedZeros = distribution.kind === 'sparse' ? measurement.moments.zeroCount : 0
    tests.push(
      ...sampleTests({ distribution: rounded, measurement, bins: randomBins(tensor, measured), expectedZeros }),
    )
  } else tests.push(...distributionFreeTests(parameter, measurement))
  if (distribution.kind === 'sparse') tests.push(sparsityTest(parameter, distribution, measurement))
  if (runs.some(({ padding }) => padding)) {
    const { moments } = of(true)
    const zero = moments.nonFiniteCount === 0 && moments.zeroCount === moments.count
    tests.push({
      test: 'padding',
      pValue: zero ? 1 : 0,
      statistic: moments.count - moments.zeroCount + moments.nonFiniteCount,
      message: zero ? 'the padding row is 0' : 'the padding row is not 0',
    })
  }
  return tests
}

/** Zeros of a sparse matrix: exactly `zeros` in every column; in a part of it, by Hoeffding's bound (1963). */
function sparsityTest(
  { part, patches }: PlannedParameter,
  { rows, columns, zeros }: DistributionOf<'sparse'>,
  { moments }: Measurement,
): TestOutcome {
  const found = moments.zeroCount
  const whole = part === undefined && patches.length === 0
  const expected = whole ? columns * zeros : (moments.count * zeros) / rows
  const off = Math.abs(found - expected)
  const draws = moments.count - expected
  const pValue = !whole
    ? Math.min(1, 2 * Math.exp((-2 * off * off) / moments.count))
    : found < expected
      ? 0
      : found === expected
        ? 1
        : binomialTailBound(found - expected, draws, 2 ** -22)
  return {
    test: 'zeros',
    pValue,
    statistic: found,
    message: `${found} zeros, expected ${whole ? '' : 'about '}${expected}`,
  }
}

/** What holds without a density: constants, orthogonal matrices, samplers of the user's own. */
function distributionFreeTests(parameter: PlannedParameter, { moments }: Measurement): TestOutcome[] {
  const { distribution, dtype, expected } = parameter
  const { count, mean, min, max, nonFiniteCount } = moments
  const tests: TestOutcome[] = [
    {
      test: 'non-finite',
      pValue: nonFiniteCount > 0 ? 0 : 1,
      statistic: nonFiniteCount,
      message: `${nonFiniteCount} elements are NaN or infinite`,
    },
  ]
  if (count === 0) return tests
  if (distribution.kind === 'constant') {
    const value = isFloatDType(dtype) ? roundToDType(distribution.value, dtype) : Math.fround(distribution.value)
    const same = min === value && max === value
    tests.push({
      test: 'values',
      pValue: same ? 1 : 0,
      statistic: same ? 0 : 1,
      message: same ? `all are ${value}` : `values from ${min} to ${max}, expected ${value}`,
    })
  }
  if (distribution.kind === 'custom' || distribution.kind === 'orthogonal') {
    // A dtype's rounding may carry a value over the bound by half a step.
    const low = isFloatDType(dtype) ? roundToDType(expected.min, dtype) : expected.min
    const high = isFloatDType(dtype) ? roundToDType(expected.max, dtype) : expected.max
    const slack = distribution.kind === 'orthogonal' ? 1e-5 * high : 0
    const outside = min < low - slack || max > high + slack
    tests.push({
      test: 'bounds',
      pValue: outside ? 0 : 1,
      statistic: outside ? 1 : 0,
      message: `values from ${min} to ${max}, allowed ${low} to ${high}`,
    })
    const z =
      distribution.kind === 'orthogonal'
        ? (count * mean) / orthogonalSumStd(distribution)
        : ((mean - expected.mean) / expected.std) * Math.sqrt(count)
    if (parameter.part === undefined && Number.isFinite(z)) {
      tests.push({
        test: 'mean',
        // Of an orthogonal matrix sums are as concentrated as a normal of their variance; of a sampler Chebyshev is all there is.
        pValue: Math.min(1, distribution.kind === 'orthogonal' ? 2 * Math.exp((-z * z) / 2) : 1 / (z * z)),
        statistic: z,
        message: `mean ${mean}, expected ${expected.mean}: ${z.toFixed(2)} standard errors`,
      })
    }
  }
  return tests
}

/** Std of the sum of all elements: 1^T Q 1 is sqrt(rows columns) times an entry of a random unit vector. */
const orthogonalSumStd = ({ gain, batch, rows, columns }: DistributionOf<'orthogonal'>): number =>
  Math.abs(gain) * Math.sqrt(batch * Math.min(rows, columns))

/** Elements compared at a time. */
const CHUNK_ELEMENTS = 2 ** 20

/** What has to look at the elements themselves: distributions that leave nothing to chance, and orthogonality. */
export async function exactTests(store: WeightStore, parameter: PlannedParameter): Promise<TestOutcome[] | undefined> {
  const { distribution, dtype, elementCount, part } = parameter
  if (distribution.kind === 'orthogonal' && part === undefined) {
    const orthogonalityError = await store.orthogonalityError(parameter)
    const allowed = allowedError(parameter, dtype)
    return [
      {
        test: 'orthogonality',
        pValue: orthogonalityError <= allowed ? 1 : 0,
        statistic: orthogonalityError,
        message: `max |Q^T Q / gain^2 - I| is ${orthogonalityError.toExponential(1)}, allowed ${allowed.toExponential(1)}`,
      },
    ]
  }
  if (distribution.kind !== 'diagonal' && distribution.kind !== 'sinusoid') return undefined
  const width = byteWidth(dtype)
  const job = fillJob(parameter)
  const comparison = new Comparison(dtype)
  for (let first = 0; first < elementCount; first += CHUNK_ELEMENTS) {
    const count = Math.min(CHUNK_ELEMENTS, elementCount - first)
    const actual = await store.readRange(parameter, first * width, count * width)
    comparison.add(actual, fillBytes(job, first, count), first)
  }
  const wrong = comparison.result().mismatchCount
  return [
    {
      test: 'values',
      pValue: wrong === 0 ? 1 : 0,
      statistic: wrong,
      message: `${wrong} of ${elementCount} elements are not what the distribution says`,
    },
  ]
}
