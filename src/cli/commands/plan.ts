import { visible } from '../../core/visible.js'
import { describeDistribution } from '../../distributions/registry.js'
import type { InitializationPlan, PlannedParameter } from '../../ir/plan.js'
import { UNMATCHED } from '../../plan/choose-initializer.js'
import { type PlanFinding, planEveryParameter } from '../../plan/lint.js'
import type { Arguments } from '../arguments.js'
import type { Command } from '../command.js'
import { jsonFlag } from '../flags.js'
import { findingsOf, type ModelRequest, modelFlags, modelKinds, readModel, readModelFlags } from '../model.js'
import { compact, formatTable, paint } from '../terminal.js'

export const planCommand: Command = {
  name: 'plan',
  synopsis: 'plan <model> [options]',
  summary: 'say what init would do, and what looks wrong; no GPU',
  description:
    `Prints one row per parameter: its rule and why that matched, fans, distribution, standard deviation and bytes; then totals, and ` +
    `what looks wrong. No GPU is touched and no value is made. The model is ${modelKinds}. ` +
    `Exits 1 when a parameter is left that nothing initialises, and with --strict when one was only guessed.`,
  flags: { ...modelFlags, json: jsonFlag },
  examples: [
    'webgpu-init plan config.json',
    'webgpu-init plan model.safetensors --init kaiming --mode fan_out',
    "webgpu-init plan config.json --json | jq '.findings'",
  ],
  run: runPlan,
}

async function runPlan(args: Arguments, signal: AbortSignal): Promise<number> {
  const path = args.operand('plan', 'the path of a model, such as a config.json')
  const request = await readModel(path, readModelFlags(args), signal)
  const { label, model, initializer, config, options, tied } = request
  const plan = planEveryParameter(model, initializer, config, options)
  const findings = findingsOf(request, plan, args)
  if (args.has('json')) {
    process.stdout.write(
      `${JSON.stringify({ model: label, ...plan.toJSON(), tied, omitted: request.omitted, findings }, null, 1)}\n`,
    )
  } else {
    process.stdout.write(report(request, plan, findings))
  }
  return findings.some(({ severity }) => severity === 'error') ? 1 : 0
}

function report(
  { label, tied, fixed, omitted, rounded }: ModelRequest,
  plan: InitializationPlan,
  findings: readonly PlanFinding[],
): string {
  const { parameterCount, elementCount, byteLength } = plan.totals
  const skipped = plan.parameters.filter(({ action }) => action === 'skip').length
  const shared = [
    ...plan.parameters.flatMap(({ name, tiedTo }) => (tiedTo === undefined ? [] : [`${name} = ${tiedTo}`])),
    ...Object.entries(tied).map(([name, owner]) => `${name} = ${owner}`),
  ]
  return [
    planTable(plan, findings),
    '',
    `${visible(label)}: ${parameterCount} parameters, ${elementCount.toLocaleString('en')} elements, ` +
      `${byteLength.toLocaleString('en')} bytes (${compact(byteLength)}B); seed ${plan.seed}`,
    ...(skipped > 0 ? [`${skipped} parameters are left out.`] : []),
    ...(fixed.length > 0 ? [`No weights, left out: ${list(fixed)}`] : []),
    ...omitted.map(({ name, reason }) => `Not in the plan: ${visible(`${name}: ${reason}`)}`),
    ...roundedLines(rounded),
    ...(shared.length > 0 ? [`Shared memory: ${list(shared)}`] : []),
    '',
    ...findingLines(findings),
    '',
  ].join('\n')
}

/** What is PyTorch's within rounding, by reason. */
export function roundedLines(rounded: ModelRequest['rounded'] = []): string[] {
  const reasons = new Map<string, string[]>()
  for (const { name, reason } of rounded) reasons.set(reason, [...(reasons.get(reason) ?? []), name])
  return [...reasons].map(([reason, names]) => `Within rounding of PyTorch's: ${list(names)}: ${reason}`)
}

const list = (names: readonly string[]): string =>
  visible(names.length > 8 ? `${names.slice(0, 8).join(', ')}, ... (${names.length})` : names.join(', '))

function planTable(plan: InitializationPlan, findings: readonly PlanFinding[]): string {
  const flags = new Map<string, string[]>()
  for (const { parameter, code } of findings) flags.set(parameter, [...(flags.get(parameter) ?? []), code])
  const rows = plan.parameters.map((p) => [
    p.name,
    p.shape.join(' x ') || 'scalar',
    p.dtype,
    p.action === 'initialize' ? p.rule.initializer : p.action,
    p.rule.because.startsWith(UNMATCHED) ? UNMATCHED : p.rule.because,
    p.fans === undefined ? '' : `${p.fans.fanIn} / ${p.fans.fanOut}`,
    p.action === 'initialize' ? describeDistribution(p.distribution) : '',
    p.action === 'initialize' ? spread(p) : '',
    p.action === 'initialize' ? p.byteLength.toLocaleString('en') : '',
    (flags.get(p.name) ?? []).join(', '),
  ])
  const header = [
    'parameter',
    'shape',
    'dtype',
    'rule',
    'because',
    'fan in / out',
    'distribution',
    'std',
    'bytes',
    'flags',
  ]
  return formatTable(header, rows, new Set([7, 8]))
}

const spread = ({ expected }: PlannedParameter): string => expected.std.toPrecision(4)

const colours = { error: 'red', warning: 'yellow', note: 'dim' } as const

/** Groups findings of one kind: the first with its message, then the number of the others. */
function findingLines(findings: readonly PlanFinding[]): string[] {
  if (findings.length === 0) return ['Nothing looks wrong.']
  const groups = new Map<string, PlanFinding[]>()
  for (const finding of findings) {
    const key = `${finding.severity} ${finding.code}`
    groups.set(key, [...(groups.get(key) ?? []), finding])
  }
  const order = Object.keys(colours)
  return [...groups.values()]
    .sort(([a], [b]) => order.indexOf(a!.severity) - order.indexOf(b!.severity))
    .map(([first, ...more]) => {
      const { severity, code, parameter, message } = first!
      const others = more.length === 0 ? '' : ` And ${more.length} more.`
      return `${paint(severity, colours[severity])} ${code}: ${visible(`${parameter}: ${message}`)}${others}`
    })
}
