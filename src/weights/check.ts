import { checkSignal, refuseUnknownKeys, show, WeightInitError } from '../core/errors.js'
import type { PlannedParameter } from '../ir/plan.js'
import { measuredTensorsOf, type TensorMeasurement } from '../statistics/measured-tensor.js'
import { type Measurement, mergeMeasurements, noMeasurement } from '../statistics/measurement.js'
import { copiedNames, copiesTest, holmAdjusted, sameStartTests } from '../statistics/model-tests.js'
import type { Repeats } from '../statistics/repeats.js'
import { type ParameterStatistics, parameterStatistics, randomBins } from '../statistics/report.js'
import { sampleTests, type TestName, type TestOutcome } from '../statistics/tests.js'
import type { WeightStore } from '../store/weight-store.js'
import { exactTests, finiteTest, measuredTests, verdict } from './distribution-tests.js'

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
  checkSignal(signal, 'check')
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
  const measured: CheckedMeasurement[] = []
  for (const [index, tensor] of tensors.entries()) {
    signal?.throwIfAborted()
    const exact = await exactTests(store, tensor.parameter, signal)
    measured.push({ tensor, measurements: measurements[index]!, exact })
  }
  return checkMeasured(measured, repeats, falseAlarmRate)
}

/** What was measured of one tensor, and what was found by looking at its elements one by one. */
export interface CheckedMeasurement extends TensorMeasurement {
  readonly exact: readonly TestOutcome[]
}

/** The report on measurements, however they were made. */
export function checkMeasured(
  measured: readonly CheckedMeasurement[],
  repeats: Repeats,
  falseAlarmRate: number,
): CheckReport {
  const tensors = measured.map((one) => ({ ...one, outcomes: [...parameterTests(one), ...one.exact] }))
  const starts = sameStartTests(measured)
  const copies = copiesTest(
    measured.map(({ tensor }) => tensor),
    repeats,
  )
  const outcomes = [...tensors.flatMap((one) => one.outcomes), copies, ...starts.map(({ outcome }) => outcome)]
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
  const checks = tensors.map(({ tensor, measurements, outcomes: own }): ParameterCheck => {
    const tests = results.slice(next, next + own.length)
    next += own.length
    return {
      name: tensor.parameter.name,
      ok: tests.every(({ ok }) => ok),
      statistics: parameterStatistics(tensor, measurements),
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
function parameterTests({ tensor, measurements }: TensorMeasurement): TestOutcome[] {
  const { rounded, runs } = tensor
  const of = (padding: boolean): Measurement =>
    measurements.filter((_, run) => runs[run]!.padding === padding).reduce(mergeMeasurements, noMeasurement)
  const measurement = of(false)
  const tests: TestOutcome[] =
    rounded === undefined
      ? [finiteTest(measurement)]
      : sampleTests({
          distribution: rounded,
          measurement,
          bins: randomBins(tensor, measurements),
          expectedZeros: rounded.continuous.zeroInflated ? measurement.moments.zeroCount : 0,
        })
  tests.push(...measuredTests(tensor, measurement))
  if (runs.some(({ padding }) => padding)) {
    const { moments } = of(true)
    const zero = moments.nonFiniteCount === 0 && moments.zeroCount === moments.count
    const others = moments.count - moments.zeroCount + moments.nonFiniteCount
    tests.push(verdict('padding', zero, others, `the padding row is ${zero ? '' : 'not '}0`))
  }
  return tests
}
