// Exact binary fractions n * 2^e in bigints, and their correct rounding to float32: an oracle that shares no code and
// no float operation with src.

export interface Exact {
  readonly n: bigint
  readonly e: number
}

const view = new DataView(new ArrayBuffer(8))

/** Any finite float64 (hence any float32) as it is. */
export function exact(x: number): Exact {
  view.setFloat64(0, x)
  const bits = view.getBigUint64(0)
  const fraction = bits & 0xf_ffff_ffff_ffffn
  const biased = Number((bits >> 52n) & 0x7ffn)
  if (biased === 0x7ff) throw new RangeError(`${x} is not finite`)
  const n = biased === 0 ? fraction : fraction | 0x10_0000_0000_0000n
  return { n: bits >> 63n ? -n : n, e: Math.max(biased, 1) - 1075 }
}

export function multiply(a: Exact, b: Exact): Exact {
  return { n: a.n * b.n, e: a.e + b.e }
}

export function add(a: Exact, b: Exact): Exact {
  const e = Math.min(a.e, b.e)
  return { n: (a.n << BigInt(a.e - e)) + (b.n << BigInt(b.e - e)), e }
}

export const negate = ({ n, e }: Exact): Exact => ({ n: -n, e })

/** Nearest float32, ties to even, subnormals included; throws where the result would be infinite. */
export function roundToFloat32({ n, e }: Exact): number {
  if (n === 0n) return 0
  const magnitude = n < 0n ? -n : n
  const length = magnitude.toString(2).length
  // Units of the result's last place: 24 significant bits, but no finer than 2^-149.
  const unit = Math.max(e + length - 24, -149)
  const drop = unit - e
  let quotient = magnitude
  if (drop > 0) {
    const half = 1n << BigInt(drop - 1)
    const rest = magnitude & ((1n << BigInt(drop)) - 1n)
    quotient = magnitude >> BigInt(drop)
    if (rest > half || (rest === half && (quotient & 1n) === 1n)) quotient += 1n
  } else quotient <<= BigInt(-drop)
  const value = Number(quotient) * 2 ** unit
  if (value > 3.4028234663852886e38) throw new RangeError('float32 overflow')
  return n < 0n ? -value : value
}

/** The largest float32 below a float32. */
export function float32Below(x: number): number {
  const { n, e } = exact(x)
  // A step that is surely less than one unit of the last place of x, towards minus infinity.
  const step = Math.max(e + n.toString(2).replace('-', '').length - 26, -160)
  let candidate = roundDown(add({ n, e }, { n: -1n, e: step }))
  if (candidate === x) candidate = roundDown(add(exact(x), { n: -1n, e: -160 }))
  return candidate
}

function roundDown(value: Exact): number {
  const length = value.n.toString(2).replace('-', '').length
  const unit = Math.max(value.e + length - 24, -149)
  const drop = BigInt(Math.max(0, unit - value.e))
  // An arithmetic shift of a bigint rounds towards minus infinity.
  return Number(value.n >> drop) * 2 ** (value.e + Number(drop))
}

/** '0x1.921fb6p+2', '-0x1p-3', ... as float64. */
export function parseHexFloat(text: string): number {
  const match = /^([+-]?)0x([0-9a-f]+)(?:\.([0-9a-f]*))?p([+-]?\d+)$/i.exec(text)
  if (match === null) throw new SyntaxError(`not a hex float: ${text}`)
  const [, sign, whole = '0', fraction = '', exponent = '0'] = match
  const value = Number(BigInt(`0x${whole}${fraction}`)) * 2 ** (Number(exponent) - 4 * fraction.length)
  return sign === '-' ? -value : value
}
