import { checkDType, type DType } from '../core/dtype.js'
import { refuse, refuseUnknownKeys, show, WeightInitError } from '../core/errors.js'
import {
  type Layout,
  layouts,
  type Model,
  type Parameter,
  type ParameterRole,
  type ParameterSpec,
  parameterRoles,
} from '../ir/parameter.js'

const specKeys = [
  'name',
  'shape',
  'dtype',
  'role',
  'layout',
  'groups',
  'blocks',
  'batchAxes',
  'paddingIndex',
  'fan',
  'module',
  'layerWeight',
  'initial',
  'tiedTo',
]

/**
 * Checks a model and fills in every default. The whole model is checked before anything else happens; the first fault is
 * thrown.
 * @throws WeightInitError `INVALID_MODEL`, `INVALID_SHAPE` or `UNSUPPORTED_DTYPE`
 */
export function validateModel(model: unknown): Parameter[] {
  const list = (model as Model | undefined)?.parameters
  if (typeof model !== 'object' || model === null || !Array.isArray(list)) {
    throw new WeightInitError(
      'INVALID_MODEL',
      `A model is an object with a list of parameters, but found ${show(model)}. ` +
        'Build one with defineModel({ parameters: [{ name, shape }] }) or sequential(linear(784, 256), ...).',
    )
  }
  if (list.length === 0) {
    throw new WeightInitError(
      'INVALID_MODEL',
      'The model has no parameters; add a layer that has some, such as linear(784, 256).',
    )
  }
  const names = new Set(Array.from(list as unknown[], (spec) => (spec as ParameterSpec | null | undefined)?.name))
  const byName = new Map<string, Parameter>()
  // Array.from rather than list.map, which would skip the holes of a sparse array.
  const parameters = Array.from(list as unknown[], (spec, index) => {
    const parameter = validateSpec(spec, index, names)
    if (byName.has(parameter.name)) {
      throw new WeightInitError(
        'INVALID_MODEL',
        `Two parameters are called ${show(parameter.name)}; names choose the random stream and must be unique.`,
      )
    }
    byName.set(parameter.name, parameter)
    return parameter
  })
  for (const parameter of parameters) checkTie(parameter, byName)
  return parameters
}

function validateSpec(value: unknown, index: number, names: ReadonlySet<unknown>): Parameter {
  const fail = refuse('INVALID_MODEL')
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    fail(`Parameter ${index} must be an object { name, shape, ... }, but found ${show(value)}.`)
  }
  const spec = value as Record<string, unknown>
  const name = spec.name
  if (typeof name !== 'string' || name.length === 0) {
    return fail(`Parameter ${index} needs a name, a non-empty string, but found ${show(name)}.`)
  }
  const where = `Parameter ${show(name)}`
  refuseUnknownKeys(spec, specKeys, `${where}:`, 'INVALID_MODEL')
  const { shape, elementCount } = validateShape(spec.shape, where)
  const dtype: DType = checkDType(spec.dtype ?? 'float32', where)
  const role = spec.role ?? inferRole(name, shape, names)
  if (!(parameterRoles as readonly unknown[]).includes(role)) {
    fail(`${where}: unknown role ${show(role)}; known: ${parameterRoles.join(', ')}.`)
  }
  const layout = spec.layout ?? 'out-in'
  if (!(layouts as readonly unknown[]).includes(layout)) {
    fail(`${where}: unknown layout ${show(layout)}; known: ${layouts.join(', ')}.`)
  }
  const count = (key: 'groups' | 'blocks' | 'batchAxes', least: number): number => {
    const value = spec[key] ?? least
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value
    return fail(
      `${where}: ${key} must be a ${least === 1 ? 'positive' : 'non-negative'} integer, but found ${show(value)}.`,
    )
  }
  const groups = count('groups', 1)
  const blocks = count('blocks', 1)
  const batchAxes = count('batchAxes', 0)
  if (batchAxes > 0 && batchAxes > shape.length - 2) {
    fail(`${where}: batchAxes ${batchAxes} leaves fewer than two of the ${shape.length} axes of ${show(shape)}.`)
  }
  // Groups and blocks split the output channels, except that groups split the input channels of a transposed weight.
  const outAxis = layout === 'out-in' ? batchAxes : layout === 'in-out' ? shape.length - 1 : batchAxes + 1
  const groupAxis = layout === 'transposed' ? batchAxes : outAxis
  const divides = (key: string, divisor: number, axis: number): void => {
    const length = shape[axis] ?? 1
    if (length % divisor !== 0) {
      fail(`${where}: ${key} ${divisor} must divide ${length}, the channels on axis ${axis} of ${show(shape)}.`)
    }
  }
  divides('groups', groups, groupAxis)
  divides('blocks', blocks, outAxis)
  const paddingIndex = checkPadding(spec.paddingIndex, shape, where)
  const fan = spec.fan as { in?: unknown; out?: unknown } | undefined
  if (fan !== undefined) {
    if (typeof fan !== 'object' || fan === null) fail(`${where}: fan must be { in, out }, but found ${show(fan)}.`)
    refuseUnknownKeys(fan, ['in', 'out'], `${where}: fan`, 'INVALID_MODEL')
    for (const side of ['in', 'out'] as const) {
      const v = fan[side]
      if (typeof v !== 'number' || !Number.isFinite(v) || v <= 0) {
        fail(`${where}: fan.${side} must be a positive number, but found ${show(v)}.`)
      }
    }
  }
  const optional: Record<string, unknown> = {}
  for (const [key, type] of Object.entries({ module: 'string', layerWeight: 'string', initial: 'number' })) {
    const v = spec[key]
    if (v === undefined) continue
    if (typeof v !== type) fail(`${where}: ${key} must be a ${type}, but found ${show(v)}.`)
    optional[key] = v
  }
  const tiedTo = spec.tiedTo
  if (tiedTo !== undefined && typeof tiedTo !== 'string') {
    fail(`${where}: tiedTo must be the name of another parameter, but found ${show(tiedTo)}.`)
  }
  return {
    name,
    shape,
    elementCount,
    dtype,
    role: role as ParameterRole,
    layout: layout as Layout,
    groups,
    blocks,
    batchAxes,
    ...(paddingIndex === undefined ? {} : { paddingIndex }),
    ...(fan === undefined ? {} : { fan: { in: fan.in as number, out: fan.out as number } }),
    ...optional,
    ...(tiedTo === undefined ? {} : { tiedTo: tiedTo as string }),
  }
}

/** PyTorch's rule and wording: the index must be within the rows, and a negative index counts from the end. */
function checkPadding(value: unknown, shape: readonly number[], where: string): number | undefined {
  if (value === undefined) return undefined
  const rows = shape[0] ?? 0
  if (shape.length !== 2 || typeof value !== 'number' || !Number.isInteger(value) || value < -rows || value >= rows) {
    throw new WeightInitError(
      'INVALID_MODEL',
      `${where}: Padding_idx must be within num_embeddings: paddingIndex ${show(value)} is not a row of shape ${show(shape)}.`,
    )
  }
  return value < 0 ? rows + value : value
}

/** @throws WeightInitError `INVALID_SHAPE` */
export function validateShape(value: unknown, where: string): { shape: readonly number[]; elementCount: number } {
  const fail = refuse('INVALID_SHAPE', `${where}: `)
  if (!Array.isArray(value)) return fail(`shape must be an array of positive integers, but found ${show(value)}.`)
  let elementCount = 1
  for (let axis = 0; axis < value.length; axis++) {
    const length: unknown = value[axis]
    if (typeof length !== 'number' || !Number.isSafeInteger(length) || length < 1) {
      fail(
        `dimension ${axis} of shape ${show(value)} is ${show(length)}; every dimension must be a positive integer. ` +
          (length === 0 ? 'A zero-element tensor has nothing to initialise: leave it out.' : ''),
      )
    }
    elementCount *= length as number
    if (!Number.isSafeInteger(elementCount)) {
      fail(`shape ${show(value)} has more than 2^53 - 1 elements, which cannot be addressed.`)
    }
  }
  return { shape: Object.freeze([...(value as number[])]), elementCount }
}

/** What a running statistic starts at, by the names of PyTorch, Keras and Flax: variances 1, means and counts 0. */
export function initialStatistic(name: string): 0 | 1 | undefined {
  const found = /(^|[./])(running_|moving_|batch_stats[./].*[./])(mean|var(iance)?)(:0)?$|num_batches_tracked$/.exec(
    name,
  )
  return found === null ? undefined : found[3]?.startsWith('var') ? 1 : 0
}

/** Whether all axes but one have length 1: such a tensor scales or shifts along one axis, as a vector does. */
export const isVector = (shape: readonly number[]): boolean => shape.filter((length) => length !== 1).length < 2

/**
 * What a parameter is by its name and shape. Two or more axes are a weight; a vector is what its name says: a bias ends in
 * `bias`, or is called `b` or `beta`; `weight`, `scale`, `gamma` and `beta` of a module that is named as a norm are a norm's.
 * PyTorch's only vectors called `weight` are those of norms and PReLU's slope, so that a `weight` with a `bias` is a norm's.
 * Anything else is unknown. Names may be written with `.` or `/`.
 *
 * @param names of all parameters of the model; without them, a vector called `weight` counts as a norm's
 */
export function inferRole(name: string, shape: readonly number[], names?: ReadonlySet<unknown>): ParameterRole {
  if (initialStatistic(name) !== undefined) return 'buffer'
  // The module may be one of a list: norms.0.
  const [last = '', ...path] = name.replace(/:0$/, '').split(/[./]/).reverse()
  const owner = (shape.length < 2 ? path.find((part) => !/^\d+$/.test(part)) : path[0]) ?? ''
  // A norm's own name: norm, norm1, layer_norm, LayerNorm_0, ln_1, ln_f, bn2, input_layernorm, group_norm, ...
  const isNorm = /(norm|^ln|^bn|_ln|_bn)[a-z0-9_]*$/i.test(owner)
  if (shape.length >= 2) {
    const isScale = isNorm && /^(weight|scale|gamma|bias|beta)$/.test(last)
    if (!isVector(shape) || (!isScale && /(^|_)(weight|kernel)(_([ih]h|hr|orig|v)\w*)?$|^w\d*$/i.test(last)))
      return 'weight'
  }
  if (isNorm && /^(weight|gamma|scale)$/.test(last)) return 'norm-scale'
  if (last === 'weight') {
    if (/^act\d*$|prelu/i.test(owner)) return 'scale'
    if (names === undefined || names.has(name.replace(/weight$/, 'bias'))) return 'norm-scale'
    // A PReLU has one slope unless it is told otherwise, and no norm is over one feature.
    return shape.every((length) => length === 1) ? 'scale' : 'unknown'
  }
  if (/bias$|^bias_[ih]h|^(b\d*|beta)$/i.test(last)) return isNorm ? 'norm-bias' : 'bias'
  return 'unknown'
}

function checkTie(
  { name, tiedTo, elementCount, dtype, shape }: Parameter,
  byName: ReadonlyMap<string, Parameter>,
): void {
  if (tiedTo === undefined) return
  const target = byName.get(tiedTo)
  const why =
    target === undefined
      ? 'which is not a parameter of this model.'
      : target.name === name
        ? 'which is itself.'
        : target.tiedTo !== undefined
          ? `which is itself tied to ${show(target.tiedTo)}; tie it to that one.`
          : target.elementCount !== elementCount || target.dtype !== dtype
            ? `which has shape ${show(target.shape)} and dtype ${target.dtype}, but its own are ${show(shape)} and ${dtype}.`
            : undefined
  if (why !== undefined) {
    throw new WeightInitError('INVALID_MODEL', `Parameter ${show(name)} is tied to ${show(tiedTo)}, ${why}`)
  }
}
