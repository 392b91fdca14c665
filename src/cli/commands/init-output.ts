import { show } from '../../core/errors.js'
import { describeDistribution } from '../../distributions/registry.js'
import type { InitializationPlan } from '../../ir/plan.js'
import type { FileJobReport } from '../../node/initialize-file.js'
import type { PlanFinding } from '../../plan/lint.js'
import { reportData } from '../../report/build.js'
import { parityCell, paritySentence } from '../../report/parity.js'
import type { ReportData } from '../../report/types.js'
import type { SignalReport } from '../../signal/types.js'
import type { CheckReport } from '../../weights/check.js'
import type { VerificationReport } from '../../weights/verification.js'
import { compact, formatTable, paint } from '../terminal.js'
import { signalText } from './signal.js'

/** Everything that the output of `init` is made from. */
export interface InitOutcome {
  /** The name of the model's file. */
  readonly title: string
  readonly label: string
  /** The initializer in words. */
  readonly rule: string
  readonly device: string
  readonly ownPlan: InitializationPlan
  readonly report: FileJobReport
  readonly signal: SignalReport | undefined
  /** Parameters whose kind was only guessed. */
  readonly guesses: readonly PlanFinding[]
  /** How the signal was measured, or why not; undefined if this was not requested. */
  readonly signalNote: string | undefined
}

/** The output as text. */
export function initText({ report, signal, signalNote, guesses }: InitOutcome, quiet: boolean): string {
  const { elementCount, byteLength } = report.plan.totals
  const seconds = report.initializeSeconds
  return [
    ...(quiet ? [] : [`\n${parameterTable(report)}\n`]),
    `Initialised in ${seconds.toFixed(2)} s: ${compact(elementCount / seconds)}elements/s, ${compact(byteLength / seconds)}B/s (first call, compiling included).`,
    ...(report.verification === undefined ? [] : [parityLine(report.verification, report.backend)]),
    ...(report.check === undefined ? [] : [checkLine(report.check)]),
    ...guesses.slice(0, 1).map(({ parameter, message }) => guessLine(parameter, message, guesses.length)),
    ...(signal !== undefined
      ? [`\n${signalText(signal, quiet)}`]
      : signalNote === undefined
        ? []
        : [`Signal: ${signalNote.charAt(0).toLowerCase()}${signalNote.slice(1)}`]),
  ].join('\n')
}

/** The output as JSON. */
export function initJson({ label, device, report, signal, signalNote, guesses }: InitOutcome): Record<string, unknown> {
  const { plan, backend, files, statistics, verification, check, initializeSeconds } = report
  return {
    model: label,
    seed: String(plan.seed),
    backend,
    device,
    files,
    findings: guesses,
    initializeSeconds,
    ...(verification === undefined ? {} : { parity: verification }),
    ...(check === undefined ? { statistics: Object.fromEntries(statistics) } : { check }),
    ...(signal === undefined ? {} : { signal }),
    ...(signalNote === undefined ? {} : { signalNote }),
  }
}

/** The output as a report page. Only for a run that tested the weights. */
export function initPage({ title, label, rule, device, ownPlan, report, signal, signalNote }: InitOutcome): ReportData {
  const { statistics, verification, check } = report
  const { parameterCount, elementCount, byteLength } = ownPlan.totals
  return reportData({
    title: title === label ? title : `${title}, ${label}`,
    madeBy: 'webgpu-init init',
    facts: [
      ['model', `${label}, ${parameterCount} parameters`],
      ['elements', `${elementCount.toLocaleString('en')}, ${compact(byteLength)}B`],
      ['initializer', rule],
      ['seed', String(ownPlan.seed)],
      ['generator', ownPlan.generator],
      ['device', device],
      ...(check === undefined
        ? []
        : ([['false-alarm rate', `${check.falseAlarmRate} over ${check.testCount} tests`]] as const)),
    ],
    plan: ownPlan,
    statistics,
    verification,
    comparison:
      report.backend === 'cpu'
        ? { name: 'made twice by the CPU', other: madeBesides('cpu') }
        : { name: 'parity with the CPU', other: madeBesides('webgpu') },
    check,
    signal,
    signalNote: signalNote ?? 'Not measured.',
  })
}

const guessLine = (parameter: string, message: string, count: number): string =>
  paint(
    `Guessed: ${show(parameter)}. ${message}${count > 1 ? ` And ${count - 1} more; plan lists them.` : ''} --strict refuses guesses.`,
    'yellow',
  )

function checkLine({ ok, testCount, falseAlarmRate, failures }: CheckReport): string {
  if (ok)
    return `Statistics: all ${testCount.toLocaleString('en')} tests pass at a false-alarm rate of ${falseAlarmRate} in all.`
  const [first] = failures
  const where = first === undefined ? '' : ` ${first.parameters.slice(0, 3).map(show).join(', ')}: ${first.message}`
  return paint(
    `Statistics FAILED: ${failures.length} of ${testCount} tests;${where}. Only the report was written.`,
    'red',
  )
}

function parityLine(verification: VerificationReport, backend: 'webgpu' | 'cpu'): string {
  const text = paritySentence(verification, madeBesides(backend))
  if (!verification.ok) return paint(`Parity FAILED: ${text}; nothing was written.`, 'red')
  return backend === 'cpu' ? `The CPU, twice: ${text}; no GPU was compared.` : `Parity: ${text}.`
}

/** What the weights are compared with. */
const madeBesides = (backend: 'webgpu' | 'cpu'): string => (backend === 'cpu' ? "the CPU's second run" : 'the CPU')

function parameterTable({ plan, backend, statistics, verification }: FileJobReport): string {
  const parity = new Map(verification?.parameters.map((p) => [p.name, p]))
  const rows = plan.parameters
    .filter(({ name }) => statistics.has(name))
    .map((p) => [
      p.name,
      p.shape.join(' x ') || 'scalar',
      describeDistribution(p.distribution),
      p.expected.std.toPrecision(5),
      statistics.get(p.name)!.std.toPrecision(5),
      parityCell(parity.get(p.name)),
    ])
  const compared = backend === 'cpu' ? 'CPU, twice' : 'GPU = CPU'
  return formatTable(['parameter', 'shape', 'rule', 'expected std', 'measured std', compared], rows, new Set([3, 4]))
}
