import { activationDegree, slopesAt } from './activations.js'
import type { ActivationCall, GroupCall, SignalKernels, TensorSums } from './kernels.js'
import {
  type ActivationStep,
  type ConvStep,
  type GroupStep,
  type LinearStep,
  NORM_EPSILON,
  type ResidualStep,
  type Step,
} from './steps.js'

/**
 * A tensor in units of 2^exponent, with its measured sums. A deep network can shrink or grow a signal beyond the range of
 * any float, so the exponent is stored separately, and when the rms of a tensor leaves [2^-8, 2^8], the next layer scales
 * it back. The scale is a power of two, so no digit changes.
 */
export interface Signal<T> {
  readonly tensor: T
  readonly exponent: number
  readonly sums: TensorSums
  /** The number of steps that still need the tensor. */
  uses: number
}

/** What was measured at a layer. The tensors themselves were released. */
export interface StepRecord {
  readonly step: Step
  readonly activations: { readonly exponent: number; readonly sums: TensorSums }
  gradients: { readonly exponent: number; readonly sums: TensorSums } | undefined
  /** log2 of the input's mean square; -Infinity for zeros. */
  readonly inputLog2: number
  /** Whether the layer is outside of residual blocks. */
  readonly outer: boolean
}

/** What the backward pass needs of a layer. */
interface Tape<T> {
  readonly record: StepRecord
  readonly input: Signal<T> | undefined
  readonly body?: readonly Tape<T>[]
  readonly shortcut?: readonly Tape<T>[]
}

const FOLD_BEYOND = 8
/** If log2 of the rms is below this, the epsilon of a normalisation determines its sigma. */
const FAINT = -30

/** log2 of the rms in the tensor's units; -Infinity for zeros. */
const rmsLog2 = ({ meanSquare }: TensorSums): number => Math.log2(meanSquare) / 2
const exponentOf = (value: number): number => (value > 0 && value < Infinity ? Math.ceil(Math.log2(value)) : -Infinity)
/** 2^n as float32; 0 if n is below float32's range. */
const power = (n: number): number => Math.fround(2 ** Math.min(127, n))

/** An exponent that squares doubled too often stays a whole number. */
const bounded = (exponent: number): number => Math.max(-(2 ** 50), Math.min(2 ** 50, exponent))

/** log2 of the mean square of a signal in units of 1. */
export const log2MeanSquare = ({ exponent, sums }: { exponent: number; sums: TensorSums }): number =>
  Math.log2(sums.meanSquare) + 2 * exponent

function fold<T>({ sums }: Signal<T>): number {
  const log2 = rmsLog2(sums)
  return Number.isFinite(log2) && Math.abs(log2) > FOLD_BEYOND ? Math.round(log2) : 0
}

/** Runs the steps forward and backward with the arithmetic of any backend, and tracks the exponents. */
export class SignalRun<T> {
  readonly records: StepRecord[] = []
  readonly #kernels: SignalKernels<T>
  readonly #batch: number
  readonly #check: () => void

  /** @param check is called before every layer, and throws when the call was cancelled */
  constructor(kernels: SignalKernels<T>, batch: number, check: () => void) {
    this.#kernels = kernels
    this.#batch = batch
    this.#check = check
  }

  /** Fills `records`, starting from the input's tensor. Returns the gradient at the input, which the caller has to release. */
  async run(
    steps: readonly Step[],
    input: T,
    cotangent: T,
  ): Promise<{ input: Signal<T>; output: Signal<T>; gradient: Signal<T> }> {
    const first = steps[0]!
    const last = steps.at(-1)!
    const x = await this.#measured(input, 0, first.inputCount, first)
    x.uses++
    const { output, tapes } = await this.#forward(steps, x, true)
    const gradient = await this.#backward(tapes, await this.#measured(cotangent, 0, last.count, last))
    return { input: x, output, gradient }
  }

  async #measured(
    tensor: T,
    exponent: number,
    count: number,
    units: { unitCount: number; unitStride: number },
  ): Promise<Signal<T>> {
    const sums = await this.#kernels.measure(tensor, count * this.#batch, units, undefined)
    return { tensor, exponent, sums, uses: 1 }
  }

  #release(signal: Signal<T>): void {
    if (--signal.uses === 0) this.#kernels.release(signal.tensor)
  }

  /** Consumes one use of `x`. */
  async #forward(
    steps: readonly Step[],
    x: Signal<T>,
    outer: boolean,
  ): Promise<{ output: Signal<T>; tapes: Tape<T>[] }> {
    const tapes: Tape<T>[] = []
    let current = x
    for (const step of steps) {
      this.#check()
      const inputLog2 = log2MeanSquare(current)
      const made = await this.#step(step, current)
      const { exponent, sums } = made.output
      const record: StepRecord = { step, activations: { exponent, sums }, gradients: undefined, inputLog2, outer }
      this.records.push(record)
      tapes.push({ ...made.tape, record })
      if (made.output !== current) this.#release(current)
      current = made.output
    }
    return { output: current, tapes }
  }

  async #step(step: Step, x: Signal<T>): Promise<{ output: Signal<T>; tape: Omit<Tape<T>, 'record'> }> {
    const retain = (): Signal<T> => {
      x.uses++
      return x
    }
    const plain = (output: Signal<T>, input?: Signal<T>) => ({ output, tape: { input } })
    switch (step.op) {
      case 'linear':
      case 'conv':
        return plain(await this.#weighted(step, x))
      case 'activation':
        return plain(await this.#activate(step, x), retain())
      case 'normalize':
      case 'softmax':
        return plain(await this.#group(step, x), retain())
      case 'pass':
        return plain(x)
      case 'residual': {
        x.uses += 2
        const body = await this.#forward(step.body, x, false)
        const shortcut = await this.#forward(step.shortcut, x, false)
        const output = await this.#sum(step, shortcut.output, body.output)
        this.#release(body.output)
        this.#release(shortcut.output)
        const tape = { input: undefined, body: body.tapes, shortcut: shortcut.tapes }
        return { output, tape }
      }
    }
  }

  async #finish(tensor: T, exponent: number, step: Step, slopeOf?: { call: ActivationCall; x: T }): Promise<Signal<T>> {
    const { unitCount, unitStride } = step
    const units = slopeOf === undefined ? { unitCount, unitStride } : { unitCount, unitStride, slopeOf: slopeOf.call }
    const sums = await this.#kernels.measure(tensor, step.count * this.#batch, units, slopeOf?.x)
    return { tensor, exponent, sums, uses: 1 }
  }

  async #weighted(step: LinearStep | ConvStep, x: Signal<T>): Promise<Signal<T>> {
    const kernels = this.#kernels
    const bias = step.bias === undefined ? undefined : await kernels.vector(step.bias.name)
    const unit = Math.max(x.exponent + fold(x), exponentOf(largest(bias)))
    const scale = power(x.exponent - unit)
    const y =
      step.op === 'linear' ? await kernels.linear(x.tensor, step, scale) : await kernels.conv(x.tensor, step, scale)
    return this.#finish(await this.#affine(y, step, undefined, bias, 0, unit), unit, step)
  }

  /** Consumes `y`, which is in units of 2^from. Returns y * scale + shift in units of 2^to. */
  async #affine(
    y: T,
    step: Step,
    scale: Float64Array | undefined,
    shift: Float64Array | undefined,
    from: number,
    to: number,
  ): Promise<T> {
    const ratio = scale === undefined ? undefined : scale.map((value) => value * 2 ** (from - to))
    const offset = largest(shift) === 0 ? undefined : shift?.map((value) => value * 2 ** -to)
    if (ratio === undefined && offset === undefined) return y
    const { op, count } = step
    // The parameters of a layerNorm repeat for every example.
    const units = op === 'normalize' && !step.acrossBatch ? { unitCount: step.length, unitStride: 1 } : step
    const z = await this.#kernels.affine(y, count * this.#batch, units, ratio, offset)
    this.#kernels.release(y)
    return z
  }

  /** The call, and the exponents of what comes out and of the slopes. */
  #activationCall(
    { activation }: ActivationStep,
    x: Signal<T>,
  ): { call: ActivationCall; exponent: number; slopeExponent: number } {
    const k = fold(x)
    const unit = x.exponent + k
    if (activationDegree(activation) === 2) {
      // f(2^unit v) = 2^(2 unit) f(v), f'(2^unit v) = 2^unit f'(v).
      const call = { activation, foldScale: power(-k), unitScale: 1, slopes: undefined }
      return { call, exponent: bounded(2 * unit), slopeExponent: unit }
    }
    const slopes = slopesAt(activation, rmsLog2(x.sums) + x.exponent)
    const foldScale = power(-k)
    const call = { activation, foldScale, unitScale: power(Math.min(60, unit)), slopes }
    return { call, exponent: slopes === undefined ? 0 : unit, slopeExponent: 0 }
  }

  async #activate(step: ActivationStep, x: Signal<T>): Promise<Signal<T>> {
    const { call, exponent } = this.#activationCall(step, x)
    const y = await this.#kernels.activate(x.tensor, step.count * this.#batch, call)
    return this.#finish(y, exponent, step, { call, x: x.tensor })
  }

  /** The parameters of the call, and the exponents of the output and of 1 / sigma. */
  #groupCall(step: GroupStep, x: Signal<T>): { call: GroupCall; exponent: number; slopeExponent: number } {
    const k = fold(x)
    const unit = x.exponent + k
    const { count, unitCount, unitStride, acrossBatch, length, op } = step
    const batch = this.#batch
    const groups = acrossBatch
      ? {
          groupCount: unitCount,
          length: batch * unitStride,
          inner: unitStride,
          outerStride: count,
          groupStride: unitStride,
        }
      : { groupCount: (batch * count) / length, length, inner: length, outerStride: 0, groupStride: length }
    const foldScale = power(-k)
    if (op === 'softmax') {
      const call = { ...groups, foldScale, varianceScale: 0, epsilon: 0, unitScale: power(Math.min(60, unit)) }
      return { call, exponent: 0, slopeExponent: 0 }
    }
    const faint = unit < FAINT
    const varianceScale = faint ? power(2 * unit) : 1
    const epsilon = faint ? NORM_EPSILON : Math.max(NORM_EPSILON * 2 ** (-2 * unit), 2 ** -100)
    const call = { ...groups, foldScale, varianceScale, epsilon, unitScale: faint ? power(unit) : 1 }
    return { call, exponent: faint ? unit : 0, slopeExponent: faint ? 0 : -unit }
  }

  async #group(step: GroupStep, x: Signal<T>): Promise<Signal<T>> {
    const { call, exponent } = this.#groupCall(step, x)
    const kernels = this.#kernels
    const count = step.count * this.#batch
    if (step.op === 'softmax') return this.#finish(await kernels.softmax(x.tensor, count, call), exponent, step)
    const scale = step.scale === undefined ? undefined : await kernels.vector(step.scale.name)
    const shift = step.shift === undefined ? undefined : await kernels.vector(step.shift.name)
    const unit = Math.max(exponent, exponentOf(largest(shift)))
    const ones =
      scale ??
      (unit === exponent ? undefined : new Float64Array(step.acrossBatch ? step.unitCount : step.length).fill(1))
    const n = await kernels.normalize(x.tensor, count, call)
    return this.#finish(await this.#affine(n, step, ones, shift, exponent, unit), unit, step)
  }

  async #sum(step: ResidualStep, a: Signal<T>, b: Signal<T>): Promise<Signal<T>> {
    const { tensor, exponent } = await this.#added(a, b, step.count)
    return this.#finish(tensor, exponent, step)
  }

  async #added(a: Signal<T>, b: Signal<T>, count: number): Promise<{ tensor: T; exponent: number }> {
    const unitOf = (x: Signal<T>): number => (x.sums.meanSquare > 0 ? x.exponent + fold(x) : -Infinity)
    const highest = Math.max(unitOf(a), unitOf(b))
    const exponent = Number.isFinite(highest) ? highest : 0
    const scale = (x: Signal<T>): number => power(x.exponent - exponent)
    const tensor = await this.#kernels.add(a.tensor, scale(a), b.tensor, scale(b), count * this.#batch)
    return { tensor, exponent }
  }

  /** Consumes one use of `dy`. */
  async #backward(tapes: readonly Tape<T>[], dy: Signal<T>): Promise<Signal<T>> {
    let current = dy
    for (const tape of [...tapes].reverse()) {
      this.#check()
      tape.record.gradients = { exponent: current.exponent, sums: current.sums }
      const made = await this.#stepBackward(tape, current)
      if (made !== current) this.#release(current)
      if (tape.input !== undefined) this.#release(tape.input)
      current = made
    }
    return current
  }

  async #stepBackward(
    { record: { step }, input: x, body = [], shortcut = [] }: Tape<T>,
    dy: Signal<T>,
  ): Promise<Signal<T>> {
    const kernels = this.#kernels
    const k = fold(dy)
    const unit = dy.exponent + k
    const scale = power(-k)
    const count = step.count * this.#batch
    const done = (tensor: T, exponent: number): Promise<Signal<T>> =>
      this.#measured(tensor, exponent, step.inputCount, step)
    switch (step.op) {
      case 'linear':
        return done(await kernels.linearBackward(dy.tensor, step, scale), unit)
      case 'conv':
        return done(await kernels.convBackward(dy.tensor, step, scale), unit)
      case 'activation': {
        const { call, slopeExponent } = this.#activationCall(step, x!)
        return done(
          await kernels.activateBackward(x!.tensor, dy.tensor, count, call, scale),
          bounded(unit + slopeExponent),
        )
      }
      case 'softmax': {
        const { call } = this.#groupCall(step, x!)
        return done(await kernels.softmaxBackward(x!.tensor, dy.tensor, count, call, scale), unit)
      }
      case 'normalize': {
        const { call, slopeExponent } = this.#groupCall(step, x!)
        const gamma = step.scale === undefined ? undefined : await kernels.vector(step.scale.name)
        dy.uses++
        const g = gamma === undefined ? dy.tensor : await this.#scaled(dy, step, gamma)
        const dx = await kernels.normalizeBackward(x!.tensor, g, count, call, scale)
        if (gamma === undefined) this.#release(dy)
        else kernels.release(g)
        return done(dx, unit + slopeExponent)
      }
      case 'pass':
        return dy
      case 'residual': {
        dy.uses += 2
        const inner = await this.#backward(body, dy)
        const outer = await this.#backward(shortcut, dy)
        const { tensor, exponent } = await this.#added(outer, inner, step.inputCount)
        this.#release(inner)
        this.#release(outer)
        return done(tensor, exponent)
      }
    }
  }

  /** dy times the scale of a normalisation, in the units of dy. */
  async #scaled(dy: Signal<T>, step: GroupStep, gamma: Float64Array): Promise<T> {
    const units = step.acrossBatch ? step : { unitCount: step.length, unitStride: 1 }
    const g = await this.#kernels.affine(dy.tensor, step.count * this.#batch, units, gamma, undefined)
    this.#release(dy)
    return g
  }
}

function largest(values: Float64Array | undefined): number {
  let most = 0
  for (const value of values ?? []) most = Math.max(most, Math.abs(value))
  return most
}
