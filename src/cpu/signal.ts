// CPU reference of src/gpu/signal/kernels.ts, in float64.
import { decodeFloat32 } from '../core/decode.js'
import { eventLoopTurn } from '../core/event-loop.js'
import type { PlannedParameter } from '../ir/plan.js'
import { activationSlope, activationValue, DEAD_SLOPE } from '../signal/activations.js'
import { signalDraw } from '../signal/draw.js'
import type { ActivationCall, DeadUnitCall, GroupCall, SignalKernels, TensorSums } from '../signal/kernels.js'
import type { ConvStep, LinearStep } from '../signal/steps.js'
import type { WeightStore } from '../store/weight-store.js'
import { fillBytes } from './fill.js'

/** How many milliseconds pass, plus the time of one layer, before the event loop may run. */
const TURN_MS = 20

/** The functions that give an activation's value and slope for an element of its input. */
function callFunctions({ activation, foldScale, unitScale, slopes }: ActivationCall): {
  value: (s: number) => number
  slope: (s: number) => number
} {
  if (slopes !== undefined) {
    const [left, right] = slopes
    return {
      value: (s) => s * foldScale * (s > 0 ? right : left),
      slope: (s) => (s > 0 ? right : left),
    }
  }
  const f = activationValue(activation)
  const df = activationSlope(activation)
  return { value: (s) => f(s * foldScale * unitScale), slope: (s) => df(s * foldScale * unitScale) }
}

export class CpuSignalKernels implements SignalKernels<Float64Array> {
  readonly #store: WeightStore
  readonly #ownerOf: (name: string) => PlannedParameter
  readonly #batch: number
  readonly #seed: number | bigint
  #turned = 0

  constructor(
    store: WeightStore,
    ownerOf: (name: string) => PlannedParameter,
    { batch, seed }: { readonly batch: number; readonly seed: number | bigint },
  ) {
    this.#store = store
    this.#ownerOf = ownerOf
    this.#batch = batch
    this.#seed = seed
  }

  async random(name: string, count: number): Promise<Float64Array> {
    return Float64Array.from(decodeFloat32(fillBytes(signalDraw(name, count, this.#seed), 0, count), 'float32'))
  }

  async vector(name: string): Promise<Float64Array> {
    const parameter = this.#ownerOf(name)
    const bytes = await this.#store.readRange(parameter, 0, parameter.byteLength)
    return Float64Array.from(decodeFloat32(bytes, parameter.dtype))
  }

  /** The weight as a matrix [outFeatures, inFeatures], whatever its layout. */
  async #rows({ weight, inOut, inFeatures, outFeatures }: LinearStep): Promise<Float64Array> {
    const values = await this.vector(weight.name)
    if (!inOut) return values
    const rows = new Float64Array(values.length)
    for (let k = 0; k < inFeatures; k++)
      for (let n = 0; n < outFeatures; n++) rows[n * inFeatures + k] = values[k * outFeatures + n]!
    return rows
  }

  async linear(x: Float64Array, step: LinearStep, scale: number): Promise<Float64Array> {
    const { inFeatures, outFeatures } = step
    const w = await this.#rows(step)
    const rowCount = x.length / inFeatures
    const y = new Float64Array(rowCount * outFeatures)
    for (let n = 0; n < outFeatures; n++) {
      const at = n * inFeatures
      // Four rows at a time share the loaded weight, and their sums are independent, so the CPU computes them in parallel.
      for (let m = 0; m < rowCount; m += 4) {
        const rows = Math.min(4, rowCount - m)
        const from0 = m * inFeatures
        const from1 = rows > 1 ? from0 + inFeatures : from0
        const from2 = rows > 2 ? from1 + inFeatures : from0
        const from3 = rows > 3 ? from2 + inFeatures : from0
        let sum0 = 0
        let sum1 = 0
        let sum2 = 0
        let sum3 = 0
        for (let k = 0; k < inFeatures; k++) {
          const weight = w[at + k]!
          sum0 += x[from0 + k]! * weight
          sum1 += x[from1 + k]! * weight
          sum2 += x[from2 + k]! * weight
          sum3 += x[from3 + k]! * weight
        }
        const sums = [sum0, sum1, sum2, sum3]
        for (let row = 0; row < rows; row++) y[(m + row) * outFeatures + n] = sums[row]! * scale
      }
    }
    return y
  }

  async linearBackward(dy: Float64Array, step: LinearStep, scale: number): Promise<Float64Array> {
    const { inFeatures, outFeatures } = step
    const w = await this.#rows(step)
    const rowCount = dy.length / outFeatures
    const dx = new Float64Array(rowCount * inFeatures)
    for (let n = 0; n < outFeatures; n++) {
      const at = n * inFeatures
      for (let m = 0; m < rowCount; m++) {
        const g = dy[m * outFeatures + n]! * scale
        const to = m * inFeatures
        for (let k = 0; k < inFeatures; k++) dx[to + k]! += g * w[at + k]!
      }
    }
    return dx
  }

  async conv(x: Float64Array, step: ConvStep, scale: number): Promise<Float64Array> {
    const y = new Float64Array(this.#batch * step.count)
    const w = await this.vector(step.weight.name)
    eachTap(step, this.#batch, (xAt, yAt, wAt) => {
      y[yAt]! += x[xAt]! * w[wAt]! * scale
    })
    return y
  }

  async convBackward(dy: Float64Array, step: ConvStep, scale: number): Promise<Float64Array> {
    const dx = new Float64Array(this.#batch * step.inputCount)
    const w = await this.vector(step.weight.name)
    eachTap(step, this.#batch, (xAt, yAt, wAt) => {
      dx[xAt]! += dy[yAt]! * w[wAt]! * scale
    })
    return dx
  }

  async affine(
    x: Float64Array,
    _count: number,
    { unitCount, unitStride }: { readonly unitCount: number; readonly unitStride: number },
    scale: ArrayLike<number> | undefined,
    shift: ArrayLike<number> | undefined,
  ): Promise<Float64Array> {
    return x.map((value, i) => {
      const unit = Math.floor(i / unitStride) % unitCount
      return value * (scale?.[unit] ?? 1) + (shift?.[unit] ?? 0)
    })
  }

  async activate(x: Float64Array, _count: number, call: ActivationCall): Promise<Float64Array> {
    return x.map(callFunctions(call).value)
  }

  async activateBackward(
    x: Float64Array,
    dy: Float64Array,
    _count: number,
    call: ActivationCall,
    gradientScale: number,
  ): Promise<Float64Array> {
    const { slope } = callFunctions(call)
    return dy.map((g, i) => g * gradientScale * slope(x[i]!))
  }

  async normalize(x: Float64Array, _count: number, call: GroupCall): Promise<Float64Array> {
    const y = new Float64Array(x.length)
    eachGroup(call, (at) => {
      const { mean, inverse } = groupMoments(x, at, call)
      for (let i = 0; i < call.length; i++) y[at(i)] = (x[at(i)]! * call.foldScale - mean) * inverse
    })
    return y
  }

  async normalizeBackward(
    x: Float64Array,
    dy: Float64Array,
    _count: number,
    call: GroupCall,
    gradientScale: number,
  ): Promise<Float64Array> {
    const { length, foldScale, unitScale } = call
    const dx = new Float64Array(x.length)
    eachGroup(call, (at) => {
      const { mean, inverse } = groupMoments(x, at, call)
      const normalised = (i: number): number => (x[at(i)]! * foldScale - mean) * inverse * unitScale
      let sum = 0
      let product = 0
      for (let i = 0; i < length; i++) {
        sum += dy[at(i)]!
        product += dy[at(i)]! * normalised(i)
      }
      for (let i = 0; i < length; i++) {
        dx[at(i)] = (dy[at(i)]! - sum / length - (normalised(i) * product) / length) * inverse * gradientScale
      }
    })
    return dx
  }

  async softmax(x: Float64Array, _count: number, call: GroupCall): Promise<Float64Array> {
    const y = new Float64Array(x.length)
    const v = (at: number): number => x[at]! * call.foldScale * call.unitScale
    eachGroup(call, (at) => {
      let most = Number.NEGATIVE_INFINITY
      for (let i = 0; i < call.length; i++) most = Math.max(most, v(at(i)))
      let sum = 0
      for (let i = 0; i < call.length; i++) sum += Math.exp(v(at(i)) - most)
      for (let i = 0; i < call.length; i++) y[at(i)] = Math.exp(v(at(i)) - most) / sum
    })
    return y
  }

  async softmaxBackward(
    x: Float64Array,
    dy: Float64Array,
    count: number,
    call: GroupCall,
    gradientScale: number,
  ): Promise<Float64Array> {
    const y = await this.softmax(x, count, call)
    const dx = new Float64Array(x.length)
    eachGroup(call, (at) => {
      let product = 0
      for (let i = 0; i < call.length; i++) product += y[at(i)]! * dy[at(i)]!
      for (let i = 0; i < call.length; i++) dx[at(i)] = y[at(i)]! * (dy[at(i)]! - product) * gradientScale
    })
    return dx
  }

  async add(a: Float64Array, scaleA: number, b: Float64Array, scaleB: number): Promise<Float64Array> {
    return a.map((value, i) => value * scaleA + b[i]! * scaleB)
  }

  async measure(
    x: Float64Array,
    count: number,
    { unitCount, unitStride, slopeOf }: DeadUnitCall,
    slopeInput: Float64Array | undefined,
  ): Promise<TensorSums> {
    // The event loop runs now and then between layers, so that an abort signal can arrive.
    if (performance.now() - this.#turned > TURN_MS) {
      await eventLoopTurn()
      this.#turned = performance.now()
    }
    let finiteCount = 0
    let sum = 0
    let squares = 0
    const alive = new Uint8Array(unitCount)
    const slope = slopeOf === undefined ? undefined : callFunctions(slopeOf).slope
    for (let i = 0; i < count; i++) {
      const value = x[i]!
      if (Number.isFinite(value)) {
        finiteCount++
        sum += value
        squares += value * value
      }
      const lives = slope === undefined ? value !== 0 : Math.abs(slope(slopeInput![i]!)) > DEAD_SLOPE
      if (lives) alive[Math.floor(i / unitStride) % unitCount] = 1
    }
    return {
      finiteCount,
      nonFiniteCount: count - finiteCount,
      mean: finiteCount === 0 ? 0 : sum / finiteCount,
      meanSquare: finiteCount === 0 ? 0 : squares / finiteCount,
      deadUnitCount: alive.reduce((dead, lives) => dead + 1 - lives, 0),
    }
  }

  release(): void {}
  destroy(): void {}
}

function groupMoments(
  x: Float64Array,
  at: (i: number) => number,
  { length, foldScale, varianceScale, epsilon }: GroupCall,
): { mean: number; inverse: number } {
  let mean = 0
  for (let i = 0; i < length; i++) mean += (x[at(i)]! * foldScale) / length
  let variance = 0
  for (let i = 0; i < length; i++) variance += (x[at(i)]! * foldScale - mean) ** 2 / length
  return { mean, inverse: 1 / Math.sqrt(variance * varianceScale + epsilon) }
}

/** Calls `visit` for each group with a function that gives the index of the group's element i. */
function eachGroup(
  { groupCount, inner, outerStride, groupStride }: GroupCall,
  visit: (at: (i: number) => number) => void,
): void {
  for (let g = 0; g < groupCount; g++) {
    visit((i) => Math.floor(i / inner) * outerStride + g * groupStride + (i % inner))
  }
}

/** Calls `visit` for every product of a convolution, with the indices of its input, output and weight element. */
function eachTap(step: ConvStep, batch: number, visit: (x: number, y: number, w: number) => void): void {
  const { inChannels, outChannels, groups, input, output, kernel } = step
  const [, inH = 1, inW = 1] = input
  const [outD = 1, outH = 1, outW = 1] = output
  const [kD = 1, kH = 1, kW = 1] = kernel
  const inPlaces = input.reduce((a, b) => a * b, 1)
  const outPlaces = outD * outH * outW
  const perGroup = inChannels / groups
  const outPerGroup = outChannels / groups
  /** The input position that an output position and a kernel position read; -1 in the padding. */
  const source = (axis: number, out: number, tap: number): number => {
    const length = input[axis]!
    const at = out * step.stride[axis]! + tap * step.dilation[axis]! - step.padding[axis]!
    if (step.circular) return ((at % length) + length) % length
    return at >= 0 && at < length ? at : -1
  }
  for (let z = 0; z < outD; z++)
    for (let a = 0; a < kD; a++)
      for (let y = 0; y < outH; y++)
        for (let b = 0; b < kH; b++)
          for (let x = 0; x < outW; x++)
            for (let c = 0; c < kW; c++) {
              const [d, h, w] = [source(0, z, a), source(1, y, b), source(2, x, c)]
              if (d < 0 || h < 0 || w < 0) continue
              const from = (d * inH + h) * inW + w
              const to = (z * outH + y) * outW + x
              const tap = (a * kH + b) * kW + c
              for (let n = 0; n < batch; n++)
                for (let o = 0; o < outChannels; o++) {
                  const group = Math.floor(o / outPerGroup)
                  for (let i = 0; i < perGroup; i++) {
                    visit(
                      (n * inChannels + group * perGroup + i) * inPlaces + from,
                      (n * outChannels + o) * outPlaces + to,
                      (o * perGroup + i) * kD * kH * kW + tap,
                    )
                  }
                }
            }
}
