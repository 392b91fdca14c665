import type { Activation } from './activations.js'
import type { ConvStep, LinearStep, StepBase } from './steps.js'

/** Sums over a tensor's finite elements, in units of 2^exponent where the tensor is. */
export interface TensorSums {
  readonly finiteCount: number
  readonly nonFiniteCount: number
  readonly mean: number
  readonly meanSquare: number
  /** Units without a sign of life. */
  readonly deadUnitCount: number
}

/** How an activation is applied: v = x foldScale unitScale; f(v), or slopes times x foldScale. */
export interface ActivationCall {
  readonly activation: Activation
  readonly foldScale: number
  readonly unitScale: number
  /** Left and right of 0; in place of the function. */
  readonly slopes: readonly [number, number] | undefined
}

/**
 * Groups of elements: element i of group g is at floor(i / inner) outerStride + g groupStride + i mod inner.
 * 1 / sigma = 1 / sqrt(var(x foldScale) varianceScale + epsilon).
 */
export interface GroupCall {
  readonly groupCount: number
  readonly length: number
  readonly inner: number
  readonly outerStride: number
  readonly groupStride: number
  readonly foldScale: number
  readonly varianceScale: number
  readonly epsilon: number
  /** (x foldScale - mean) / sigma times this is the normalised value, in the backward sums. */
  readonly unitScale: number
}

/** What makes a unit of the output alive. */
export interface DeadUnitCall {
  readonly unitCount: number
  readonly unitStride: number
  /** Where the layer is an activation: its input, whose slope is looked at. */
  readonly slopeOf?: ActivationCall
}

/**
 * The arithmetic of signal propagation, for one backend. Tensors are [batch, ...shape], row-major. Every call gives a new
 * tensor and leaves its arguments alone. Scales are powers of two, so exact.
 */
export interface SignalKernels<T> {
  /** N(0, 1) of our own generator, from the stream of `name`. */
  random(name: string, count: number): Promise<T>
  /** x W^T scale, and dy W scale. */
  linear(x: T, step: LinearStep, scale: number): Promise<T>
  linearBackward(dy: T, step: LinearStep, scale: number): Promise<T>
  conv(x: T, step: ConvStep, scale: number): Promise<T>
  convBackward(dy: T, step: ConvStep, scale: number): Promise<T>
  /** x scale[u] + shift[u] for the unit u of each element. */
  affine(
    x: T,
    count: number,
    units: { readonly unitCount: number; readonly unitStride: number },
    scale: ArrayLike<number> | undefined,
    shift: ArrayLike<number> | undefined,
  ): Promise<T>
  activate(x: T, count: number, call: ActivationCall): Promise<T>
  /** dy f'(v) gradientScale */
  activateBackward(x: T, dy: T, count: number, call: ActivationCall, gradientScale: number): Promise<T>
  /** (x foldScale - mean) / sigma */
  normalize(x: T, count: number, call: GroupCall): Promise<T>
  /** (dy - mean(dy) - n mean(dy n)) / sigma gradientScale, n the normalised value. */
  normalizeBackward(x: T, dy: T, count: number, call: GroupCall, gradientScale: number): Promise<T>
  softmax(x: T, count: number, call: GroupCall): Promise<T>
  softmaxBackward(x: T, dy: T, count: number, call: GroupCall, gradientScale: number): Promise<T>
  add(a: T, scaleA: number, b: T, scaleB: number, count: number): Promise<T>
  /** Does what was asked for so far; `step` is for messages. */
  measure(x: T, count: number, units: DeadUnitCall, slopeInput: T | undefined): Promise<TensorSums>
  /** All of a small parameter, in float64. */
  vector(name: string): Promise<Float64Array>
  /** The tensor is not used any more. */
  release(x: T): void
  destroy(): void
}

export type { StepBase }
