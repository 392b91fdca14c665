// Jumping ahead in MT19937 (Haramoto, Matsumoto, Nishimura, Panneton, L'Ecuyer, INFORMS J. Computing 20, 2008): the words
// of state are a linear recurrence over GF(2), so the state J words on is a fixed sum of the words after this one, whose
// terms are the bits of t^J mod the recurrence's characteristic polynomial.
import { MT_WORDS, mersenneSeed, mersenneTwist } from './mt19937.js'

/** Degree of the characteristic polynomial: 624 words but for 31 bits of the first. */
const DEGREE = 19937
const POLYNOMIAL_WORDS: number = (DEGREE >>> 5) + 1

type Bits = Uint32Array<ArrayBuffer>

const bitOf = (bits: Bits, i: number): number => (bits[i >>> 5]! >>> (i & 31)) & 1

/** target ^= source << shift, as far as target goes. */
function addShifted(target: Bits, source: Bits, shift: number): void {
  const words = shift >>> 5
  const bits = shift & 31
  const end = Math.min(target.length, source.length + words + 1)
  for (let i = words, before = 0; i < end; i++) {
    const word = source[i - words] ?? 0
    target[i]! ^= bits === 0 ? word : (word << bits) | (before >>> (32 - bits))
    before = word
  }
}

/** The words x[1], x[2], ... of a state's recurrence: x[0 .. 623] are the state. */
function recurrence(state: Int32Array, count: number): Int32Array {
  const words = new Int32Array(Math.ceil((count + 1) / MT_WORDS) * MT_WORDS)
  const block = Int32Array.from(state)
  for (let at = 0; at < words.length; at += MT_WORDS) {
    words.set(block, at)
    mersenneTwist(block)
  }
  return words.subarray(1, count + 1)
}

/**
 * The characteristic polynomial, found by the Berlekamp-Massey algorithm (Massey 1969) in twice as many bits of the
 * recurrence as its degree. It is the same for every seed.
 */
function characteristicPolynomial(): Bits {
  const words = recurrence(mersenneSeed(5489), 2 * DEGREE)
  // Newest bit first, so that the discrepancy is a product of bit strings.
  const recent: Bits = new Uint32Array(POLYNOMIAL_WORDS)
  let current: Bits = Uint32Array.from({ length: POLYNOMIAL_WORDS }, (_, i) => (i === 0 ? 1 : 0))
  let previous: Bits = current.slice()
  let length = 0
  let shift = 1
  for (let n = 0; n < 2 * DEGREE; n++) {
    for (let i = POLYNOMIAL_WORDS - 1; i > 0; i--) recent[i] = (recent[i]! << 1) | (recent[i - 1]! >>> 31)
    recent[0] = (recent[0]! << 1) | (words[n]! & 1)
    let sum = 0
    for (let i = 0; i <= length >>> 5; i++) sum ^= current[i]! & recent[i]!
    for (const half of [16, 8, 4, 2, 1]) sum ^= sum >>> half
    if ((sum & 1) === 0) {
      shift++
      continue
    }
    const before = current.slice()
    addShifted(current, previous, shift)
    if (2 * length > n) shift++
    else {
      length = n + 1 - length
      previous = before
      shift = 1
    }
  }
  // The connection polynomial, backwards.
  const polynomial: Bits = new Uint32Array(POLYNOMIAL_WORDS)
  for (let i = 0; i <= length; i++) {
    if (bitOf(current, i) === 1) polynomial[(length - i) >>> 5]! |= 1 << ((length - i) & 31)
  }
  current = polynomial
  return current
}

/** The polynomial shifted by 0 to 31 bits: what a product is reduced by, word by word. */
let shifted: readonly Bits[] | undefined

function shiftedPolynomials(): readonly Bits[] {
  if (shifted === undefined) {
    const polynomial = characteristicPolynomial()
    shifted = Array.from({ length: 32 }, (_, shift) => {
      const bits: Bits = new Uint32Array(POLYNOMIAL_WORDS + 1)
      addShifted(bits, polynomial, shift)
      return bits
    })
  }
  return shifted
}

/** Takes multiples of the polynomial away until the degree is below its own. `bits` has room for twice the degree. */
function reduce(bits: Bits): void {
  const polynomials = shiftedPolynomials()
  for (let i = 2 * DEGREE; i >= DEGREE; i--) {
    if (bitOf(bits, i) === 0) continue
    const words = (i - DEGREE) >>> 5
    const polynomial = polynomials[(i - DEGREE) & 31]!
    for (let k = 0; k < polynomial.length; k++) bits[words + k]! ^= polynomial[k]!
  }
}

const spreadByte = (byte: number): number => {
  let spread = byte
  spread = (spread | (spread << 4)) & 0x0f0f
  spread = (spread | (spread << 2)) & 0x3333
  return (spread | (spread << 1)) & 0x5555
}

/** t^exponent mod the polynomial, by squaring. */
function powerOfT(exponent: number): Bits {
  const room = 2 * POLYNOMIAL_WORDS + 2
  let power: Bits = new Uint32Array(room)
  power[0] = 1
  for (const digit of exponent.toString(2)) {
    const square: Bits = new Uint32Array(room)
    for (let i = 0; i < POLYNOMIAL_WORDS; i++) {
      const word = power[i]!
      square[2 * i] = spreadByte(word & 0xff) | (spreadByte((word >>> 8) & 0xff) << 16)
      square[2 * i + 1] = spreadByte((word >>> 16) & 0xff) | (spreadByte(word >>> 24) << 16)
    }
    if (digit === '1') {
      power = new Uint32Array(room)
      addShifted(power, square, 1)
    } else power = square
    reduce(power)
  }
  return power
}

/**
 * Advances a state by whole blocks, in place, in about a second however many they are (up to 2^53 words). As
 * `mersenneTwist` repeated; the state must have been twisted at least once, as a seed's first word has bits of its own.
 */
export function mersenneJump(state: Int32Array, blocks: number): void {
  const power = powerOfT(blocks * MT_WORDS)
  // x[J + k] = sum of x[j + k] over the bits j of the power: x[0] is the word before the recurrence's first.
  const words = new Int32Array(DEGREE + MT_WORDS)
  words[0] = state[0]!
  words.set(recurrence(state, words.length - 1), 1)
  state.fill(0)
  for (let j = 0; j < DEGREE; j++) {
    if (bitOf(power, j) === 1) for (let k = 0; k < MT_WORDS; k++) state[k]! ^= words[j + k]!
  }
}
