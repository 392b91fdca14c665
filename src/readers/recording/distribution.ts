// Which distribution the recorded writes of a parameter amount to.

import { show } from '../../core/errors.js'
import type { ReadProgram } from '../../generators/torch/program/parse.js'
import type { Argument, Call, ProgramTensor, Region, Write } from '../../generators/torch/program/types.js'
import type { Distribution } from '../../ir/distribution.js'
import type { Summary } from './summary.js'

/** What is known of a parameter. */
export type Recorded =
  | { readonly kind: 'distribution'; readonly distribution: Distribution; readonly paddingIndex?: number }
  /** Made from draws, and no distribution that this package has. */
  | { readonly kind: 'computed'; readonly operations: string }
  /** Constants, and nothing drawn. */
  | { readonly kind: 'fixed' }
  /** Not to be made from the recording. */
  | { readonly kind: 'outside'; readonly reason: string }

/** What a parameter's writes come to, whatever PyTorch's arithmetic rounds. */
export function recordedDistribution(
  tensor: ProgramTensor,
  { drawn, table, refusal }: Summary,
  program: ReadProgram,
  follow: Follower,
): Recorded {
  const { writes } = tensor
  if (writes.length === 0) {
    return { kind: 'outside', reason: 'nothing ever writes it: PyTorch leaves what its memory held' }
  }
  if (table !== undefined) return { kind: 'outside', reason: tableReason(table) }
  if (refusal !== undefined) return { kind: 'outside', reason: refusal }
  if (!drawn) return { kind: 'fixed' }
  const state = follow(tensor)
  if (state === undefined) return { kind: 'computed', operations: describe(writes, program.calls) }
  const { current, paddingIndex } = state
  return { kind: 'distribution', distribution: current, ...(paddingIndex === undefined ? {} : { paddingIndex }) }
}

/** Why a parameter is equal to PyTorch's within rounding only; undefined where every bit is. */
export function roundedReason({ drawn, exact, orthogonal }: Summary): string | undefined {
  if (!drawn || exact) return undefined
  return orthogonal
    ? "its matrices agree with those of PyTorch's linear algebra within 3e-5 of their std, not bit for bit"
    : 'its last bits are those of the vector library that PyTorch was built with (exp, log, sqrt, erfinv), or of its order of sums'
}

function tableReason({ operations, random, data }: Write): string {
  const made = operations.join(', ')
  if (random) return `it comes from draws by ${made}, which is not described: take it from PyTorch`
  if (data !== undefined)
    return `it is a table made by ${made}; its values are ${show(data)} in the file of --values: copy them (init --from FILE)`
  return `it is a table made by ${made}, whose values the recording does not hold: record the model with --values, and copy them`
}

export interface State {
  readonly current: Distribution
  readonly paddingIndex?: number
}

/** The distribution after every write; undefined where it is none. */
export type Follower = (tensor: ProgramTensor) => State | undefined

/** Follows each tensor once: values first, which use earlier ones only. */
export function follower(program: ReadProgram): Follower {
  const known = new Map<string, State | undefined>()
  const follow: Follower = (tensor) => {
    const { writes } = tensor
    const tiles = leadingTiles(tensor, program)
    let state: State | undefined = tiles
    for (const write of writes.slice(tiles?.writes ?? 0)) {
      const copied = write.from === undefined ? undefined : known.get(write.from)
      state = after(state, write, tensor, copied, program)
      if (state === undefined && isLost(write)) return undefined
    }
    return (
      state && {
        current: state.current,
        ...(state.paddingIndex === undefined ? {} : { paddingIndex: state.paddingIndex }),
      }
    )
  }
  for (const [name, value] of program.values) known.set(name, follow(value))
  return follow
}

/** Whether what this write leaves can only be a distribution again after something else replaces it all. */
const isLost = ({ part }: Write): boolean => part !== undefined

/** Parts that together are the whole tensor, each drawn from the same distribution: the first writes. */
function leadingTiles(
  { writes, elementCount }: ProgramTensor,
  { calls }: ReadProgram,
): (State & { readonly writes: number }) | undefined {
  const first = writes[0]
  if (first?.call === undefined || first.part === undefined) return undefined
  const distribution = drawnBy(calls[first.call]!)
  let covered = 0
  let count = 0
  for (const { call, part } of writes) {
    if (call === undefined || part === undefined || covered === elementCount) break
    if (JSON.stringify(drawnBy(calls[call]!)) !== JSON.stringify(distribution)) return undefined
    covered += part.elementCount
    count++
  }
  if (covered !== elementCount || distribution === undefined) return undefined
  const parts = writes.slice(0, count).map(({ part }) => part!)
  if (distribution.kind === 'orthogonal') {
    const each = distribution.rows * distribution.columns
    if (!parts.every(({ dense, offset, elementCount: own }, i) => dense && offset === i * each && own === each))
      return undefined
    return { current: { ...distribution, batch: count }, writes: count }
  }
  if (distribution.kind === 'sparse' || !isTiling(parts, elementCount)) return undefined
  return { current: distribution, writes: count }
}

/** Elements that are looked at one by one. */
const MOST_MARKED = 2 ** 24

/** Whether parts of as many elements as the tensor has never meet. */
function isTiling(parts: readonly Region[], elementCount: number): boolean {
  if (parts.every(({ dense }) => dense)) {
    const sorted = [...parts].sort((a, b) => a.offset - b.offset)
    let end = 0
    for (const { offset, elementCount: own } of sorted) {
      if (offset !== end) return false
      end += own
    }
    return true
  }
  // Interleaved: equal parts of one stride, beginning one after another.
  const [first] = parts
  if (elementCount > MOST_MARKED && first !== undefined) return false
  const marked = new Uint8Array(elementCount)
  for (const part of parts) {
    if (!isInjective(part)) return false
    visitMarks(part, marked)
  }
  return marked.every((mark) => mark === 1)
}

function visitMarks(region: Region, marked: Uint8Array): void {
  const digits = region.shape.map(() => 0)
  let index = region.offset
  for (let i = 0; i < region.elementCount; i++) {
    marked[index]!++
    for (let axis = digits.length - 1; axis >= 0; axis--) {
      index += region.strides[axis]!
      if (++digits[axis]! < region.shape[axis]!) break
      index -= region.shape[axis]! * region.strides[axis]!
      digits[axis] = 0
    }
  }
}

/** Whether no element comes twice, for regions whose axes nest in one another, as all views of PyTorch do. */
function isInjective({ shape, strides }: Region): boolean {
  const axes = shape
    .map((length, axis) => ({ length, stride: strides[axis]! }))
    .filter(({ length }) => length > 1)
    .sort((a, b) => a.stride - b.stride)
  let reach = 1
  for (const { length, stride } of axes) {
    if (stride < reach) return false
    reach = stride * length
  }
  return true
}

/** The distribution of one call, undefined for those that this package does not have. */
function drawnBy({ operation, arguments: given, rows, columns }: Call): Distribution | undefined {
  const [a, b, low, high] = given.map(Number) as [number, number, number, number]
  switch (operation) {
    case 'normal_':
    case 'randn':
      return { kind: 'normal', mean: a, std: b }
    case 'uniform_':
    case 'rand':
      return { kind: 'uniform', low: a, high: b }
    case 'trunc_normal_':
      return { kind: 'truncated-normal', mean: a, std: b, low, high }
    case 'sparse_':
      return { kind: 'sparse', std: b, rows, columns, zeros: Math.ceil(a * rows) }
    case 'orthogonal_':
      return { kind: 'orthogonal', gain: a, batch: 1, rows, columns, field: 1, centre: 0, stride: 1 }
    default:
      return undefined
  }
}

function after(
  state: State | undefined,
  write: Write,
  tensor: ProgramTensor,
  copied: State | undefined,
  program: ReadProgram,
): State | undefined {
  const { part, operation, call, from, source } = write
  const whole = part === undefined || (part.elementCount === tensor.elementCount && isInjective(part))
  if (call !== undefined) {
    if (!whole || (part !== undefined && !part.dense && operation === 'orthogonal_')) return undefined
    const drawn = drawnBy(program.calls[call]!)
    return drawn && { current: drawn }
  }
  if (operation === 'copy_' && whole && source !== undefined && isInjective(source)) {
    const each = copied?.current.kind
    const independent = each === 'normal' || each === 'uniform' || each === 'truncated-normal'
    return copied !== undefined && independent && copied.paddingIndex === undefined ? copied : undefined
  }
  if (state === undefined) return undefined
  if (operation === 'fill_' && !whole) return padded(state, write, tensor)
  if (!whole || from !== undefined) return undefined
  return changed(state, operation, write.arguments)
}

/** A row of zeros in a matrix. */
function padded(state: State, { part, arguments: given }: Write, { shape }: ProgramTensor): State | undefined {
  const [, columns = 0] = shape
  if (shape.length !== 2 || part === undefined || !part.dense || Number(given[0]) !== 0) return undefined
  if (part.elementCount !== columns || part.offset % columns !== 0 || Object.is(Number(given[0]), -0)) return undefined
  const paddingIndex = part.offset / columns
  if (state.paddingIndex !== undefined && state.paddingIndex !== paddingIndex) return undefined
  return state.current.kind === 'orthogonal' ? undefined : { ...state, paddingIndex }
}

/** What a number does to a distribution: scaled and moved ones are of the same kind. */
function changed(state: State, operation: string, given: readonly Argument[]): State | undefined {
  const number = Number(given[0])
  const alpha = given[1] === undefined ? 1 : Number(given[1])
  const scaled = (by: number): State | undefined => {
    const current = scaledDistribution(state.current, by)
    return current && { ...state, current }
  }
  // A padding row would not stay 0.
  const moved = (by: number): State | undefined => {
    const current = state.paddingIndex === undefined ? movedDistribution(state.current, by) : undefined
    return current && { ...state, current }
  }
  switch (operation) {
    case 'to':
      return state
    case 'mul_':
      return scaled(number)
    case 'div_':
      return Number.isFinite(1 / number) ? scaled(1 / number) : undefined
    case 'neg_':
      return scaled(-1)
    case 'add_':
      return moved(number * alpha)
    case 'sub_':
      return moved(-number * alpha)
    case 'clamp_':
      return clamped(state, given)
    default:
      return undefined
  }
}

function scaledDistribution(d: Distribution, by: number): Distribution | undefined {
  const ends = (low: number, high: number): { low: number; high: number } =>
    by < 0 ? { low: high * by, high: low * by } : { low: low * by, high: high * by }
  switch (d.kind) {
    case 'normal':
      return { ...d, mean: d.mean * by, std: d.std * Math.abs(by) }
    case 'uniform':
      return { ...d, ...ends(d.low, d.high) }
    case 'truncated-normal':
      return by === 0 ? undefined : { ...d, mean: d.mean * by, std: d.std * Math.abs(by), ...ends(d.low, d.high) }
    case 'sparse':
      return { ...d, std: d.std * Math.abs(by) }
    case 'orthogonal':
      return { ...d, gain: d.gain * by }
    default:
      return undefined
  }
}

function movedDistribution(d: Distribution, by: number): Distribution | undefined {
  switch (d.kind) {
    case 'normal':
      return { ...d, mean: d.mean + by }
    case 'uniform':
      return { ...d, low: d.low + by, high: d.high + by }
    case 'truncated-normal':
      return { ...d, mean: d.mean + by, low: d.low + by, high: d.high + by }
    default:
      return undefined
  }
}

/** Only where the bounds cut nothing off. */
function clamped(state: State, [low = null, high = null]: readonly Argument[]): State | undefined {
  const { current } = state
  if (current.kind !== 'uniform' && current.kind !== 'truncated-normal') return undefined
  const below = low === null || Number(low) <= current.low
  const above = high === null || Number(high) >= current.high
  return below && above ? state : undefined
}

/** The operations, for people: 'rand, mul_ 3, exp_'. */
function describe(writes: readonly Write[], calls: readonly Call[]): string {
  const names = writes
    .slice(0, 8)
    .map(({ operation, arguments: given, call }) =>
      call === undefined
        ? [operation, ...given.map(String)].join(' ')
        : [calls[call]!.operation, ...calls[call]!.arguments.map(String)].join(' '),
    )
  return [...names, ...(writes.length > names.length ? ['...'] : [])].join(', ').slice(0, 200)
}
