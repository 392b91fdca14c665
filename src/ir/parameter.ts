import type { DType } from '../core/dtype.js'

/**
 * What a parameter is for. It decides which default it gets: see `defaultChoice` in src/plan/choose-initializer.ts.
 * - `scale`: a factor outside of a norm, such as a layer scale, a logit scale or PReLU's slope. It starts at `initial`.
 * - `unknown`: nothing says what it is. It is refused unless a rule matches it or `initial` is given.
 */
export type ParameterRole =
  | 'weight'
  | 'bias'
  | 'norm-scale'
  | 'norm-bias'
  | 'embedding'
  | 'scale'
  | 'buffer'
  | 'unknown'

export const parameterRoles: readonly ParameterRole[] = [
  'weight',
  'bias',
  'norm-scale',
  'norm-bias',
  'embedding',
  'scale',
  'buffer',
  'unknown',
]

/**
 * The order of a weight's axes.
 * - `out-in`: [out, in / groups, ...kernel]. PyTorch's linear and convolution. The default.
 * - `in-out`: [...kernel, in / groups, out]. JAX, Flax, Keras, TensorFlow.js, Hugging Face's Conv1D.
 * - `transposed`: [in, out / groups, ...kernel]. PyTorch's transposed convolution.
 */
export type Layout = 'out-in' | 'in-out' | 'transposed'

export const layouts: readonly Layout[] = ['out-in', 'in-out', 'transposed']

/** Fans that the user gives, for a layer that layout and groups do not describe. Positive numbers. */
export interface FanOverride {
  readonly in: number
  readonly out: number
}

/** One parameter of a model, as the user describes it. */
export interface ParameterSpec {
  /** Unique in the model. Its UTF-8 bytes choose the random stream, so renaming a parameter changes its values. */
  readonly name: string
  /** The lengths of the axes, positive integers; [] is a scalar. */
  readonly shape: readonly number[]
  /** Default 'float32'. */
  readonly dtype?: DType
  /** Default: from the name and the shape, see `inferRole`; a vector of a name that says nothing is unknown. */
  readonly role?: ParameterRole
  /** Default 'out-in'. */
  readonly layout?: Layout
  /** The number of groups of a grouped convolution; it must divide the output channels. Default 1. */
  readonly groups?: number
  readonly fan?: FanOverride
  /** The number of equal blocks fused along the output axis: 3 for QKV, 2 for gate and up, 4 for an LSTM. Default 1. */
  readonly blocks?: number
  /** The number of leading axes that only stack weights, such as experts or heads. Default 0. */
  readonly batchAxes?: number
  /** The row of an embedding that stays 0 (PyTorch's padding_idx); a negative index counts from the end. */
  readonly paddingIndex?: number
  /** Class of the PyTorch module that owns it, such as 'PReLU' or 'Bilinear'; the initializer torch_default uses it. */
  readonly module?: string
  /** Name of the weight in the same layer. Default: the bias's name with 'weight' in place of 'bias'. */
  readonly layerWeight?: string
  /** The constant it starts at where no rule matches it and its role has no default. */
  readonly initial?: number
  /** The name of another parameter. This one shares its memory and is not initialised itself. */
  readonly tiedTo?: string
}

/** What a layer computes. Signal propagation and printing use it when they traverse the model. */
export interface LayerInfo {
  readonly kind: string
  readonly config?: Readonly<Record<string, unknown>>
}

/** A list of parameters in PyTorch's order. A model may describe one layer or be a container with named children. */
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
  readonly module?: string
  readonly layerWeight?: string
  readonly initial?: number
  readonly tiedTo?: string
}
