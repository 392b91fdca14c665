import type { Activation } from './activations.js'
import type { ConvStep, LinearStep, StepBase } from './steps.js'

/** Sums over a tensor's finite elements. If the tensor is in units of 2^exponent, so are the sums. */
export interface TensorSums {
  readonly finiteCount: number
  readonly nonFiniteCount: number
  readonly mean: number
  readonly meanSquare: number
  /** The number of dead units. */
  readonly deadUnitCount: number
}

/** Parameters of an activation: v = x foldScale unitScale. The result is f(v), or slopes times x foldScale. */
export interface ActivationCall {
  readonly activation: Activation
  readonly foldScale: number
  readonly unitScale: number
  /** The slopes to the left and to the right of 0. If present, they replace the function. */
  readonly slopes: readonly [number, number] | undefined
}

/**
 * Groups of elements. Element i of group g has the index floor(i / inner) outerStride + g groupStride + i mod inner.
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
  /** In the backward sums the normalised value is (x foldScale - mean) / sigma times this. */
  readonly unitScale: number
}

/** How to decide whether a unit of the output is alive. */
export interface DeadUnitCall {
  readonly unitCount: number
  readonly unitStride: number
  /** If the layer is an activation: its input, whose slope is tested instead of the output. */
  readonly slopeOf?: ActivationCall
}

/**
 * The arithmetic of signal propagation for one backend. Tensors have the shape [batch, ...shape] and are row-major. Every
 * call returns a new tensor and does not change its arguments. Scales are powers of two, so they are exact.
 */
export interface SignalKernels<T> {
  /** N(0, 1) of this package's own generator, from the stream of `name`. */
  random(name: string, count: number): Promise<T>
  /** scale * x W^T, and for the backward pass scale * dy W. */
  linear(x: T, step: LinearStep, scale: number): Promise<T>
  linearBackward(dy: T, step: LinearStep, scale: number): Promise<T>
  conv(x: T, step: ConvStep, scale: number): Promise<T>
  convBackward(dy: T, step: ConvStep, scale: number): Promise<T>
  /** x * scale[u] + shift[u], where u is the unit of each element. */
  affine(
    x: T,
    count: number,
    units: { readonly unitCount: number; readonly unitStride: number },
    scale: ArrayLike<number> | undefined,
    shift: ArrayLike<number> | undefined,
  ): Promise<T>
  activate(x: T, count: number, call: ActivationCall): Promise<T>
  /** dy * f'(v) * gradientScale. */
  activateBackward(x: T, dy: T, count: number, call: ActivationCall, gradientScale: number): Promise<T>
  /** (x * foldScale - mean) / sigma. */
  normalize(x: T, count: number, call: GroupCall): Promise<T>
  /** (dy - mean(dy) - n mean(dy n)) / sigma * gradientScale, where n is the normalised value. */
  normalizeBackward(x: T, dy: T, count: number, call: GroupCall, gradientScale: number): Promise<T>
  softmax(x: T, count: number, call: GroupCall): Promise<T>
  softmaxBackward(x: T, dy: T, count: number, call: GroupCall, gradientScale: number): Promise<T>
  add(a: T, scaleA: number, b: T, scaleB: number, count: number): Promise<T>
  /** Completes the work that was requested so far and measures the tensor. */
  measure(x: T, count: number, units: DeadUnitCall, slopeInput: T | undefined): Promise<TensorSums>
  /** All elements of a small parameter, in float64. */
  vector(name: string): Promise<Float64Array>
  /** Releases a tensor that is not used any more. */
  release(x: T): void
  destroy(): void
}

export type { StepBase }
