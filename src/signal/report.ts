import { activationDegree, centredGainOf, isActivation } from './activations.js'
import type { TensorSums } from './kernels.js'
import { log2MeanSquare, type StepRecord } from './run.js'
import type { Step } from './steps.js'
import type { SignalGain, SignalLayer, SignalMoments, SignalReport, SignalTrend, SignalVerdict } from './types.js'

const LOG10_2 = Math.log10(2)

function momentsOf({ exponent, sums }: { exponent: number; sums: TensorSums }): SignalMoments {
  const { mean, meanSquare, nonFiniteCount, finiteCount } = sums
  const variance = Math.max(0, meanSquare - mean * mean)
  const log10 = (value: number): number => Math.log10(value) + 2 * exponent * LOG10_2
  return {
    mean: finiteCount === 0 ? Number.NaN : mean * 2 ** exponent,
    variance: 10 ** log10(variance),
    meanSquare: 10 ** log10(meanSquare),
    log10Variance: log10(variance),
    log10MeanSquare: log10(meanSquare),
    nonFiniteCount,
  }
}

/** A point of a trend: log10 of the mean square, and whether every element there is finite. */
interface Point {
  readonly name: string
  readonly log10: number
  readonly finite: boolean
}

const isWeighted = ({ op }: Step): boolean => op === 'linear' || op === 'conv'
const isMeasured = ({ step, outer }: StepRecord): boolean => outer && (isWeighted(step) || step.op === 'residual')

/** log10 of the ratio of the mean squares of two points; NaN if one of them has elements that are not finite. */
function ratioBetween(from: Point, to: Point): number {
  if (!from.finite || !to.finite) return Number.NaN
  return to.log10 === from.log10 ? 0 : to.log10 - from.log10
}

/** The verdict for a ratio. A signal that is 0 at `to` is vanishing, whatever it was before. */
function verdictOf(log10Ratio: number, to: Point, healthyFactor: number): SignalVerdict {
  if (Number.isNaN(log10Ratio)) return 'exploding'
  const limit = Math.log10(healthyFactor)
  if (to.log10 === Number.NEGATIVE_INFINITY || log10Ratio < -limit) return 'vanishing'
  return log10Ratio > limit ? 'exploding' : 'healthy'
}

function trendOf(points: readonly Point[], healthyFactor: number): SignalTrend {
  const from = points[0]!
  const to = points.at(-1)!
  const steps = Math.max(1, points.length - 1)
  const log10Ratio = points.every((point) => point.finite) ? ratioBetween(from, to) : Number.NaN
  return {
    from: from.name,
    to: to.name,
    ratio: 10 ** log10Ratio,
    log10Ratio,
    perStep: 10 ** (log10Ratio / steps),
    steps,
    verdict: verdictOf(log10Ratio, to, healthyFactor),
  }
}

/** Groups the weight layers by the activation before them. Pass steps are ignored; after a normalisation a new chain begins. */
function gainsOf(records: readonly StepRecord[]): SignalGain[] {
  const groups = new Map<string, { centred: () => number; forward: number[]; backward: number[] }>()
  let before: Step | undefined
  let weighted: StepRecord | undefined
  for (const record of records) {
    const { step, activations, inputLog2 } = record
    if (isWeighted(step)) {
      const own = before?.op === 'activation' ? before.activation : undefined
      const name =
        own === undefined ? 'linear' : own.kind === 'leakyRelu' ? `leakyRelu(${own.negativeSlope})` : own.kind
      const known = groups.get(name)
      const group = known ?? { centred: () => (own === undefined ? 1 : centredGainOf(own)), forward: [], backward: [] }
      groups.set(name, group)
      group.forward.push((log2MeanSquare(activations) - inputLog2) / 2)
      if (weighted !== undefined) {
        group.backward.push((log2MeanSquare(weighted.gradients!) - log2MeanSquare(record.gradients!)) / 2)
      }
      weighted = record
    } else if (step.op !== 'activation' && step.op !== 'pass') weighted = undefined
    if (step.op !== 'pass') before = step
  }
  return [...groups].map(([activation, { centred, forward, backward }]) => {
    const gain = geometricMean(forward)
    const centredGain = centred()
    const layerCount = forward.length
    return {
      activation,
      layerCount,
      gain,
      centredGain,
      factor: centredGain / gain,
      gradientFactor: 1 / geometricMean(backward),
    }
  })
}

/** The geometric mean of powers of two, without zeros and infinities; NaN if none is left. */
function geometricMean(logs: readonly number[]): number {
  const finite = logs.filter(Number.isFinite)
  return 2 ** (finite.reduce((sum, log) => sum + log, 0) / finite.length)
}

/** Of a gain's name: an activation, with its slope in parentheses, or 'linear'. */
function isPiecewiseLinear(name: string): boolean {
  const kind = name.replace(/\(.*/, '')
  return kind === 'linear' || (isActivation(kind) && activationDegree({ kind }) === 1)
}

const three = (value: number): string => String(Number(value.toPrecision(3)))
/** Gains that differ by less than 5 % from the one that keeps the signal need no advice. */
const matters = (factor: number): boolean => Number.isFinite(factor) && Math.abs(Math.log(factor)) > 0.05

function gainAdvice(gains: readonly SignalGain[], forwardHealthy: boolean): string[] {
  return gains.flatMap(({ activation, layerCount, gain, centredGain, factor, gradientFactor }) => {
    // Where nothing comes before, a piecewise linear network does not mind.
    if (activation === 'linear' && layerCount === 1 && gains.every((other) => isPiecewiseLinear(other.activation))) {
      return []
    }
    const which = `The ${layerCount} weight layer${layerCount === 1 ? '' : 's'} ${activation === 'linear' ? 'that no activation feeds' : `after ${activation}`}`
    if (matters(factor)) {
      return [
        `${which}: gain ${three(gain)}, but ${three(centredGain)} keeps the activations. Multiply their std by ${three(factor)}, ` +
          `for instance with 'kaiming' and gain: ${Number(centredGain.toPrecision(5))}.`,
      ]
    }
    return !forwardHealthy || !matters(gradientFactor)
      ? []
      : [
          `${which}: gain ${three(gain)}. For gradients to keep their size, multiply their std by ${three(gradientFactor)}, then measure again.`,
        ]
  })
}

/** A larger share of dead units than relu causes even in a network that no longer distinguishes its examples. */
const MOSTLY_DEAD = 0.75

function adviceOf(
  forward: SignalTrend,
  backward: SignalTrend,
  gains: readonly SignalGain[],
  layers: readonly SignalLayer[],
): string[] {
  const advice: string[] = []
  for (const [what, trend] of [
    ['Activations', forward],
    ['Gradients', backward],
  ] as const) {
    const { verdict, log10Ratio, from, to, perStep } = trend
    if (verdict === 'healthy' || Number.isNaN(log10Ratio)) continue
    const by = Number.isFinite(log10Ratio) ? `by 10^${log10Ratio.toFixed(1)}` : 'to 0 or beyond the range of numbers'
    advice.push(
      `${what} are ${verdict}: their mean square changes ${by} from ${from} to ${to}, ${three(perStep)} times a step.`,
    )
  }
  if (advice.length > 0) {
    const mend = gainAdvice(gains, forward.verdict === 'healthy')
    advice.push(
      ...(mend.length > 0
        ? mend
        : [
            'The gains are centred, so it is the depth or the widths: add residual connections or normalisation, use orthogonal ' +
              "weights, or mode: 'fan_out' where gradients matter more than activations.",
          ]),
    )
  }
  const broken =
    layers.find(({ activations }) => activations.nonFiniteCount > 0) ??
    layers.findLast(({ gradients }) => gradients.nonFiniteCount > 0)
  if (broken !== undefined) {
    const what = broken.activations.nonFiniteCount > 0 ? 'outputs' : 'gradients'
    advice.push(`From layer ${broken.name} (${broken.kind}) on ${what} are NaN or infinite: check its weights.`)
  }
  const dead = layers.filter(({ deadUnitShare }) => deadUnitShare > MOSTLY_DEAD)
  if (dead.length > 0) {
    const worst = dead.reduce((a, b) => (b.deadUnitShare > a.deadUnitShare ? b : a))
    advice.push(
      `In ${dead.length} layer${dead.length === 1 ? '' : 's'} more than ${100 * MOSTLY_DEAD} % of the units are dead for this batch, most of all in ` +
        `${worst.name} (${worst.kind}): ${(100 * worst.deadUnitShare).toFixed(0)} %.`,
    )
  }
  return advice
}

/** The report of the measured records. A pure function. */
export function signalReport(
  records: readonly StepRecord[],
  input: { readonly exponent: number; readonly sums: TensorSums },
  head: Pick<SignalReport, 'backend' | 'batch' | 'seed' | 'inputShape' | 'healthyFactor'>,
): SignalReport {
  const plain = records.map((record): SignalLayer => {
    const { step, activations, gradients } = record
    return {
      name: step.name,
      kind: step.kind,
      shape: step.shape,
      measured: isMeasured(record),
      activations: momentsOf(activations),
      gradients: momentsOf(gradients!),
      deadUnitShare: activations.sums.deadUnitCount / step.unitCount,
    }
  })
  const measured = plain.filter((layer) => layer.measured)
  const point = (name: string, { log10MeanSquare, nonFiniteCount }: SignalMoments): Point => ({
    name,
    log10: log10MeanSquare,
    finite: nonFiniteCount === 0,
  })
  // If fewer than two layers were measured, the trend goes from the input to the output.
  const ends = plain.at(-1)!
  const onTheWay = (pick: (layer: SignalLayer) => SignalMoments): Point[] =>
    measured.length >= 2
      ? measured.map((layer) => point(layer.name, pick(layer)))
      : [point('input', pick === activationsOf ? momentsOf(input) : pick(plain[0]!)), point(ends.name, pick(ends))]
  const { healthyFactor } = head
  const [forwardPoints, backwardPoints] = [onTheWay(activationsOf), onTheWay(gradientsOf).reverse()]
  const forward = trendOf(forwardPoints, healthyFactor)
  const backward = trendOf(backwardPoints, healthyFactor)
  const layers = plain.map((layer): SignalLayer => {
    if (!layer.measured) return layer
    const [onward, back] = [
      [forwardPoints[0]!, point(layer.name, layer.activations)] as const,
      [backwardPoints[0]!, point(layer.name, layer.gradients)] as const,
    ].map(([from, to]) => verdictOf(ratioBetween(from, to), to, healthyFactor))
    return { ...layer, verdict: onward === 'healthy' ? back! : onward! }
  })
  const gains = gainsOf(records)
  const verdict = forward.verdict === 'healthy' ? backward.verdict : forward.verdict
  const advice = adviceOf(forward, backward, gains, layers)
  return { ...head, verdict, forward, backward, layers, gains, advice }
}

const activationsOf = (layer: SignalLayer): SignalMoments => layer.activations
const gradientsOf = (layer: SignalLayer): SignalMoments => layer.gradients
