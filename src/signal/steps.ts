import { floatDTypes, isFloatDType } from '../core/dtype.js'
import { refuse, show, WeightInitError } from '../core/errors.js'
import type { Model } from '../ir/parameter.js'
import type { PlannedParameter } from '../ir/plan.js'
import { type Activation, activationKinds, isActivation } from './activations.js'

/** What one layer does to the signal, with all lengths known. The same steps run on the GPU and on the CPU. */
export interface StepBase {
  readonly name: string
  readonly kind: string
  readonly inputShape: readonly number[]
  readonly shape: readonly number[]
  /** The number of elements of one example, at the input and at the output. */
  readonly inputCount: number
  readonly count: number
  /** The number of units of the output. Element i of an example belongs to unit floor(i / unitStride) mod unitCount. */
  readonly unitCount: number
  readonly unitStride: number
}

export interface LinearStep extends StepBase {
  readonly op: 'linear'
  readonly weight: PlannedParameter
  readonly bias: PlannedParameter | undefined
  readonly inFeatures: number
  readonly outFeatures: number
  /** Whether the weight's layout is [in, out]. */
  readonly inOut: boolean
}

/** A convolution of any rank, described as one over three axes. */
export interface ConvStep extends StepBase {
  readonly op: 'conv'
  readonly weight: PlannedParameter
  readonly bias: PlannedParameter | undefined
  readonly inChannels: number
  readonly outChannels: number
  readonly groups: number
  readonly input: readonly number[]
  readonly output: readonly number[]
  readonly kernel: readonly number[]
  readonly stride: readonly number[]
  readonly padding: readonly number[]
  readonly dilation: readonly number[]
  readonly circular: boolean
}

export interface ActivationStep extends StepBase {
  readonly op: 'activation'
  readonly activation: Activation
}

/**
 * layerNorm, batchNorm (with the statistics of the batch, as in training) and softmax work on groups of elements. For
 * layerNorm and softmax each run of `length` elements is a group; for batchNorm each unit over the whole batch is one.
 */
export interface GroupStep extends StepBase {
  readonly op: 'normalize' | 'softmax'
  readonly acrossBatch: boolean
  readonly length: number
  readonly scale: PlannedParameter | undefined
  readonly shift: PlannedParameter | undefined
}

/** Layers that pass the signal on unchanged: dropout (as in evaluation), flatten and identity. */
export interface PassStep extends StepBase {
  readonly op: 'pass'
}

export interface ResidualStep extends StepBase {
  readonly op: 'residual'
  readonly body: readonly Step[]
  readonly shortcut: readonly Step[]
}

export type Step = LinearStep | ConvStep | ActivationStep | GroupStep | PassStep | ResidualStep

export const NORM_EPSILON = 1e-5

const supported =
  'linear, conv1d, conv2d, conv3d, layerNorm, batchNorm, softmax, dropout, flatten, identity, residual, sequential and ' +
  `the activations ${activationKinds.join(', ')}`

const product = (lengths: readonly number[]): number => lengths.reduce((a, b) => a * b, 1)

/** The signal between two layers: its shape, and the axis that counts its units. */
interface Flow {
  readonly shape: readonly number[]
  readonly channelsFirst: boolean
}

/** Finds the parameter that owns the memory of a name: itself, or the one it is tied to. Throws `UNKNOWN_PARAMETER`. */
export type ParameterOwner = (name: string) => PlannedParameter

/**
 * The model's layers in order, with every shape checked.
 * @throws WeightInitError `INVALID_MODEL` for a model without layers or with a layer of an unsupported kind, `INVALID_SHAPE`
 *   for shapes that do not fit; `UNKNOWN_PARAMETER`, `UNSUPPORTED_DTYPE` for weights that are missing or of a wrong dtype
 */
export function signalSteps(
  model: Model,
  ownerOf: ParameterOwner,
  inputShape: readonly number[] | undefined,
): readonly Step[] {
  const fail = refuse('INVALID_MODEL', 'propagateSignal: ')
  if (typeof model !== 'object' || model === null || !Array.isArray(model.parameters)) {
    return fail(`model must be a model such as sequential(linear(784, 256), relu()), but found ${show(model)}.`)
  }
  const leaves = flatten(model, '')
  if (leaves.length === 0) fail('the model has no layers; give sequential(...) some.')
  const flow = { shape: inputShape ?? shapeFrom(leaves[0]!), channelsFirst: false }
  return stepsOf(leaves, flow, ownerOf).steps
}

interface Leaf {
  readonly name: string
  readonly model: Model
}

const join = (prefix: string, name: string): string =>
  prefix === '' ? name : name === '' ? prefix : `${prefix}.${name}`

/** The layers and residual blocks in order. A sequential is replaced by its layers. */
function flatten(model: Model, name: string): Leaf[] {
  if (model.layer === undefined) {
    throw new WeightInitError(
      'INVALID_MODEL',
      `propagateSignal: ${name === '' ? 'the model' : `${show(name)}`} is a list of parameters without layers, so it is not known what ` +
        'it computes; build it with sequential(linear(784, 256), relu(), ...).',
    )
  }
  if (model.layer.kind !== 'sequential') return [{ name, model }]
  return (model.children ?? []).flatMap(([child, inner]) => flatten(inner, join(name, child)))
}

/** The shape of the input, if the first layer determines it. */
function shapeFrom({ name, model }: Leaf): readonly number[] {
  const { kind = '', config = {} } = model.layer ?? {}
  if (kind === 'linear') return [config.inFeatures as number]
  if (kind === 'layerNorm') return config.normalizedShape as number[]
  const first = kind === 'residual' ? flatten(model.children![0]![1], join(name, 'body'))[0] : undefined
  if (first !== undefined) return shapeFrom(first)
  throw new WeightInitError(
    'INVALID_ARGUMENT',
    `propagateSignal: layer ${show(name)} (${kind}) does not tell the input's shape; give the shape of one example, ` +
      `such as inputShape: ${kind.startsWith('conv') ? '[3, 32, 32]' : '[256]'}.`,
  )
}

function stepsOf(leaves: readonly Leaf[], start: Flow, ownerOf: ParameterOwner): { steps: Step[]; flow: Flow } {
  let flow = start
  const steps: Step[] = []
  for (const leaf of leaves) {
    const next = stepOf(leaf, flow, ownerOf)
    steps.push(next.step)
    flow = next.flow
  }
  return { steps, flow }
}

function stepOf({ name, model }: Leaf, flow: Flow, ownerOf: ParameterOwner): { step: Step; flow: Flow } {
  const { kind = '', config = {} } = model.layer ?? {}
  const label = `layer ${show(name)} (${kind})`
  const refuse = (expected: string): never => {
    throw new WeightInitError(
      'INVALID_SHAPE',
      `propagateSignal: ${label} takes ${expected}, but gets examples of shape ${show(flow.shape)}. ` +
        'Change the layers before it, add flatten() before it, or give another inputShape.',
    )
  }
  const parameter = (own: string): PlannedParameter | undefined =>
    model.parameters.some((spec) => spec.name === own) ? floatParameter(ownerOf, join(name, own), label) : undefined
  const base = (shape: readonly number[], channelsFirst: boolean): StepBase => ({
    name,
    kind,
    inputShape: flow.shape,
    shape,
    inputCount: product(flow.shape),
    count: product(shape),
    unitCount: (channelsFirst ? shape[0] : shape.at(-1)) ?? 1,
    unitStride: channelsFirst ? product(shape.slice(1)) : 1,
  })
  const made = <S extends Step>(step: S, channelsFirst: boolean): { step: S; flow: Flow } => ({
    step,
    flow: { shape: step.shape, channelsFirst },
  })
  const last = flow.shape.at(-1) ?? 1
  switch (kind) {
    case 'linear': {
      const { inFeatures, outFeatures } = config as { inFeatures: number; outFeatures: number }
      if (last !== inFeatures) refuse(`${inFeatures} features as its last axis`)
      const inOut = model.parameters.find((spec) => spec.name === 'weight')?.layout === 'in-out'
      const step = {
        ...base([...flow.shape.slice(0, -1), outFeatures], false),
        op: 'linear',
        inFeatures,
        outFeatures,
      } as const
      return made({ ...step, inOut, weight: parameter('weight')!, bias: parameter('bias') }, false)
    }
    case 'conv1d':
    case 'conv2d':
    case 'conv3d': {
      const conv = convGeometry(config, flow.shape, Number(kind[4]), refuse)
      const step = { ...base([conv.outChannels, ...conv.spatial], true), ...conv, op: 'conv' } as const
      return made({ ...step, weight: parameter('weight')!, bias: parameter('bias') }, true)
    }
    case 'layerNorm': {
      const shape = config.normalizedShape as number[]
      if (show(flow.shape.slice(-shape.length)) !== show(shape)) refuse(`${show(shape)} as its last axes`)
      const step = { ...base(flow.shape, false), op: 'normalize', acrossBatch: false, length: product(shape) } as const
      return made({ ...step, scale: parameter('weight'), shift: parameter('bias') }, false)
    }
    case 'batchNorm': {
      if (flow.shape[0] !== config.features) refuse(`${config.features} features as its first axis`)
      const step = { ...base(flow.shape, true), op: 'normalize', acrossBatch: true, length: 0 } as const
      return made({ ...step, scale: parameter('weight'), shift: parameter('bias') }, true)
    }
    case 'softmax': {
      if (flow.channelsFirst && flow.shape.length > 1) refuse('features as its last axis')
      const step = { ...base(flow.shape, false), op: 'softmax', acrossBatch: false, length: last } as const
      return made({ ...step, scale: undefined, shift: undefined }, false)
    }
    case 'flatten':
      return made({ ...base([product(flow.shape)], false), op: 'pass' }, false)
    case 'dropout':
    case 'identity':
      return made({ ...base(flow.shape, flow.channelsFirst), op: 'pass' }, flow.channelsFirst)
    case 'residual': {
      const [body, shortcut] = [...model.children!, undefined].slice(0, 2) as [[string, Model], [string, Model]?]
      const inner = stepsOf(flatten(body[1], join(name, body[0])), flow, ownerOf)
      const outer =
        shortcut === undefined
          ? { steps: [], flow }
          : stepsOf(flatten(shortcut[1], join(name, shortcut[0])), flow, ownerOf)
      if (show(inner.flow.shape) !== show(outer.flow.shape)) {
        throw new WeightInitError(
          'INVALID_SHAPE',
          `propagateSignal: ${label} adds a body of shape ${show(inner.flow.shape)} to a shortcut of shape ` +
            `${show(outer.flow.shape)}; give residual a shortcut that makes the body's shape, such as linear or conv2d.`,
        )
      }
      const { channelsFirst } = inner.flow
      const step = {
        ...base(inner.flow.shape, channelsFirst),
        op: 'residual',
        body: inner.steps,
        shortcut: outer.steps,
      } as const
      return made(step, channelsFirst)
    }
    default: {
      if (!isActivation(kind)) {
        throw new WeightInitError(
          'INVALID_MODEL',
          `propagateSignal: ${label} is not supported; supported are ${supported}. Pass the part of the model before or ` +
            'after it as a sequential of its own, with parameters of the same names.',
        )
      }
      const activation = { kind, negativeSlope: (config.negativeSlope as number | undefined) ?? 0 }
      return made({ ...base(flow.shape, flow.channelsFirst), op: 'activation', activation }, flow.channelsFirst)
    }
  }
}

function floatParameter(ownerOf: ParameterOwner, name: string, label: string): PlannedParameter {
  const parameter = ownerOf(name)
  if (!isFloatDType(parameter.dtype)) {
    throw new WeightInitError(
      'UNSUPPORTED_DTYPE',
      `propagateSignal: parameter ${show(name)} of ${label} is ${parameter.dtype}; it must be one of ${floatDTypes.join(', ')}.`,
    )
  }
  if (parameter.part !== undefined) {
    throw new WeightInitError(
      'INVALID_MODEL',
      `propagateSignal: of parameter ${show(name)} of ${label} only the part ${show(parameter.part.start)} to ` +
        `${show(parameter.part.end)} is here; initialise the whole, without slice and shard.`,
    )
  }
  return parameter
}

function convGeometry(
  config: Readonly<Record<string, unknown>>,
  shape: readonly number[],
  rank: number,
  refuse: (expected: string) => never,
): Omit<ConvStep, keyof StepBase | 'op' | 'weight' | 'bias'> & { readonly spatial: readonly number[] } {
  const { inChannels, outChannels, groups } = config as { inChannels: number; outChannels: number; groups: number }
  if (shape.length !== rank + 1 || shape[0] !== inChannels) refuse(`[${inChannels}${', length'.repeat(rank)}]`)
  /** Three axes. Those that the layer does not have come first, with values that have no effect. */
  const axes = (list: unknown, fill: number): number[] => {
    const own = (list as number[] | undefined) ?? new Array<number>(rank).fill(fill)
    return [...new Array<number>(3 - rank).fill(fill), ...own]
  }
  const input = axes(shape.slice(1), 1)
  const kernel = axes(config.kernel, 1)
  const stride = axes(config.stride, 1)
  const padding = axes(config.padding, 0)
  const dilation = axes(config.dilation, 1)
  const circular = config.paddingMode === 'circular'
  const output = input.map((length, axis) => {
    const extent = dilation[axis]! * (kernel[axis]! - 1) + 1
    const room = length + 2 * padding[axis]!
    if (extent > room)
      refuse(`at least ${extent - 2 * padding[axis]!} positions per axis for its kernel ${show(config.kernel)}`)
    if (circular && padding[axis]! > length) refuse(`at least ${padding[axis]} positions per axis to wrap its padding`)
    return Math.floor((room - extent) / stride[axis]!) + 1
  })
  const geometry = { input, output, kernel, stride, padding, dilation, circular }
  return { inChannels, outChannels, groups, ...geometry, spatial: output.slice(3 - rank) }
}
