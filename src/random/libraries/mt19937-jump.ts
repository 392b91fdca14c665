// Jump-ahead for MT19937 (Haramoto, Matsumoto, Nishimura, Panneton, L'Ecuyer, INFORMS J. Computing 20, 2008). A step of the
// generator is linear over GF(2). N steps are therefore the polynomial t^N, reduced modulo the characteristic polynomial of
// one step and applied to the state.

/** Degree of the characteristic polynomial, which is the number of state bits that influence the sequence. */
const DEGREE = 19937
const LIMBS = Math.ceil((DEGREE + 1) / 32)
const STATE_WORDS = 624
const SHIFT = 397

/** The first `length` untempered words of the sequence that begins with `state`. */
function sequenceFrom(state: Int32Array, length: number): Int32Array {
  const x = new Int32Array(length)
  x.set(state.subarray(0, Math.min(length, STATE_WORDS)))
  for (let i = STATE_WORDS; i < length; i++) {
    const y = (x[i - STATE_WORDS]! & 0x80000000) | (x[i - STATE_WORDS + 1]! & 0x7fffffff)
    x[i] = x[i - STATE_WORDS + SHIFT]! ^ (y >>> 1) ^ (-(y & 1) & 0x9908b0df)
  }
  return x
}

const bitOf = (limbs: Int32Array, i: number): number => (limbs[i >>> 5]! >>> (i & 31)) & 1

/** `a ^= b << shift`; bits beyond the end of `a` are dropped. */
function xorShifted(a: Int32Array, b: Int32Array, shift: number): void {
  const limb = shift >>> 5
  const bits = shift & 31
  const length = Math.min(b.length, a.length - limb)
  if (bits === 0) {
    for (let i = 0; i < length; i++) a[i + limb]! ^= b[i]!
    return
  }
  let carry = 0
  for (let i = 0; i < length; i++) {
    a[i + limb]! ^= (b[i]! << bits) | carry
    carry = b[i]! >>> (32 - bits)
  }
  if (length + limb < a.length) a[length + limb]! ^= carry
}

function parity(x: number): number {
  let y = x ^ (x >>> 16)
  y ^= y >>> 8
  y ^= y >>> 4
  return (0x6996 >>> (y & 15)) & 1
}

/**
 * The characteristic polynomial; bit i is the coefficient of t^i. It is primitive, and therefore equals the minimal
 * polynomial of every bit of every sequence. The Berlekamp-Massey algorithm (Massey, IEEE Trans. Inf. Theory 15, 1969)
 * finds it from the lowest bits of 2 DEGREE words.
 */
function characteristicPolynomial(state: Int32Array): Int32Array {
  const words = sequenceFrom(state, 2 * DEGREE)
  const connection = new Int32Array(LIMBS + 1)
  let before = new Int32Array(LIMBS + 1)
  connection[0] = 1
  before[0] = 1
  // The sequence, newest bit first.
  const recent = new Int32Array(LIMBS + 1)
  let length = 0
  let since = 1
  for (let n = 0; n < words.length; n++) {
    const used = (length >>> 5) + 1
    for (let i = LIMBS; i > 0; i--) recent[i] = (recent[i]! << 1) | (recent[i - 1]! >>> 31)
    recent[0] = (recent[0]! << 1) | (words[n]! & 1)
    let sum = 0
    for (let i = 0; i < used; i++) sum ^= connection[i]! & recent[i]!
    if (parity(sum) === 0) {
      since++
    } else if (2 * length <= n) {
      const previous = connection.slice()
      xorShifted(connection, before, since)
      length = n + 1 - length
      before = previous
      since = 1
    } else {
      xorShifted(connection, before, since)
      since++
    }
  }
  // The connection polynomial has the coefficients of the characteristic polynomial in reverse order.
  const polynomial = new Int32Array(LIMBS)
  for (let i = 0; i <= DEGREE; i++) if (bitOf(connection, DEGREE - i)) polynomial[i >>> 5]! |= 1 << (i & 31)
  return polynomial
}

/** Replaces `product`, of degree at most 2 DEGREE, by its remainder. `shifted[s]` is the polynomial times t^s. */
function reduce(product: Int32Array, shifted: readonly Int32Array[]): void {
  for (let i = 2 * DEGREE; i >= DEGREE; i--) {
    if (bitOf(product, i) === 0) continue
    const by = i - DEGREE
    const limb = by >>> 5
    const polynomial = shifted[by & 31]!
    const length = Math.min(polynomial.length, product.length - limb)
    for (let j = 0; j < length; j++) product[j + limb]! ^= polynomial[j]!
  }
}

/** The bits of a 16-bit number, spread out to the even places of a 32-bit number: this squares a polynomial. */
function spread(x: number): number {
  let y = x & 0xffff
  y = (y | (y << 8)) & 0x00ff00ff
  y = (y | (y << 4)) & 0x0f0f0f0f
  y = (y | (y << 2)) & 0x33333333
  return (y | (y << 1)) & 0x55555555
}

/** t^steps modulo the polynomial, by repeated squaring. */
function powerOfT(steps: number, polynomial: Int32Array): Int32Array {
  const shifted = Array.from({ length: 32 }, (_, by) => {
    const copy = new Int32Array(LIMBS + 1)
    xorShifted(copy, polynomial, by)
    return copy
  })
  let power = new Int32Array(2 * LIMBS + 1)
  power[0] = 1
  for (const bit of steps.toString(2)) {
    const square = new Int32Array(2 * LIMBS + 1)
    for (let i = 0; i < LIMBS; i++) {
      square[2 * i] = spread(power[i]!)
      square[2 * i + 1] = spread(power[i]! >>> 16)
    }
    if (bit === '1') {
      const copy = square.slice()
      square.fill(0)
      xorShifted(square, copy, 1)
    }
    reduce(square, shifted)
    power = square
  }
  return power
}

/** The characteristic polynomial. It is the same for every seed and is computed by the first jump. */
let characteristic: Int32Array | undefined

/**
 * Returns a function that advances a state by `steps` words, in place. Its first call computes the power of t, which takes
 * at most a fifth of a second for any number of steps; applying it to a state takes about ten milliseconds. The
 * state must come from at least one twist of the generator: in the state that the seed gives, some bits of the first
 * word have no influence on the sequence.
 */
export function mersenneJumps(steps: number): (state: Int32Array) => void {
  let power: Int32Array | undefined
  return (state) => {
    if (steps === 0) return
    characteristic ??= characteristicPolynomial(state)
    power ??= powerOfT(steps, characteristic)
    const words = sequenceFrom(state, DEGREE + STATE_WORDS)
    state.fill(0)
    for (let i = 0; i < DEGREE; i++) {
      if (bitOf(power, i) === 0) continue
      for (let j = 0; j < STATE_WORDS; j++) state[j]! ^= words[i + j]!
    }
  }
}
