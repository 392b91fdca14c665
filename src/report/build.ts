import { describeDistribution } from '../distributions/registry.js'
import type { InitializationPlan, PlannedParameter } from '../ir/plan.js'
import type { SignalReport } from '../signal/types.js'
import type { ParameterStatistics } from '../statistics/report.js'
import type { BoundedComparison, ParameterVerification, VerificationReport } from '../weights/verification.js'
import { paritySentence } from './parity.js'
import type { ReportCheck, ReportData, ReportParameter } from './types.js'

/** A test of weights against their distribution, as `InitializedModel.check()` gives it. */
interface TestLike {
  readonly test: string
  readonly ok: boolean
  readonly adjustedPValue: number
  readonly statistic: number
  readonly message: string
}

/** What `InitializedModel.check()` gives, as far as a report shows it. */
export interface CheckLike {
  readonly falseAlarmRate: number
  readonly parameters: readonly { readonly name: string; readonly tests: readonly TestLike[] }[]
  readonly model: readonly TestLike[]
}

export interface ReportInputs {
  readonly title: string
  readonly madeBy: string
  readonly facts: ReportData['facts']
  readonly plan: InitializationPlan
  readonly statistics: ReadonlyMap<string, ParameterStatistics>
  readonly verification?: VerificationReport | undefined
  /** What the weights were compared with, as a check's name and in a sentence. Default: the CPU. */
  readonly comparison?: { readonly name: string; readonly other: string }
  readonly check?: CheckLike | undefined
  readonly signal?: SignalReport | undefined
  readonly signalNote: string
}

const cpuComparison = { name: 'parity with the CPU', other: 'the CPU' }

const brief = (value: number): string => (Number.isFinite(value) ? String(Number(value.toPrecision(4))) : String(value))
const whole = (count: number): string => count.toLocaleString('en')

/** A check that either holds or does not. */
const fact = (name: string, ok: boolean, value: string, limit: string): ReportCheck => ({
  name,
  ok,
  value,
  limit,
  severity: ok ? 0 : Number.MAX_VALUE,
})

function parityCheck(verified: ParameterVerification, name: string): ReportCheck[] {
  const { comparedCount, elementCount, mismatchCount, orthogonalityError, firstMismatch, withinBound } = verified
  const checks: ReportCheck[] = []
  if (withinBound === undefined || comparedCount > 0) {
    const first = firstMismatch === undefined ? '' : `, the first at ${whole(firstMismatch)}`
    const total = elementCount - (withinBound?.count ?? 0)
    const of = comparedCount === total ? `all ${whole(total)}` : `${whole(comparedCount)} compared, of ${whole(total)},`
    checks.push(fact(name, mismatchCount === 0, `${whole(mismatchCount)} of ${of} differ in any bit${first}`, '0'))
  }
  if (withinBound !== undefined) checks.push(boundedCheck(withinBound, name))
  if (orthogonalityError !== undefined) {
    const skewed = !verified.ok && mismatchCount === 0 && withinBound?.beyondCount === 0
    checks.push(fact('orthogonality', !skewed, `max |QᵀQ - I| = ${orthogonalityError.toExponential(1)}`, 'rounding'))
  }
  return checks
}

function boundedCheck(
  { count, beyondCount, bound, largestDifference, firstBeyond, secondRunCount }: BoundedComparison,
  name: string,
): ReportCheck {
  const first = firstBeyond === undefined ? '' : `, the first at ${whole(firstBeyond)}`
  const second = secondRunCount === 0 ? '' : `, ${whole(secondRunCount)} of them from a second run of the device`
  return fact(
    `${name}, within a bound`,
    beyondCount === 0,
    `${whole(beyondCount)} of ${whole(count)} elements of orthogonal matrices are further off${second}${first}; largest difference ${brief(largestDifference)}`,
    `≤ ${brief(bound)}`,
  )
}

/** How near a p-value came to the rate, on a logarithmic scale: 1 is at the rate. */
function testCheck({ test, ok, adjustedPValue, statistic, message }: TestLike, falseAlarmRate: number): ReportCheck {
  const near = Math.log(adjustedPValue) / Math.log(falseAlarmRate)
  return {
    name: test,
    ok,
    value: `${brief(statistic)}: ${message}`,
    limit: `adjusted p ${adjustedPValue < 1 ? adjustedPValue.toExponential(1) : '1'} > ${falseAlarmRate}`,
    severity: Number.isFinite(near) ? Math.max(0, near) : Number.MAX_VALUE,
  }
}

const signalChecks = ({ forward, backward, healthyFactor }: SignalReport): ReportCheck[] =>
  [['activations', forward] as const, ['gradients', backward] as const].map(
    ([what, { verdict, log10Ratio, from, to }]) =>
      fact(
        `signal: ${what}`,
        verdict === 'healthy',
        `${verdict}: mean square × 10^${log10Ratio.toFixed(2)} from ${from} to ${to}`,
        `× ${brief(1 / healthyFactor)} to ${brief(healthyFactor)}`,
      ),
  )

function parameterOf(
  planned: PlannedParameter,
  measured: ParameterStatistics,
  { verification, comparison = cpuComparison, check }: ReportInputs,
): ReportParameter {
  const { name, shape, dtype, elementCount, distribution, rule, expected } = planned
  const verified = verification?.parameters.find((p) => p.name === name)
  const tests = check?.parameters.find((p) => p.name === name)?.tests ?? []
  const { min, max, mean, std, skewness, kurtosis, lagCorrelation, rowCorrelation, zeroCount, nonFiniteCount } =
    measured
  const own: ReportCheck[] = [
    ...(verified === undefined ? [] : parityCheck(verified, comparison.name)),
    fact('finite elements', nonFiniteCount === 0, `${whole(nonFiniteCount)} are NaN or infinite`, '0'),
  ]
  const known = new Set(tests.map(({ test }) => test))
  return {
    name,
    shape,
    dtype,
    distribution: describeDistribution(distribution),
    because: rule.because,
    elementCount,
    expected,
    measured: { mean, std, min, max },
    more: [
      ['zeros', whole(zeroCount)],
      ...(
        [
          ['skewness', skewness],
          ['kurtosis', kurtosis],
          ['correlation with the next element', lagCorrelation],
          ['correlation with the next row', rowCorrelation],
        ] as const
      )
        .filter(([, value]) => Number.isFinite(value))
        .map(([key, value]) => [key, brief(value)] as const),
    ],
    checks: [
      // A statistical test of the same thing says it better.
      ...own.filter(({ name: title }) => !known.has(title === 'finite elements' ? 'non-finite' : title)),
      ...tests.map((test) => testCheck(test, check!.falseAlarmRate)),
    ],
    ...(measured.histogram === undefined ? {} : { histogram: measured.histogram }),
  }
}

/** What a report shows, from what was planned and measured. Pure. */
export function reportData(inputs: ReportInputs): ReportData {
  const { title, madeBy, facts, plan, statistics, verification, comparison = cpuComparison, check } = inputs
  const { signal, signalNote } = inputs
  const parameters = plan.parameters.filter(({ name }) => statistics.has(name))
  return {
    title,
    madeBy,
    facts,
    checks: [
      ...(verification === undefined
        ? []
        : [fact(comparison.name, verification.ok, paritySentence(verification, comparison.other), '0')]),
      ...(check?.model ?? []).map((test) => testCheck(test, check!.falseAlarmRate)),
      ...(signal === undefined ? [] : signalChecks(signal)),
    ],
    parameters: parameters.map((planned) => parameterOf(planned, statistics.get(planned.name)!, inputs)),
    ...(signal === undefined ? {} : { signal }),
    signalNote,
  }
}
