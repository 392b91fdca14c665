import { byteWidth } from '../../core/dtype.js'
import { show, WeightInitError } from '../../core/errors.js'
import type { Parameter } from '../../ir/parameter.js'
import type { ParameterPart } from '../../ir/part.js'
import type { PlannedParameter } from '../../ir/plan.js'
import { partGeometry } from './geometry.js'
import type { PartOptions } from './options.js'
import type { ShardSpec, SliceSpec } from './part-options.js'
import { wholeMatrices } from './whole.js'

/** Axes of a part after merging that shaders/core/part.wgsl has room for. */
export const MAX_PART_AXES = 8

const fail = (message: string): never => {
  throw new WeightInitError('INVALID_ARGUMENT', message)
}

/**
 * Cuts planned parameters to the parts that `slice` and `shard` ask for. Distributions and streams stay those of the whole, so a
 * part holds exactly the elements that the whole has there. A shard without elements leaves its parameter out.
 * @throws WeightInitError `INVALID_ARGUMENT` naming the parameter, the bound and the axis's length
 */
export function cutParameters(
  planned: readonly PlannedParameter[],
  parameters: readonly Parameter[],
  options: PartOptions,
): PlannedParameter[] {
  const { slices, shards } = options
  if (slices.size === 0 && shards.length === 0) return [...planned]
  const known = new Map(parameters.map((parameter) => [parameter.name, parameter]))
  for (const name of slices.keys()) {
    const parameter = known.get(name)
    if (parameter === undefined) fail(`slice[${show(name)}]: the model has no parameter of that name.`)
    if (parameter?.tiedTo !== undefined) {
      fail(`slice[${show(name)}]: it shares the memory of ${show(parameter.tiedTo)}; slice that one.`)
    }
  }
  const cut = new Map(
    planned.map((p) => [p.name, p.action === 'initialize' ? cutOne(p, known.get(p.name)!, options) : p] as const),
  )
  return planned.map((p) => (p.action === 'tied' ? cutTied(p, cut.get(p.tiedTo!)!) : cut.get(p.name)!))
}

function cutOne(planned: PlannedParameter, parameter: Parameter, { slices, shards }: PartOptions): PlannedParameter {
  const { name, shape } = planned
  const slice = slices.get(name)
  const shard = shards.find(({ matcher }) => matcher === undefined || matcher.matches(parameter))
  const axis = shard === undefined ? -1 : shard.axis < 0 ? shard.axis + shape.length : shard.axis
  // A parameter without that axis is not cut: every shard holds it whole.
  const sharded = shard !== undefined && axis >= 0 && axis < shape.length
  if (slice !== undefined && sharded) {
    fail(`Parameter ${show(name)} is named by slice and by shard; give one of them.`)
  }
  if (slice !== undefined) return withPart(planned, slicedPart(name, shape, slice))
  if (!sharded) return planned
  const [begin, stop] = shardRange(shape[axis]!, shard)
  if (begin === stop) {
    const because = `shard ${shard.index} of ${shard.count} of axis ${axis}, which has ${shape[axis]} elements, is empty`
    return { ...planned, action: 'skip', rule: { initializer: 'skip', config: {}, because } }
  }
  return withPart(planned, {
    fullShape: shape,
    start: shape.map((_, i) => (i === axis ? begin : 0)),
    end: shape.map((length, i) => (i === axis ? stop : length)),
  })
}

/** [begin, end) of piece `index` of `count` of an axis: numpy.array_split's. */
export function shardRange(length: number, { index, count }: Pick<ShardSpec, 'index' | 'count'>): [number, number] {
  const short = Math.floor(length / count)
  const longer = length % count
  const begin = index * short + Math.min(index, longer)
  return [begin, begin + short + (index < longer ? 1 : 0)]
}

function slicedPart(name: string, shape: readonly number[], { start = [], end = [] }: SliceSpec): ParameterPart {
  const where = `slice[${show(name)}]`
  for (const bounds of [start, end]) {
    if (bounds.length > shape.length) {
      fail(
        `${where}: ${show(bounds)} has ${bounds.length} bounds, but the shape ${show(shape)} has ${shape.length} axes.`,
      )
    }
  }
  const part = {
    fullShape: shape,
    start: shape.map((_, axis) => start[axis] ?? 0),
    end: shape.map((length, axis) => end[axis] ?? length),
  }
  checkPart(part, where)
  return part
}

/** @throws WeightInitError `INVALID_ARGUMENT` for bounds outside the shape, an empty part, or too many cut axes */
export function checkPart({ fullShape, start, end }: ParameterPart, where: string): void {
  fullShape.forEach((length, axis) => {
    const [begin, stop] = [start[axis]!, end[axis]!]
    if (!(begin < stop && stop <= length)) {
      fail(
        `${where}: [${begin}, ${stop}) on axis ${axis} must be a non-empty part of [0, ${length}), that axis of ${show(fullShape)}.`,
      )
    }
  })
  const { axes } = partGeometry(fullShape, start, end)
  if (axes.length > MAX_PART_AXES) {
    throw new WeightInitError(
      'LIMIT_EXCEEDED',
      `${where}: the part falls into ${axes.length} nested runs, more than ${MAX_PART_AXES}; cut fewer axes.`,
    )
  }
}

export const partShape = ({ start, end }: ParameterPart): number[] => end.map((stop, axis) => stop - start[axis]!)

function withPart(planned: PlannedParameter, part: ParameterPart): PlannedParameter {
  const shape = partShape(part)
  if (shape.every((length, axis) => length === part.fullShape[axis])) return planned
  const elementCount = shape.reduce((a, b) => a * b, 1)
  const whole = wholeMatrices(planned.distribution, part)
  const cut = {
    ...planned,
    shape,
    elementCount,
    byteLength: elementCount * byteWidth(planned.dtype),
    part,
    ...(whole === undefined ? {} : { whole }),
  }
  checkPartSource(cut)
  return cut
}

/**
 * Another library's generator makes a part that is one run of neighbours, such as rows; other parts are refused.
 * @throws WeightInitError `UNSUPPORTED_GENERATOR` naming the parameter and the remedy
 */
export function checkPartSource({ name, action, part, generatorSource, distribution }: PlannedParameter): void {
  if (
    part === undefined ||
    generatorSource === undefined ||
    action !== 'initialize' ||
    distribution.kind === 'constant'
  )
    return
  // Orthogonal matrices are made whole, whatever draws them.
  if (distribution.kind === 'orthogonal' || partGeometry(part.fullShape, part.start, part.end).axes.length === 1) return
  throw new WeightInitError(
    'UNSUPPORTED_GENERATOR',
    `Parameter ${show(name)} of shape ${show(part.fullShape)}: generator ${generatorSource.generator} makes only parts that are ` +
      "one run of neighbouring elements; cut its first axis, leave it whole, or use generator 'philox'.",
  )
}

/** A tied parameter holds what its owner holds. */
function cutTied(tied: PlannedParameter, owner: PlannedParameter): PlannedParameter {
  if (owner.part === undefined) return owner.action === 'skip' ? { ...tied, ...emptied(owner) } : tied
  const { fullShape } = owner.part
  if (tied.shape.length !== fullShape.length || tied.shape.some((length, axis) => length !== fullShape[axis])) {
    fail(
      `Parameter ${show(tied.name)} of shape ${show(tied.shape)} is tied to ${show(owner.name)} of shape ${show(fullShape)}; ` +
        'a part of one is no part of the other. Leave both whole.',
    )
  }
  return withPart(tied, owner.part)
}

/** Only a shard that is empty gets here: an owner that the caller skips was refused before. */
const emptied = ({ rule }: PlannedParameter): Pick<PlannedParameter, 'action' | 'rule'> => ({ action: 'skip', rule })
