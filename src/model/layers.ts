import type { DType } from '../core/dtype.js'
import { refuseUnknownKeys, show, WeightInitError } from '../core/errors.js'
import type { Model, ParameterSpec } from '../ir/parameter.js'

/** Settings that every layer with parameters takes. */
export interface LayerOptions {
  /** The dtype of the layer's parameters. Default 'float32'. */
  readonly dtype?: DType
}

export interface LinearOptions extends LayerOptions {
  /** Whether the layer has a bias. Default true. */
  readonly bias?: boolean
}

export interface LinearLayerOptions extends LinearOptions {
  /** The number of equal blocks fused along the output: 3 for QKV, 2 for gate and up. Fans are per block. Default 1. */
  readonly blocks?: number
}

export interface EmbeddingOptions extends LayerOptions {
  /** The row that stays 0 (PyTorch's padding_idx); a negative index counts from the end. */
  readonly paddingIndex?: number
}

export interface RecurrentOptions extends LinearOptions {
  /** The number of stacked layers. Default 1. */
  readonly layers?: number
  /** Whether there is a second direction, whose parameters have the suffix _reverse. Default false. */
  readonly bidirectional?: boolean
}

export interface ConvOptions extends LinearOptions {
  /** Must divide both channel counts; `groups = inChannels` is a depthwise convolution. Default 1. */
  readonly groups?: number
}

/** How a convolution moves over its input: one number, or one for each spatial axis. These settings change no weight. */
export interface ConvGeometryOptions extends ConvOptions {
  /** The step between two outputs. Default 1. */
  readonly stride?: number | readonly number[]
  /** The number of positions added at each end of an axis. Default 0. */
  readonly padding?: number | readonly number[]
  /** The distance between neighbouring elements of the kernel. Default 1. */
  readonly dilation?: number | readonly number[]
  /** The values at the added positions: zeros, or the input repeated periodically. Default 'zeros'. */
  readonly paddingMode?: 'zeros' | 'circular'
}

export interface NormOptions extends LayerOptions {
  /** Whether there is a learnt scale, with a bias unless `bias` is false. Default true. */
  readonly affine?: boolean
  /** Whether there is a bias in addition to the scale. Default true. */
  readonly bias?: boolean
}

export interface BatchNormOptions extends LayerOptions {
  /** Whether there are a learnt scale and bias. Default true. */
  readonly affine?: boolean
  /** Also list running_mean, running_var and num_batches_tracked, as PyTorch's state_dict() does. Default false. */
  readonly buffers?: boolean
}

/**
 * A fully connected layer: weight [outFeatures, inFeatures], bias [outFeatures]. PyTorch's nn.Linear.
 *
 * @example
 * const model = sequential(linear(784, 256), relu(), linear(256, 10))
 * @throws WeightInitError `INVALID_SHAPE` unless the features are positive integers and blocks divides outFeatures;
 *   `INVALID_ARGUMENT` for an unknown option
 */
export function linear(inFeatures: number, outFeatures: number, options: LinearLayerOptions = {}): Model {
  checkOptions('linear', options, ['bias', 'blocks', 'dtype'])
  const blocks = options.blocks ?? 1
  positive('linear', { inFeatures, outFeatures, blocks })
  if (outFeatures % blocks !== 0) {
    throw new WeightInitError(
      'INVALID_SHAPE',
      `linear: outFeatures must be divisible by blocks, but found ${outFeatures} and ${blocks}.`,
    )
  }
  const parameters: ParameterSpec[] = [
    { name: 'weight', shape: [outFeatures, inFeatures], role: 'weight', ...(blocks > 1 ? { blocks } : {}) },
  ]
  if (options.bias ?? true) parameters.push({ name: 'bias', shape: [outFeatures], role: 'bias' })
  return layer('linear', { inFeatures, outFeatures }, parameters, options)
}

/**
 * A convolution over one axis: weight [outChannels, inChannels / groups, k], bias [outChannels]. PyTorch's nn.Conv1d.
 * @throws WeightInitError `INVALID_SHAPE` for channels, groups, kernel or geometry out of range; `INVALID_ARGUMENT` for an
 *   unknown option
 */
export function conv1d(
  inChannels: number,
  outChannels: number,
  kernel: number | readonly number[],
  options: ConvGeometryOptions = {},
): Model {
  return conv('conv1d', 1, inChannels, outChannels, kernel, options)
}

/**
 * A convolution over two axes: weight [outChannels, inChannels / groups, kh, kw], bias [outChannels]. PyTorch's nn.Conv2d.
 * @throws WeightInitError as `conv1d`
 */
export function conv2d(
  inChannels: number,
  outChannels: number,
  kernel: number | readonly number[],
  options: ConvGeometryOptions = {},
): Model {
  return conv('conv2d', 2, inChannels, outChannels, kernel, options)
}

/**
 * A convolution over three axes: weight [outChannels, inChannels / groups, kd, kh, kw], bias [outChannels]. PyTorch's
 * nn.Conv3d.
 * @throws WeightInitError as `conv1d`
 */
export function conv3d(
  inChannels: number,
  outChannels: number,
  kernel: number | readonly number[],
  options: ConvGeometryOptions = {},
): Model {
  return conv('conv3d', 3, inChannels, outChannels, kernel, options)
}

/**
 * A transposed convolution: weight [inChannels, outChannels / groups, k] in the layout 'transposed', bias [outChannels].
 * PyTorch's nn.ConvTranspose1d, but fans are those of the actual layer, not PyTorch's.
 * @throws WeightInitError as `conv1d`
 */
export function convTranspose1d(
  inChannels: number,
  outChannels: number,
  kernel: number | readonly number[],
  options: ConvOptions = {},
): Model {
  return conv('convTranspose1d', 1, inChannels, outChannels, kernel, options)
}

/**
 * As `convTranspose1d` over two axes: weight [inChannels, outChannels / groups, kh, kw]. PyTorch's nn.ConvTranspose2d.
 * @throws WeightInitError as `conv1d`
 */
export function convTranspose2d(
  inChannels: number,
  outChannels: number,
  kernel: number | readonly number[],
  options: ConvOptions = {},
): Model {
  return conv('convTranspose2d', 2, inChannels, outChannels, kernel, options)
}

/**
 * As `convTranspose1d` over three axes: weight [inChannels, outChannels / groups, kd, kh, kw]. PyTorch's nn.ConvTranspose3d.
 * @throws WeightInitError as `conv1d`
 */
export function convTranspose3d(
  inChannels: number,
  outChannels: number,
  kernel: number | readonly number[],
  options: ConvOptions = {},
): Model {
  return conv('convTranspose3d', 3, inChannels, outChannels, kernel, options)
}

/**
 * A table of `count` vectors: weight [count, dimension] with the role 'embedding'. PyTorch's nn.Embedding.
 * @throws WeightInitError `INVALID_SHAPE` unless count and dimension are positive integers; `INVALID_ARGUMENT` for an unknown
 *   option
 */
export function embedding(count: number, dimension: number, options: EmbeddingOptions = {}): Model {
  checkOptions('embedding', options, ['paddingIndex', 'dtype'])
  positive('embedding', { count, dimension })
  const { paddingIndex } = options
  const spec: ParameterSpec = {
    name: 'weight',
    shape: [count, dimension],
    role: 'embedding',
    ...(paddingIndex === undefined ? {} : { paddingIndex }),
  }
  return layer('embedding', { count, dimension }, [spec], options)
}

/**
 * A recurrent layer with four gates, PyTorch's nn.LSTM: weight_ih_l0 [4 hidden, input], weight_hh_l0 [4 hidden, hidden],
 * bias_ih_l0 and bias_hh_l0 [4 hidden], and the same for every further layer and direction.
 * @throws WeightInitError `INVALID_SHAPE` unless the sizes and layers are positive integers; `INVALID_ARGUMENT` for an
 *   unknown option
 */
export function lstm(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}): Model {
  return recurrent('lstm', 4, inputSize, hiddenSize, options)
}

/** As `lstm`, with three gates. PyTorch's nn.GRU. */
export function gru(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}): Model {
  return recurrent('gru', 3, inputSize, hiddenSize, options)
}

/** As `lstm`, with one gate. PyTorch's nn.RNN. */
export function rnn(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}): Model {
  return recurrent('rnn', 1, inputSize, hiddenSize, options)
}

/**
 * Layer normalisation: a weight and a bias of the normalised shape. PyTorch's nn.LayerNorm.
 * @throws WeightInitError `INVALID_SHAPE` unless the lengths are positive integers; `INVALID_ARGUMENT` for an unknown option
 */
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

/**
 * Batch normalisation: weight and bias [features] and, with `buffers: true`, the running statistics. PyTorch's
 * nn.BatchNorm1d, 2d and 3d.
 * @throws WeightInitError `INVALID_SHAPE` unless features is a positive integer; `INVALID_ARGUMENT` for an unknown option
 */
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

// Layers without parameters. Inside `sequential` they keep PyTorch's numbering of the layers, and they tell signal
// propagation which activation follows a layer.
/** A layer without parameters: PyTorch's nn.ReLU. */
export const relu: () => Model = /* @__PURE__ */ entry('relu')
/** A layer without parameters: PyTorch's nn.GELU. */
export const gelu: () => Model = /* @__PURE__ */ entry('gelu')
/** A layer without parameters: PyTorch's nn.SiLU. */
export const silu: () => Model = /* @__PURE__ */ entry('silu')
/** A layer without parameters: PyTorch's nn.Mish. */
export const mish: () => Model = /* @__PURE__ */ entry('mish')
/** A layer without parameters: PyTorch's nn.ELU. */
export const elu: () => Model = /* @__PURE__ */ entry('elu')
/** A layer without parameters: PyTorch's nn.SELU. */
export const selu: () => Model = /* @__PURE__ */ entry('selu')
/** A layer without parameters: PyTorch's nn.Softplus. */
export const softplus: () => Model = /* @__PURE__ */ entry('softplus')
/** A layer without parameters: PyTorch's nn.Tanh. */
export const tanh: () => Model = /* @__PURE__ */ entry('tanh')
/** A layer without parameters: PyTorch's nn.Sigmoid. */
export const sigmoid: () => Model = /* @__PURE__ */ entry('sigmoid')
/** x relu6(x + 3) / 6. PyTorch's nn.Hardswish (Howard et al., "Searching for MobileNetV3", 2019). */
export const hardswish: () => Model = /* @__PURE__ */ entry('hardswish')
/** relu(x)^2 (So et al., "Primer: searching for efficient transformers for language modeling", 2021). */
export const reluSquared: () => Model = /* @__PURE__ */ entry('reluSquared')
export const softmax: () => Model = /* @__PURE__ */ entry('softmax')
/** A layer without parameters: PyTorch's nn.Dropout. */
export const dropout: () => Model = /* @__PURE__ */ entry('dropout')
/** A layer without parameters: PyTorch's nn.Flatten. */
export const flatten: () => Model = /* @__PURE__ */ entry('flatten')
/** A layer without parameters: PyTorch's nn.Identity. */
export const identityLayer: () => Model = /* @__PURE__ */ entry('identity')

/**
 * Leaky ReLU: x for x > 0, negativeSlope x otherwise. The slope's default is 0.01, as in PyTorch.
 * @throws WeightInitError `INVALID_ARGUMENT` for a slope that is not a finite number
 */
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
  options: ConvGeometryOptions,
): Model {
  const transposed = kind.startsWith('convTranspose')
  checkOptions(kind, options, [
    ...['bias', 'groups', 'dtype'],
    ...(transposed ? [] : [...Object.keys(geometryLeast), 'paddingMode']),
  ])
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
  // The two messages use PyTorch's wording, so that a search for it finds them.
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
      shape: transposed
        ? [inChannels, outChannels / groups, ...kernelShape]
        : [outChannels, inChannels / groups, ...kernelShape],
      ...(transposed ? { layout: 'transposed' } : {}),
      role: 'weight',
      ...(groups > 1 ? { groups } : {}),
    },
  ]
  if (options.bias ?? true) parameters.push({ name: 'bias', shape: [outChannels], role: 'bias' })
  const geometry = convGeometry(kind, spatialRank, options)
  return layer(kind, { inChannels, outChannels, kernel: kernelShape, groups, ...geometry }, parameters, options)
}

const geometryLeast = { stride: 1, padding: 0, dilation: 1 } as const

/** The geometry settings that were given, with one number for each axis. */
function convGeometry(kind: string, spatialRank: number, options: ConvGeometryOptions): Record<string, unknown> {
  const geometry: Record<string, unknown> = {}
  for (const [name, least] of Object.entries(geometryLeast)) {
    const given = options[name as keyof typeof geometryLeast]
    if (given === undefined) continue
    const list: readonly unknown[] = Array.isArray(given) ? given : new Array(spatialRank).fill(given)
    if (list.length !== spatialRank || !list.every((n) => Number.isSafeInteger(n) && (n as number) >= least)) {
      throw new WeightInitError(
        'INVALID_SHAPE',
        `${kind}: ${name} must be an integer >= ${least}, or ${spatialRank} of them, but found ${show(given)}.`,
      )
    }
    geometry[name] = list
  }
  const { paddingMode } = options
  if (paddingMode !== undefined) {
    if (paddingMode !== 'zeros' && paddingMode !== 'circular') {
      throw new WeightInitError(
        'INVALID_ARGUMENT',
        `${kind}: paddingMode must be 'zeros' or 'circular', but found ${show(paddingMode)}.`,
      )
    }
    geometry.paddingMode = paddingMode
  }
  return geometry
}

function recurrent(
  kind: string,
  gates: number,
  inputSize: number,
  hiddenSize: number,
  options: RecurrentOptions,
): Model {
  checkOptions(kind, options, ['layers', 'bidirectional', 'bias', 'dtype'])
  const { layers = 1, bidirectional = false, bias = true } = options
  positive(kind, { inputSize, hiddenSize, layers })
  const directions = bidirectional ? ['', '_reverse'] : ['']
  const blocks = gates > 1 ? { blocks: gates } : {}
  const parameters: ParameterSpec[] = []
  for (let index = 0; index < layers; index++) {
    const inputs = index === 0 ? inputSize : hiddenSize * directions.length
    for (const suffix of directions) {
      const at = `l${index}${suffix}`
      parameters.push({ name: `weight_ih_${at}`, shape: [gates * hiddenSize, inputs], role: 'weight', ...blocks })
      parameters.push({ name: `weight_hh_${at}`, shape: [gates * hiddenSize, hiddenSize], role: 'weight', ...blocks })
      if (!bias) continue
      parameters.push({ name: `bias_ih_${at}`, shape: [gates * hiddenSize], role: 'bias' })
      parameters.push({ name: `bias_hh_${at}`, shape: [gates * hiddenSize], role: 'bias' })
    }
  }
  return layer(kind, { inputSize, hiddenSize, layers, bidirectional }, parameters, options)
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
