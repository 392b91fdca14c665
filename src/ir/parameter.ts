import type { DType } from '../core/dtype.js'

/** What a parameter is for. It decides which default it gets: see `defaultChoice` in src/plan/choose-initializer.ts. */
export type ParameterRole = 'weight' | 'bias' | 'norm-scale' | 'norm-bias' | 'embedding' | 'buffer'

export const parameterRoles: readonly ParameterRole[] = [
  'weight',
  'bias',
  'norm-scale',
  'norm-bias',
  'embedding',
  'buffer',
]

/**
 * How a weight's axes lie.
 * - `out-in`: [out, in / groups, ...kernel]. PyTorch's linear and convolution. The default.
 * - `in-out`: [...kernel, in / groups, out]. JAX, Flax, Keras, TensorFlow.js, Hugging Face's Conv1D.
 * - `transposed`: [in, out / groups, ...kernel]. PyTorch's transposed convolution.
 */
export type Layout = 'out-in' | 'in-out' | 'transposed'

export const layouts: readonly Layout[] = ['out-in', 'in-out', 'transposed']

/** Fans given by hand, where neither layout nor groups describe the layer. Positive numbers. */
export interface FanOverride {
  readonly in: number
  readonly out: number
}

/** One parameter of a model, as the user describes it. */
export interface ParameterSpec {
  /** Unique in the model. Its UTF-8 bytes choose the random stream: renaming a parameter changes its values. */
  readonly name: string
  /** Positive integers; [] is a scalar. */
  readonly shape: readonly number[]
  /** Default 'float32'. */
  readonly dtype?: DType
  /** Default: rank >= 2 is a weight; rank < 2 a bias, or a norm-scale where its name says so. */
  readonly role?: ParameterRole
  /** Default 'out-in'. */
  readonly layout?: Layout
  /** Groups of a grouped convolution; divides the output channels. Default 1. */
  readonly groups?: number
  readonly fan?: FanOverride
  /** Equal blocks fused along the output axis: 3 for QKV, 2 for gate and up, 4 for an LSTM's gates. Default 1. */
  readonly blocks?: number
  /** Leading axes that only stack weights: experts, heads. Default 0. */
  readonly batchAxes?: number
  /** Row of an embedding that stays 0 (PyTorch's padding_idx); negative counts from the end. */
  readonly paddingIndex?: number
  /** Name of the parameter whose memory this one shares; it is not initialised itself. */
  readonly tiedTo?: string
}

/** What a layer computes, for those who walk the model (signal propagation, printing). */
export interface LayerInfo {
  readonly kind: string
  readonly config?: Readonly<Record<string, unknown>>
}

/** A list of parameters in PyTorch's order; one layer, or a container of named children. */
export interface Model {
  readonly parameters: readonly ParameterSpec[]
  readonly layer?: LayerInfo
  readonly children?: readonly (readonly [name: string, child: Model])[]
}

/** A parameter after validation: every default filled in. */
export interface Parameter {
  readonly name: string
  readonly shape: readonly number[]
  readonly elementCount: number
  readonly dtype: DType
  readonly role: ParameterRole
  readonly layout: Layout
  readonly groups: number
  readonly blocks: number
  readonly batchAxes: number
  readonly paddingIndex?: number
  readonly fan?: FanOverride
  readonly tiedTo?: string
}
