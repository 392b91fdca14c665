import { show, WeightInitError } from '../../core/errors.js'
import { visible } from '../../core/visible.js'
import type { Model } from '../../ir/parameter.js'
import type { InitializationPlan, PlannedParameter } from '../../ir/plan.js'
import { resolveSignalOptions } from '../../signal/options.js'
import { signalSteps } from '../../signal/steps.js'
import type { SignalOptions, SignalReport, SignalTrend } from '../../signal/types.js'
import { formatTable, paint } from '../terminal.js'

/** How to measure a model's signal, or the reason why it is not measured. */
export type SignalRequest =
  | { readonly options: SignalOptions; readonly note: string }
  | { readonly options?: undefined; readonly note: string }

/** The note for files that only list parameters. */
export const noLayersNote: string =
  'Not measured: the file lists parameters, not what is computed with them. A model JSON with layers is measured, ' +
  'and so is any sequential by propagateSignal.'

export const measuredNote = 'A random batch forward and a random cotangent backward, with these weights.'

/**
 * Decides from the plan, before any device is used, whether the model's signal can be measured.
 * @throws WeightInitError for mistakes that the user can correct: shapes that do not fit, or an input shape that is not known
 */
export function planSignal(
  model: Model,
  options: SignalOptions,
  { parameters }: Pick<InitializationPlan, 'parameters'>,
): SignalRequest {
  if (model.layer === undefined) return { note: noLayersNote }
  const made = new Map<string, PlannedParameter>()
  for (const parameter of parameters) if (parameter.action === 'initialize') made.set(parameter.name, parameter)
  const missing = model.parameters.filter(({ name }) => !made.has(name))
  if (missing.length > 0) {
    return {
      note: `Not measured: ${missing.length} of the model's parameters are not made here, ${show(missing[0]!.name)} for one.`,
    }
  }
  try {
    signalSteps(model, (name) => made.get(name)!, resolveSignalOptions(options).inputShape)
  } catch (error) {
    if (!(error instanceof WeightInitError)) throw error
    if (error.code === 'INVALID_ARGUMENT') {
      const remedy = 'In model JSON, beside layers: "signal": { "inputShape": [3, 32, 32] }.'
      throw new WeightInitError(error.code, `${error.message} ${remedy}`, { cause: error })
    }
    if (error.code !== 'INVALID_MODEL') throw error
    return { note: `Not measured. ${error.message}` }
  }
  return { options, note: measuredNote }
}

export const signalPasses = (signal: SignalReport | undefined): boolean =>
  signal === undefined || signal.verdict === 'healthy'

const log = (value: number): string => value.toFixed(2).replace(/^-(?=0\.00$)/, '')

function trendLine(what: string, { verdict, from, to, log10Ratio, perStep }: SignalTrend): string {
  const line = `${what} are ${verdict}: mean square x 10^${log(log10Ratio)} from ${visible(from)} to ${visible(to)}, x ${perStep.toPrecision(3)} a step.`
  return verdict === 'healthy' ? line : paint(line, 'red')
}

/** The layers as a table, the two trends, and the advice. */
export function signalText(
  { layers, forward, backward, advice, batch, inputShape, seed }: SignalReport,
  quiet: boolean,
): string {
  const rows = layers.map(({ name, kind, shape, activations, gradients, deadUnitShare, verdict }) => [
    name,
    kind,
    shape.join(' x '),
    log(activations.log10MeanSquare),
    log(gradients.log10MeanSquare),
    `${(100 * deadUnitShare).toFixed(0)} %`,
    verdict ?? '',
  ])
  const header = ['layer', 'kind', 'output', 'log10 mean square', 'of gradients', 'dead units', 'verdict']
  const lines = [
    ...(quiet ? [] : [formatTable(header, rows, new Set([3, 4, 5])), '']),
    `Signal: ${batch} examples of ${inputShape.join(' x ')}, seed ${seed}.`,
    trendLine('Activations', forward),
    trendLine('Gradients', backward),
    // The advice begins with sentences about the trends, which are printed already.
    ...advice.filter((line) => !/^(Activations|Gradients) are /.test(line)).map(visible),
  ]
  return lines.join('\n')
}
