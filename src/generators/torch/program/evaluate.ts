// The elements of a recorded tensor: its writes, applied in order. Every operation rounds as PyTorch does.

import { refuse, show, WeightInitError } from '../../../core/errors.js'
import { fusedMultiplyAdd } from '../../../random/libraries/fma.js'
import { inverseErf } from '../../../random/libraries/inverse-erf.js'
import { arrayFor, type Elements, isNarrow, opmath, rounding, visitRegion } from './arithmetic.js'
import { drawAll, drawRange, isAddressable } from './draw.js'
import type { Draw } from './elements.js'
import { numberOf, wholeRegion } from './parse.js'
import type { ArrayDType, Call, ProgramTensor, Region, Write } from './types.js'

/** A tensor with everything its writes refer to. */
export interface Evaluation {
  readonly tensor: ProgramTensor
  readonly values: ReadonlyMap<string, ProgramTensor>
  drawOf(call: number): Draw
}

/** Elements of a tensor that is made whole: its parts come from other places of it, or of other tensors. */
export const MOST_WHOLE: number = 2 ** 28

const unsupported = /* @__PURE__ */ refuse('UNSUPPORTED_GENERATOR')

/** Whether any run of the tensor's elements can be made alone. */
export function isRanged({ tensor, drawOf }: Evaluation): boolean {
  return tensor.writes.every(
    ({ operation, part, from, call, dtype }) =>
      (part === undefined || part.dense) &&
      from === undefined &&
      isNarrow(dtype ?? tensor.dtype) &&
      (call === undefined || isAddressable(drawOf(call))) &&
      operation !== 'eye_' &&
      operation !== 'table',
  )
}

/** Elements [first, first + count) of a tensor for which `isRanged` holds. */
export function evaluateRange({ tensor, drawOf }: Evaluation, first: number, count: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(count)
  for (const write of tensor.writes) {
    const begin = Math.max(first, write.part?.offset ?? 0)
    const end = Math.min(
      first + count,
      write.part === undefined ? tensor.elementCount : write.part.offset + write.part.elementCount,
    )
    if (begin >= end) continue
    const run = out.subarray(begin - first, end - first)
    if (write.call !== undefined) {
      const drawn = drawRange(drawOf(write.call), begin - (write.part?.offset ?? 0), end - begin)
      const round = rounding(write.dtype ?? tensor.dtype)
      for (let i = 0; i < run.length; i++) run[i] = round(drawn[i]!)
    } else if (write.operation === 'fill_')
      run.fill(rounding(write.dtype ?? tensor.dtype)(numberOf(write.arguments[0], 'fill_')))
    else {
      const change = changeOf(write, write.dtype ?? tensor.dtype)
      for (let i = 0; i < run.length; i++) run[i] = change(run[i]!, 0)
    }
  }
  return out
}

/** All elements of a tensor. Values that it needs are made once, and drawn calls too. */
export function evaluateWhole(evaluation: Evaluation): Elements {
  const made = new Map<string, Elements>()
  const drawn = new Map<number, Elements>()
  const elementsOf = (tensor: ProgramTensor): Elements => {
    const { name, elementCount, writes, dtype } = tensor
    if (elementCount > MOST_WHOLE) {
      throw new WeightInitError(
        'LIMIT_EXCEEDED',
        `${show(name)} of ${elementCount} elements is made whole on the host, which takes at most 2^28. Take it from PyTorch.`,
      )
    }
    const out = arrayFor([dtype, ...writes.map((write) => write.dtype ?? dtype)], elementCount)
    for (const write of writes) apply(write, tensor, out)
    return out
  }
  const elementsNamed = (name: string): Elements => {
    const known = made.get(name)
    if (known !== undefined) return known
    const elements = elementsOf(evaluation.values.get(name)!)
    made.set(name, elements)
    return elements
  }
  const apply = (write: Write, tensor: ProgramTensor, out: Elements): void => {
    const region = write.part ?? wholeRegion(tensor.shape, tensor.elementCount)
    const dtype = write.dtype ?? tensor.dtype
    const round = rounding(dtype)
    if (write.call !== undefined) {
      const { call } = write
      const values = drawn.get(call) ?? drawAll(evaluation.drawOf(call))
      drawn.set(call, values)
      visitRegion(region, (index, position) => {
        out[index] = round(values[position]!)
      })
      return
    }
    if (write.operation === 'table') {
      unsupported(
        `${show(tensor.name)} is a table made by ${write.operations.join(', ')}, which the recording does not describe. ` +
          'Record the model with --values, and take it from there.',
      )
    }
    if (write.operation === 'norm_') {
      writeNorms(write, elementsNamed(write.from!), region, out, round)
      return
    }
    const others = write.from === undefined ? undefined : gather(write.source!, elementsNamed(write.from))
    const columns = region.shape[1] ?? 1
    const replacement =
      write.operation === 'fill_'
        ? constantly(round(numberOf(write.arguments[0], 'fill_')))
        : write.operation === 'eye_'
          ? (position: number) => Number(position % columns === Math.floor(position / columns))
          : write.operation === 'copy_'
            ? (position: number) => round(others![position]!)
            : undefined
    if (replacement !== undefined) {
      visitRegion(region, (index, position) => {
        out[index] = replacement(position)
      })
      return
    }
    const change = changeOf(write, dtype)
    const one = others?.length === 1
    visitRegion(region, (index, position) => {
      out[index] = change(out[index]!, others === undefined ? 0 : others[one ? 0 : position]!)
    })
  }
  return elementsOf(evaluation.tensor)
}

const constantly = (value: number) => (): number => value

/** The elements of a region, in its row-major order. */
function gather(region: Region, elements: Elements): Elements {
  const out =
    elements instanceof Float32Array ? new Float32Array(region.elementCount) : new Float64Array(region.elementCount)
  visitRegion(region, (index, position) => {
    out[position] = elements[index]!
  })
  return out
}

/** torch.linalg.vector_norm over some dimensions. PyTorch sums in float32, in an order of its own: the last bits may differ. */
function writeNorms(
  { arguments: [order], source, dims }: Write,
  elements: Elements,
  region: Region,
  out: Elements,
  round: (x: number) => number,
): void {
  const p = numberOf(order, 'norm_')
  const shape = source!.shape.map((length, axis) => (dims.includes(axis) ? 1 : length))
  const strides: number[] = []
  let step = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides.unshift(dims.includes(axis) ? 0 : step)
    step *= shape[axis]!
  }
  const sums = new Float64Array(region.elementCount)
  const places = new Float64Array(source!.elementCount)
  visitRegion({ ...source!, offset: 0, strides }, (index, position) => {
    places[position] = index
  })
  visitRegion(source!, (index, position) => {
    const x = Math.abs(elements[index]!)
    const at = places[position]!
    sums[at] = p === Number.POSITIVE_INFINITY ? Math.max(sums[at]!, x) : sums[at]! + x ** p
  })
  visitRegion(region, (index, position) => {
    out[index] = round(p === Number.POSITIVE_INFINITY ? sums[position]! : sums[position]! ** (1 / p))
  })
}

/** What add_ and sub_ multiply the other operand by; undefined for 1. */
function alphaOf({ operation, from, arguments: given }: Write): number | undefined {
  const alpha = given[from === undefined ? 1 : 0]
  return alpha === undefined ? undefined : numberOf(alpha, operation)
}

type Change = (x: number, other: number) => number

/** What an operation makes of an element. `other` is the element of a tensor that takes part, where one does. */
function changeOf(write: Write, dtype: ArrayDType): Change {
  const { operation, from, arguments: given } = write
  const round = rounding(dtype)
  const f = opmath(dtype)
  const number = (index: number): number => f(numberOf(given[index], operation))
  switch (operation) {
    case 'to':
      return round
    case 'mul_': {
      if (from !== undefined) return (x, y) => round(f(x * y))
      const by = number(0)
      return (x) => round(f(x * by))
    }
    case 'div_': {
      if (from !== undefined) return (x, y) => round(f(x / y))
      const by = number(0)
      return (x) => round(f(x / by))
    }
    case 'add_':
    case 'sub_': {
      const sign = operation === 'add_' ? 1 : -1
      const alpha = alphaOf(write)
      const times = sign * (alpha === undefined ? 1 : f(alpha))
      // A product and a sum are fused, but for the last elements of a tensor, which depend on the CPU.
      const fused = isNarrow(dtype) && Math.abs(times) !== 1
      const sum = fused
        ? (x: number, y: number) => fusedMultiplyAdd(times, y, x)
        : (x: number, y: number) => f(x + times * y)
      if (from !== undefined) return (x, y) => round(sum(x, y))
      // A sum takes the number as the dtype has it, where a product takes it as float32.
      const by = round(number(0))
      return (x) => round(sum(x, by))
    }
    case 'clamp_': {
      const low = given[0] === null ? Number.NEGATIVE_INFINITY : round(number(0))
      const high = given[1] === null ? Number.POSITIVE_INFINITY : round(number(1))
      return (x) => Math.min(Math.max(x, low), high)
    }
    case 'pow_': {
      const exponent = number(0)
      return (x) => round(f(power(x, exponent, f)))
    }
    default: {
      const unary = unaries[operation]!
      return (x) => round(f(unary(x, f)))
    }
  }
}

function power(x: number, exponent: number, f: (x: number) => number): number {
  if (exponent === 2) return x * x
  if (exponent === 3) return f(x * x) * x
  if (exponent === 0.5) return Math.sqrt(x)
  if (exponent === -0.5) return 1 / f(Math.sqrt(x))
  if (exponent === -1) return 1 / x
  if (exponent === -2) return 1 / f(x * x)
  return x ** exponent
}

/** The exact ones, and those that PyTorch takes from a vector library, whose last bit may differ from these. */
const unaries: Readonly<Record<string, (x: number, f: (x: number) => number) => number>> = {
  neg_: (x) => -x,
  abs_: Math.abs,
  sign_: (x) => (x > 0 ? 1 : x < 0 ? -1 : 0),
  floor_: Math.floor,
  round_: (x) => roundToEven(x),
  sqrt_: Math.sqrt,
  rsqrt_: (x, f) => 1 / f(Math.sqrt(x)),
  reciprocal_: (x) => 1 / x,
  erfinv_: inverseErf,
  exp_: Math.exp,
  expm1_: Math.expm1,
  log_: Math.log,
  log1p_: Math.log1p,
  sin_: Math.sin,
  cos_: Math.cos,
  tanh_: Math.tanh,
  sigmoid_: (x, f) => 1 / f(1 + f(Math.exp(-x))),
}

/** Zeros keep their sign. */
function roundToEven(x: number): number {
  const floor = Math.floor(x)
  const rest = x - floor
  const even = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor
  return even === 0 && x < 0 ? -0 : even
}

const inexactChanges = [
  'erfinv_',
  'exp_',
  'expm1_',
  'log_',
  'log1p_',
  'sin_',
  'cos_',
  'tanh_',
  'sigmoid_',
  'sqrt_',
  'norm_',
]
const inexactDraws = ['orthogonal_', 'exponential_', 'cauchy_', 'log_normal_', 'geometric_']

/** Whether the elements are PyTorch's bit for bit, as far as its linear algebra and vector library do not decide them. */
export const isExact = (writes: readonly Write[], calls: readonly Call[]): boolean =>
  writes.every((write) => {
    const { operation, call, arguments: given } = write
    if (call === undefined) {
      if (operation === 'pow_') return given[0] === 2
      const alpha = operation === 'add_' || operation === 'sub_' ? alphaOf(write) : undefined
      return !inexactChanges.includes(operation) && Math.abs(alpha ?? 1) === 1
    }
    const { operation: drawn, inversion, dtype } = calls[call]!
    // Of float64, the C library's logarithm and cosine, and contractions.
    return inversion === undefined && !inexactDraws.includes(drawn) && (dtype !== 'float64' || !isFloatDraw(drawn))
  })

const isFloatDraw = (operation: string): boolean => ['uniform_', 'rand', 'normal_', 'randn'].includes(operation)
