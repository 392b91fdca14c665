import { byteWidth } from '../../core/dtype.js'
import { refuse, show, WeightInitError } from '../../core/errors.js'
import type { Parameter } from '../../ir/parameter.js'
import type { ParameterPart } from '../../ir/part.js'
import type { PlannedParameter } from '../../ir/plan.js'
import type { WholeParameter } from '../plan-parameter.js'
import { partGeometry } from './geometry.js'
import type { PartOptions } from './options.js'
import type { ShardSpec, SliceSpec } from './part-options.js'
import { wholeMatrices } from './whole.js'

/** Axes of a part after merging that shaders/core/part.wgsl has room for. */
export const MAX_PART_AXES = 8

const fail = /* @__PURE__ */ refuse('INVALID_ARGUMENT')

/**
 * Planned parameters as they are stored: whole, or the parts that `slice` and `shard` ask for. Distributions and streams
 * stay those of the whole, so a part holds exactly the elements that the whole has there. A shard without elements leaves
 * its parameter out.
 * @throws WeightInitError `INVALID_ARGUMENT` naming the parameter, the bound and the axis's length
 */
export function cutParameters(
  planned: readonly WholeParameter[],
  parameters: readonly Parameter[],
  options: PartOptions,
): PlannedParameter[] {
  const { slices, shards } = options
  if (slices.size === 0 && shards.length === 0) return planned.map(storedWhole)
  const known = new Map(parameters.map((parameter) => [parameter.name, parameter]))
  for (const name of slices.keys()) {
    const parameter = known.get(name)
    if (parameter === undefined) fail(`slice[${show(name)}]: the model has no parameter of that name.`)
    if (parameter?.tiedTo !== undefined) {
      fail(`slice[${show(name)}]: it shares the memory of ${show(parameter.tiedTo)}; slice that one.`)
    }
  }
  const own = new Map(
    planned
      .filter(({ action }) => action !== 'tied')
      .map((p) => [p.name, p.action === 'initialize' ? cutOne(p, known.get(p.name)!, options) : storedWhole(p)]),
  )
  return planned.map((p) => own.get(p.name) ?? cutTied(p, own.get(p.tiedTo!)!))
}

function cutOne(planned: WholeParameter, parameter: Parameter, { slices, shards }: PartOptions): PlannedParameter {
  const { name, fullShape } = planned
  const slice = slices.get(name)
  const shard = shards.find(({ matcher }) => matcher === undefined || matcher.matches(parameter))
  const axis = shard === undefined ? -1 : shard.axis < 0 ? shard.axis + fullShape.length : shard.axis
  // A parameter without that axis is not cut: every shard holds it whole.
  const sharded = shard !== undefined && axis >= 0 && axis < fullShape.length
  if (slice !== undefined && sharded) {
    fail(`Parameter ${show(name)} is named by slice and by shard; give one of them.`)
  }
  if (slice !== undefined) return storedPart(planned, slicedPart(name, fullShape, slice))
  if (!sharded) return storedWhole(planned)
  const [begin, stop] = shardRange(fullShape[axis]!, shard)
  if (begin === stop) {
    const because = `shard ${shard.index} of ${shard.count} of axis ${axis}, which has ${fullShape[axis]} elements, is empty`
    return storedWhole({ ...planned, action: 'skip', rule: { initializer: 'skip', config: {}, because } })
  }
  return storedPart(planned, {
    fullShape,
    start: fullShape.map((_, i) => (i === axis ? begin : 0)),
    end: fullShape.map((length, i) => (i === axis ? stop : length)),
  })
}

/** [begin, end) of piece `index` of `count` of an axis: numpy.array_split's. */
export function shardRange(length: number, { index, count }: Pick<ShardSpec, 'index' | 'count'>): [number, number] {
  const short = Math.floor(length / count)
  const longer = length % count
  const begin = index * short + Math.min(index, longer)
  return [begin, begin + short + (index < longer ? 1 : 0)]
}

function slicedPart(name: string, fullShape: readonly number[], { start = [], end = [] }: SliceSpec): ParameterPart {
  const where = `slice[${show(name)}]`
  for (const bounds of [start, end]) {
    if (bounds.length > fullShape.length) {
      fail(
        `${where}: ${show(bounds)} has ${bounds.length} bounds, but the shape ${show(fullShape)} has ${fullShape.length} axes.`,
      )
    }
  }
  const part = {
    fullShape,
    start: fullShape.map((_, axis) => start[axis] ?? 0),
    end: fullShape.map((length, axis) => end[axis] ?? length),
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

/** From here on `shape` is that of what is stored. */
function stored({ name, fullShape: _, dtype, ...rest }: WholeParameter, shape: readonly number[]): PlannedParameter {
  const elementCount = shape.reduce((a, b) => a * b, 1)
  return { name, shape, elementCount, dtype, byteLength: elementCount * byteWidth(dtype), ...rest }
}

const storedWhole = (whole: WholeParameter): PlannedParameter => stored(whole, whole.fullShape)

function storedPart(planned: WholeParameter, part: ParameterPart): PlannedParameter {
  const shape = partShape(part)
  if (shape.every((length, axis) => length === part.fullShape[axis])) return storedWhole(planned)
  const whole = wholeMatrices(planned.distribution, part)
  const cut = { ...stored(planned, shape), part, ...(whole === undefined ? {} : { whole }) }
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
function cutTied(tied: WholeParameter, owner: PlannedParameter): PlannedParameter {
  if (owner.part === undefined) {
    // Only a shard that is empty is skipped here: an owner that the caller skips was refused before.
    return storedWhole(owner.action === 'skip' ? { ...tied, action: 'skip', rule: owner.rule } : tied)
  }
  const { fullShape } = owner.part
  if (tied.fullShape.length !== fullShape.length || tied.fullShape.some((length, axis) => length !== fullShape[axis])) {
    fail(
      `Parameter ${show(tied.name)} of shape ${show(tied.fullShape)} is tied to ${show(owner.name)} of shape ${show(fullShape)}; ` +
        'a part of one is no part of the other. Leave both whole.',
    )
  }
  return storedPart(tied, owner.part)
}
