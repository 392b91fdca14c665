// The elements of one random call of PyTorch's CPU generator, in every dtype (ATen/native/cpu/DistributionTemplates.h).

import { WeightInitError } from '../../../core/errors.js'
import { orthonormalize } from '../../../linalg/qr.js'
import { inverseErf } from '../../../random/libraries/inverse-erf.js'
import { mersenneStream } from '../../../random/libraries/mt19937.js'
import { smallNormals, TORCH_BLOCK } from '../cpu.js'
import { permute, randpermWords } from '../randperm.js'
import { sampleSparse } from '../sparse.js'
import { sampleTruncated } from '../truncated.js'
import { integerWords } from './advance.js'
import { arrayFor, type Elements, isNarrow, rounding, visitRegion } from './arithmetic.js'
import { type Draw, familyOf, normals, numbersOf, sourceOf, uniforms } from './elements.js'
import { rowMajor } from './parse.js'
import { rejectInDType } from './truncated.js'
import type { Call } from './types.js'

/** Whether elements can be made without those before them: then `drawRange` makes any of them. */
export function isAddressable({ call }: Draw): boolean {
  if (call.layout !== undefined || !isNarrow(call.dtype)) return false
  const kind = familyOf(call)
  return (
    kind === 'uniform_' ||
    kind === 'normal_' ||
    (kind === 'trunc_normal_' && (call.inversion !== undefined || call.dtype === 'float32'))
  )
}

/** Whether its elements can be made at all. */
export function isDrawable({ operation, dtype, layout }: Call): boolean {
  if (operation === 'bernoulli_' || operation === 'random_' || operation === 'randperm') return true
  if (operation === 'sparse_') return dtype === 'float32'
  if (dtype === 'float64') return ['uniform_', 'rand', 'normal_', 'randn'].includes(operation)
  return isNarrow(dtype) && operation !== 'unknown' && (operation !== 'trunc_normal_' || layout === undefined)
}

/** Elements [first, first + count) of a call, in the order in which they are drawn, as elements of its dtype. */
export function drawRange(draw: Draw, first: number, count: number): Float32Array {
  const { call } = draw
  const numbers = numbersOf(call)
  switch (familyOf(call)) {
    case 'uniform_':
      return uniforms(draw, numbers[0]!, numbers[1]!, first, count)
    case 'normal_':
      return normals(draw, numbers[0]!, numbers[1]!, first, count)
    default: {
      const [mean, std, low, high] = numbers as [number, number, number, number]
      if (call.inversion !== undefined) return inverted(draw, mean, low, high, first, count)
      const source = { ...sourceOf(draw, 'truncated-normal'), truncation: 'rejection' } as const
      return sampleTruncated(
        { kind: 'truncated-normal', mean, std, low, high },
        { generatorSource: source },
        first,
        count,
      )
    }
  }
}

/** uniform_, erfinv_, mul_, add_, clamp_, each rounded to the dtype. */
function inverted(draw: Draw, mean: number, low: number, high: number, first: number, count: number): Float32Array {
  const { call } = draw
  const { low: from, high: to, scale } = call.inversion!
  const values = uniforms(draw, from, to, first, count)
  const round = rounding(call.dtype)
  const factor = Math.fround(scale)
  // A sum takes the number as the dtype has it.
  const centre = round(mean)
  const [lowest, highest] = [round(low), round(high)]
  for (let i = 0; i < count; i++) {
    const value = round(round(round(inverseErf(values[i]!)) * factor) + centre)
    values[i] = Math.min(Math.max(value, lowest), highest)
  }
  return values
}

/** All elements of a call, in row-major order of its tensor. */
export function drawAll(draw: Draw): Elements {
  const drawn = drawnInOrder(draw)
  const { layout } = draw.call
  if (layout === undefined) return drawn
  // Drawn in the order of memory: the axis with the longest stride is the outermost.
  const axes = layout.shape.map((_, axis) => axis).sort((a, b) => layout.strides[b]! - layout.strides[a]!)
  const logical = rowMajor(layout.shape)
  const out = drawn.slice() as Elements
  const shape = axes.map((axis) => layout.shape[axis]!)
  const strides = axes.map((axis) => logical[axis]!)
  visitRegion({ ...layout, offset: 0, shape, strides }, (index, position) => {
    out[index] = drawn[position]!
  })
  return out
}

function drawnInOrder(draw: Draw): Elements {
  const { call } = draw
  const { count, dtype } = call
  const numbers = numbersOf(call)
  const round = rounding(dtype)
  if (isAddressable(draw)) return drawRange(draw, 0, count).slice() as Elements
  switch (familyOf(call)) {
    case 'uniform_':
      if (dtype === 'float64') return doubleUniforms(draw, numbers[0]!, numbers[1]!)
      if (!isNarrow(dtype)) break
      return uniforms(draw, numbers[0]!, numbers[1]!, 0, count).slice() as Elements
    case 'normal_':
      if (dtype === 'float64' && count >= TORCH_BLOCK && call.layout === undefined) {
        return doubleNormals(draw, numbers[0]!, numbers[1]!)
      }
      return map(singleNormals(draw, numbers[0]!, numbers[1]!), dtype, round)
    case 'log_normal_':
      return map(singleNormals(draw, numbers[0]!, numbers[1]!), dtype, (x) => round(Math.exp(x)))
    case 'trunc_normal_':
      if (!isNarrow(dtype) || call.layout !== undefined) break
      return rejectInDType(draw).values.slice() as Elements
    case 'orthogonal_':
      return orthogonal(draw, numbers[0]!)
    case 'sparse_':
      return sparse(draw, numbers[0]!, numbers[1]!)
    case 'randperm': {
      const order = Uint32Array.from({ length: count }, (_, i) => i)
      permute(order, wordsOf(draw, randpermWords(count)))
      return map(order, dtype, round)
    }
    case 'bernoulli_':
      return map(unitsOf(draw), dtype, (u) => Number(u < numbers[0]!))
    case 'random_':
      return integers(draw)
    case 'exponential_':
      return map(unitsOf(draw), dtype, (u) => round((-1 / numbers[0]!) * Math.log1p(-u)))
    case 'cauchy_':
      return map(unitsOf(draw), dtype, (u) => round(numbers[0]! + numbers[1]! * Math.tan(Math.PI * (u - 0.5))))
    case 'geometric_':
      return map(unitsOf(draw), dtype, (u) => round(Math.ceil(Math.log(u) / Math.log1p(-numbers[0]!))))
  }
  throw new WeightInitError('UNSUPPORTED_GENERATOR', `${call.operation} of dtype ${dtype} is not replayed.`)
}

function map(values: ArrayLike<number>, dtype: Call['dtype'], f: (x: number) => number): Elements {
  const out = arrayFor([dtype], values.length)
  for (let i = 0; i < values.length; i++) out[i] = f(values[i]!)
  return out
}

function wordsOf({ place }: Draw, count: number): Uint32Array {
  const words = new Uint32Array(count)
  mersenneStream(place.seed).read(place.position, words)
  return words
}

/** at::uniform_real_distribution<double>: 53 bits of two words, the high one first. */
function unitsOf(draw: Draw, count: number = draw.call.count): Float64Array<ArrayBuffer> {
  const words = wordsOf(draw, 2 * count)
  const out = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    out[i] = ((words[2 * i]! & 0x1fffff) * 2 ** 32 + words[2 * i + 1]!) * 2 ** -53
  }
  return out
}

/** Normals one by one, whatever their number, before they are rounded to the dtype. */
function singleNormals(draw: Draw, mean: number, std: number): Float64Array {
  const out = new Float64Array(draw.call.count)
  return smallNormals(mersenneStream(draw.place.seed), sourceOf(draw, 'normal'), { mean, std }, out)
}

/** uniform_ of float64. PyTorch's compiler may contract the product and the sum: then the last bit differs. */
function doubleUniforms(draw: Draw, low: number, high: number): Elements {
  const range = high - low
  return map(unitsOf(draw), 'float64', (unit) => {
    const value = unit * range + low
    return value === high ? low : value
  })
}

/** normal_ of 16 float64 or more: Box and Muller in blocks of 16, the last 16 again where 16 does not divide their number. */
function doubleNormals(draw: Draw, mean: number, std: number): Elements {
  const { count } = draw.call
  const tail = count % TORCH_BLOCK === 0 ? 0 : TORCH_BLOCK
  const units = unitsOf(draw, count + tail)
  const out = units.slice(0, count)
  const transform = (at: number): void => {
    for (let i = at; i < at + 8; i++) {
      const radius = Math.sqrt(-2 * Math.log(1 - out[i]!))
      const theta = 2 * Math.PI * out[i + 8]!
      out[i] = radius * Math.cos(theta) * std + mean
      out[i + 8] = radius * Math.sin(theta) * std + mean
    }
  }
  for (let at = 0; at + TORCH_BLOCK <= count; at += TORCH_BLOCK) transform(at)
  if (tail > 0) {
    out.set(units.subarray(count), count - TORCH_BLOCK)
    transform(count - TORCH_BLOCK)
  }
  return out
}

function orthogonal(draw: Draw, gain: number): Elements {
  const { rows, columns } = draw.call
  const normal = { ...draw, call: { ...draw.call, operation: 'randn', arguments: [0, 1] } }
  const values = drawRange(normal, 0, rows * columns).slice() as Float32Array<ArrayBuffer>
  orthonormalize(values, rows, columns, 1, gain)
  return values
}

function sparse(draw: Draw, sparsity: number, std: number): Elements {
  const { rows, columns, dtype } = draw.call
  if (dtype !== 'float32')
    throw new WeightInitError('UNSUPPORTED_GENERATOR', `sparse_ of dtype ${dtype} is not replayed.`)
  const zeros = Math.ceil(sparsity * rows)
  const distribution = { kind: 'sparse', std, rows, columns, zeros } as const
  const call = { generatorSource: sourceOf(draw, 'sparse') }
  return sampleSparse(distribution, call, 0, rows * columns) as Float32Array<ArrayBuffer>
}

/** Bits of the significand, of random_ without a range. */
const digits: Readonly<Partial<Record<Call['dtype'], number>>> = { float64: 53, float32: 24, float16: 11, bfloat16: 8 }
const integerBits: Readonly<Partial<Record<Call['dtype'], number>>> = {
  int64: 63,
  int32: 31,
  int16: 15,
  int8: 7,
  uint8: 8,
  bool: 1,
}

function integers(draw: Draw): Elements {
  const { call } = draw
  const { count, dtype, arguments: given } = call
  const [low, high] = given
  const base = BigInt(low ?? 0)
  const whole = digits[dtype] === undefined ? 2n ** BigInt(integerBits[dtype]!) : 2n ** BigInt(digits[dtype]) + 1n
  const range = high === null || high === undefined ? whole : BigInt(high) - base
  const round = rounding(dtype)
  const each = integerWords(call)
  const words = wordsOf(draw, each * count)
  const out = arrayFor([dtype], count)
  for (let i = 0; i < count; i++) {
    const word = each === 1 ? BigInt(words[i]!) : (BigInt(words[2 * i]!) << 32n) | BigInt(words[2 * i + 1]!)
    out[i] = round(Number((word % range) + base))
  }
  return out
}
