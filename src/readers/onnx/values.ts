import { calculateFans } from '../../initializers/fans.js'
import { validateShape } from '../../model/validate.js'
import type { ParameterFacts } from '../conventions.js'
import type { OnnxTensor } from './messages.js'

/** A tensor with data: an initializer, or what a Constant node holds. */
export interface Source {
  /** Its own among all tensors of the model. */
  readonly name: string
  readonly tensor: OnnxTensor
  /** Of a Constant node: a parameter only where an operator takes it for one. */
  readonly isConstant: boolean
  facts?: ParameterFacts
  doubt?: string
  /** Operators that took it, or what was made of it. */
  readonly users: Set<string>
}

/** A source as an operator sees it: after casts, transposes, reshapes. */
export interface View {
  readonly source: Source
  /** undefined where it cannot be known without running the graph. */
  readonly dims?: readonly number[]
  /** The source's axis of each axis; undefined after a reshape, a slice or a concatenation. */
  readonly axes?: readonly number[]
}

/** What is known of a value of the graph. */
export interface Value {
  readonly views: readonly View[]
  /** The weight of the layer whose output it is, until something else than a bias is done to it. */
  readonly layer?: Source
  /** Where it stands in a decomposed norm. */
  readonly norm?: 'mean' | 'deviation' | 'inverse' | 'normalized' | 'scaled'
}

export const nothing: Value = { views: [] }

export const viewOf = (source: Source): View => ({
  source,
  dims: source.tensor.dims,
  axes: source.tensor.dims.map((_, axis) => axis),
})

const product = (lengths: readonly number[]): number => lengths.reduce((a, b) => a * b, 1)

export function transposed({ source, dims, axes }: View, perm: readonly number[] | undefined): View {
  if (dims === undefined) return { source }
  const order = perm ?? dims.map((_, axis) => dims.length - 1 - axis)
  if (order.length !== dims.length || order.some((axis) => dims[axis] === undefined)) return { source }
  return {
    source,
    dims: order.map((axis) => dims[axis]!),
    ...(axes === undefined ? {} : { axes: order.map((axis) => axes[axis]!) }),
  }
}

/** ONNX's Reshape: 0 keeps an axis, -1 is what remains. */
export function reshaped({ source, dims }: View, shape: readonly number[] | undefined): View {
  if (dims === undefined || shape === undefined) return { source }
  const fixed = shape.map((length, axis) => (length === 0 ? (dims[axis] ?? 0) : length))
  const known = product(fixed.filter((length) => length !== -1))
  const result = fixed.map((length) => (length === -1 ? product(dims) / known : length))
  if (product(result) !== product(dims) || !result.every(Number.isSafeInteger)) return { source }
  return result.length === dims.length && result.every((length, axis) => length === dims[axis])
    ? viewOrSame(source, dims)
    : { source, dims: result }
}

const viewOrSame = (source: Source, dims: readonly number[]): View =>
  String(dims) === String(source.tensor.dims) ? viewOf(source) : { source, dims }

/** Axes of length 1 are put in at `axes` of the result. */
export function unsqueezed(view: View, axes: readonly number[] | undefined): View {
  const { source, dims } = view
  if (dims === undefined || axes === undefined) return { source }
  const rank = dims.length + axes.length
  const at = new Set(axes.map((axis) => (axis < 0 ? axis + rank : axis)))
  const rest = [...dims]
  return { source, dims: Array.from({ length: rank }, (_, axis) => (at.has(axis) ? 1 : (rest.shift() ?? 1))) }
}

export function squeezed({ source, dims }: View, axes: readonly number[] | undefined): View {
  if (dims === undefined) return { source }
  const at = axes === undefined ? undefined : new Set(axes.map((axis) => (axis < 0 ? axis + dims.length : axis)))
  return viewOrSame(
    source,
    dims.filter((length, axis) => (at === undefined ? length !== 1 : !at.has(axis))),
  )
}

/** A view whose length along one axis changed. */
export function resized({ source, dims }: View, axis: number, length: number | undefined): View {
  if (dims === undefined || length === undefined || length < 1) return { source }
  const at = axis < 0 ? axis + dims.length : axis
  return { source, dims: dims.map((old, index) => (index === at ? length : old)) }
}

/**
 * What a weight in the shape that the operator sees is in the shape that the file stores. The fans are those of the
 * operator; where layout cannot say them, they are given as numbers.
 */
export function weightFacts({ source, dims, axes }: View, seen: ParameterFacts): ParameterFacts | undefined {
  const stored = source.tensor.dims
  if (dims === undefined) return stored.length >= 2 ? { role: 'weight', ...attached(seen) } : undefined
  if (!fits(seen, dims)) return undefined
  const isSame = axes?.every((axis, index) => axis === index) === true
  if (isSame && dims.length >= 2) return seen
  const isSwapped = String(axes) === '1,0' && (seen.layout ?? 'out-in') !== 'transposed' && (seen.groups ?? 1) === 1
  if (isSwapped) return { ...seen, layout: seen.layout === 'in-out' ? 'out-in' : 'in-out' }
  const { shape, elementCount } = validateShape(dims, 'a weight')
  const { fanIn, fanOut } = calculateFans({
    name: source.name,
    dtype: 'float32',
    role: 'weight',
    layout: 'out-in',
    groups: 1,
    blocks: 1,
    batchAxes: 0,
    ...(seen as object),
    shape,
    elementCount,
  })
  return { role: 'weight', layout: 'in-out', fan: { in: fanIn, out: fanOut }, ...attached(seen) }
}

/** The facts that do not depend on the axes. */
const attached = ({ module, layerWeight }: ParameterFacts): ParameterFacts => ({
  ...(module === undefined ? {} : { module }),
  ...(layerWeight === undefined ? {} : { layerWeight }),
})

/** Facts that contradict the shape (a lying file, an exotic broadcast) are left out: the name decides. */
function fits(
  { groups = 1, blocks = 1, batchAxes = 0, layout, fan }: ParameterFacts,
  dims: readonly number[],
): boolean {
  if (fan !== undefined) return true
  const outAxis = layout === 'in-out' ? dims.length - 1 : batchAxes + (layout === 'transposed' ? 1 : 0)
  const outputs = dims[outAxis] ?? 0
  const grouped = layout === 'transposed' ? (dims[batchAxes] ?? 0) : outputs
  return dims.length >= batchAxes + 2 && !dims.includes(0) && grouped % groups === 0 && outputs % blocks === 0
}
