import type { DType } from '../dtype.js'
import { refuseUnknownKeys, show, WeightInitError } from '../errors.js'
import type { Model, ParameterSpec } from './types.js'

/** Settings that every layer with parameters takes. */
export interface LayerOptions {
  /** dtype of the layer's parameters. Default 'float32'. */
  readonly dtype?: DType
}

export interface LinearOptions extends LayerOptions {
  /** Default true. */
  readonly bias?: boolean
}

export interface ConvOptions extends LinearOptions {
  /** Default 1; divides both channel counts. `groups = inChannels` is a depthwise convolution. */
  readonly groups?: number
}

export interface NormOptions extends LayerOptions {
  /** A learnt scale and bias. Default true. */
  readonly affine?: boolean
  /** A bias beside the scale. Default true. */
  readonly bias?: boolean
}

export interface BatchNormOptions extends LayerOptions {
  /** A learnt scale and bias. Default true. */
  readonly affine?: boolean
  /** Also list running_mean, running_var and num_batches_tracked, as PyTorch's state_dict() does. Default false. */
  readonly buffers?: boolean
}

/** Fully connected layer: weight [outFeatures, inFeatures], bias [outFeatures]. PyTorch's nn.Linear. */
export function linear(inFeatures: number, outFeatures: number, options: LinearOptions = {}): Model {
  checkOptions('linear', options, ['bias', 'dtype'])
  positive('linear', { inFeatures, outFeatures })
  const parameters: ParameterSpec[] = [{ name: 'weight', shape: [outFeatures, inFeatures], role: 'weight' }]
  if (options.bias ?? true) parameters.push({ name: 'bias', shape: [outFeatures], role: 'bias' })
  return layer('linear', { inFeatures, outFeatures }, parameters, options)
}

/** weight [outChannels, inChannels / groups, k], bias [outChannels]. PyTorch's nn.Conv1d. */
export function conv1d(
  inChannels: number,
  outChannels: number,
  kernel: number | readonly number[],
  options: ConvOptions = {},
): Model {
  return conv('conv1d', 1, inChannels, outChannels, kernel, options)
}

/** weight [outChannels, inChannels / groups, kh, kw], bias [outChannels]. PyTorch's nn.Conv2d. */
export function conv2d(
  inChannels: number,
  outChannels: number,
  kernel: number | readonly number[],
  options: ConvOptions = {},
): Model {
  return conv('conv2d', 2, inChannels, outChannels, kernel, options)
}

/** weight [outChannels, inChannels / groups, kd, kh, kw], bias [outChannels]. PyTorch's nn.Conv3d. */
export function conv3d(
  inChannels: number,
  outChannels: number,
  kernel: number | readonly number[],
  options: ConvOptions = {},
): Model {
  return conv('conv3d', 3, inChannels, outChannels, kernel, options)
}

/** Table of `count` vectors: weight [count, dimension], role embedding. PyTorch's nn.Embedding. */
export function embedding(count: number, dimension: number, options: LayerOptions = {}): Model {
  checkOptions('embedding', options, ['dtype'])
  positive('embedding', { count, dimension })
  return layer(
    'embedding',
    { count, dimension },
    [{ name: 'weight', shape: [count, dimension], role: 'embedding' }],
    options,
  )
}

/** weight and bias of the normalised shape. PyTorch's nn.LayerNorm. */
export function layerNorm(normalizedShape: number | readonly number[], options: NormOptions = {}): Model {
  checkOptions('layerNorm', options, ['affine', 'bias', 'dtype'])
  const shape = Array.isArray(normalizedShape) ? [...(normalizedShape as number[])] : [normalizedShape as number]
  positive('layerNorm', Object.fromEntries(shape.map((length, axis) => [`normalizedShape[${axis}]`, length])))
  const parameters: ParameterSpec[] = []
  if (options.affine ?? true) {
    parameters.push({ name: 'weight', shape, role: 'norm-scale' })
    if (options.bias ?? true) parameters.push({ name: 'bias', shape, role: 'norm-bias' })
  }
  return layer('layerNorm', { normalizedShape: shape }, parameters, options)
}

/** weight and bias [features]; on request the running statistics too. PyTorch's nn.BatchNorm1d, 2d and 3d. */
export function batchNorm(features: number, options: BatchNormOptions = {}): Model {
  checkOptions('batchNorm', options, ['affine', 'buffers', 'dtype'])
  positive('batchNorm', { features })
  const parameters: ParameterSpec[] = []
  if (options.affine ?? true) {
    parameters.push({ name: 'weight', shape: [features], role: 'norm-scale' })
    parameters.push({ name: 'bias', shape: [features], role: 'norm-bias' })
  }
  if (options.buffers ?? false) {
    parameters.push({ name: 'running_mean', shape: [features], role: 'buffer' })
    parameters.push({ name: 'running_var', shape: [features], role: 'buffer' })
    parameters.push({ name: 'num_batches_tracked', shape: [], role: 'buffer', dtype: 'int64' })
  }
  return layer('batchNorm', { features }, parameters, options)
}

const entry =
  (kind: string): (() => Model) =>
  () => ({ parameters: [], layer: { kind } })

// Entries without parameters: they keep PyTorch's numbering in a sequential and say which gain a layer feeds.
export const relu: () => Model = /* @__PURE__ */ entry('relu')
export const gelu: () => Model = /* @__PURE__ */ entry('gelu')
export const silu: () => Model = /* @__PURE__ */ entry('silu')
export const mish: () => Model = /* @__PURE__ */ entry('mish')
export const elu: () => Model = /* @__PURE__ */ entry('elu')
export const selu: () => Model = /* @__PURE__ */ entry('selu')
export const softplus: () => Model = /* @__PURE__ */ entry('softplus')
export const tanh: () => Model = /* @__PURE__ */ entry('tanh')
export const sigmoid: () => Model = /* @__PURE__ */ entry('sigmoid')
export const softmax: () => Model = /* @__PURE__ */ entry('softmax')
export const dropout: () => Model = /* @__PURE__ */ entry('dropout')
export const flatten: () => Model = /* @__PURE__ */ entry('flatten')
export const identityLayer: () => Model = /* @__PURE__ */ entry('identity')

/** Leaky ReLU; `negativeSlope` defaults to 0.01 as in PyTorch. */
export function leakyRelu(negativeSlope = 0.01): Model {
  if (typeof negativeSlope !== 'number' || !Number.isFinite(negativeSlope)) {
    throw new WeightInitError(
      'INVALID_ARGUMENT',
      `leakyRelu: negativeSlope must be a finite number, but found ${show(negativeSlope)}.`,
    )
  }
  return { parameters: [], layer: { kind: 'leakyRelu', config: { negativeSlope } } }
}

function conv(
  kind: string,
  spatialRank: number,
  inChannels: number,
  outChannels: number,
  kernel: number | readonly number[],
  options: ConvOptions,
): Model {
  checkOptions(kind, options, ['bias', 'groups', 'dtype'])
  const groups = options.groups ?? 1
  positive(kind, { inChannels, outChannels, groups })
  const kernelShape: unknown = typeof kernel === 'number' ? new Array<number>(spatialRank).fill(kernel) : kernel
  if (!Array.isArray(kernelShape) || kernelShape.length !== spatialRank) {
    throw new WeightInitError(
      'INVALID_SHAPE',
      `${kind}: kernel must be a number or ${spatialRank} numbers, but found ${show(kernel)}.`,
    )
  }
  positive(kind, Object.fromEntries(kernelShape.map((length, axis) => [`kernel[${axis}]`, length])))
  // PyTorch's wording.
  if (inChannels % groups !== 0)
    throw new WeightInitError(
      'INVALID_SHAPE',
      `${kind}: in_channels must be divisible by groups, but found ${inChannels} and ${groups}.`,
    )
  if (outChannels % groups !== 0)
    throw new WeightInitError(
      'INVALID_SHAPE',
      `${kind}: out_channels must be divisible by groups, but found ${outChannels} and ${groups}.`,
    )
  const parameters: ParameterSpec[] = [
    {
      name: 'weight',
      shape: [outChannels, inChannels / groups, ...kernelShape],
      role: 'weight',
      ...(groups > 1 ? { groups } : {}),
    },
  ]
  if (options.bias ?? true) parameters.push({ name: 'bias', shape: [outChannels], role: 'bias' })
  return layer(kind, { inChannels, outChannels, kernel: kernelShape, groups }, parameters, options)
}

function layer(
  kind: string,
  config: Record<string, unknown>,
  parameters: ParameterSpec[],
  options: LayerOptions,
): Model {
  const { dtype } = options
  return {
    parameters: dtype === undefined ? parameters : parameters.map((spec) => ({ dtype, ...spec })),
    layer: { kind, config },
  }
}

function checkOptions(kind: string, options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new WeightInitError('INVALID_ARGUMENT', `${kind}: options must be an object, but found ${show(options)}.`)
  }
  refuseUnknownKeys(options, known, `${kind} option`)
}

function positive(kind: string, values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1) {
      throw new WeightInitError(
        'INVALID_SHAPE',
        `${kind}: ${name} must be a positive integer, but found ${show(value)}.`,
      )
    }
  }
}
