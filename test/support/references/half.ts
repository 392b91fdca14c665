// Narrow floats by their definition: a table of every finite value, and the nearest one by comparison in float64, where the
// distances are exact. Shares no code with src.
import type { FloatDType } from '../../../src/core/dtype.js'

export interface NarrowFormat {
  readonly name: Exclude<FloatDType, 'float32'>
  readonly bits: 8 | 16
  readonly fractionBits: number
  readonly bias: number
  /** Patterns of the largest exponent that are numbers too: of IEEE 754's formats none. */
  readonly numbersAtTop?: number
  /** Whether what is too large becomes the largest number, and not infinity. */
  readonly saturates?: boolean
}

export const half16: NarrowFormat = { name: 'float16', bits: 16, fractionBits: 10, bias: 15 }
export const bfloat16: NarrowFormat = { name: 'bfloat16', bits: 16, fractionBits: 7, bias: 127 }
export const float8e4m3: NarrowFormat = {
  ...{ name: 'float8_e4m3fn', bits: 8, fractionBits: 3, bias: 7, numbersAtTop: 7, saturates: true },
}
export const float8e5m2: NarrowFormat = { name: 'float8_e5m2', bits: 8, fractionBits: 2, bias: 15 }
export const narrowFormats: readonly NarrowFormat[] = [half16, bfloat16, float8e4m3, float8e5m2]

/** Undefined for float32. */
export const narrowFormatOf = (dtype: FloatDType): NarrowFormat | undefined =>
  narrowFormats.find(({ name }) => name === dtype)

/** Magnitudes of the patterns 0, 1, 2, ... up to the largest finite one, ascending. */
export function magnitudes({ fractionBits, bias, numbersAtTop = 0 }: NarrowFormat): Float64Array {
  const perExponent = 1 << fractionBits
  const table = new Float64Array((2 * bias + 1) * perExponent + numbersAtTop)
  for (let pattern = 0; pattern < table.length; pattern++) {
    const exponent = Math.floor(pattern / perExponent)
    const fraction = pattern % perExponent
    const significand = exponent === 0 ? fraction : perExponent + fraction
    table[pattern] = significand * 2 ** (Math.max(exponent, 1) - bias - fractionBits)
  }
  return table
}

/** A function from finite float32 values to the pattern of the nearest value, ties to the even pattern. */
export function nearestPattern(format: NarrowFormat): (value: number) => number {
  const table = magnitudes(format)
  const last = table.length - 1
  const sign = 2 ** (format.bits - 1)
  // One step past the largest finite value stands for infinity.
  const overflow = table[last]! + (table[last]! - table[last - 1]!)
  const at = (index: number): number => (index > last ? overflow : table[index]!)
  return (value) => {
    const magnitude = Math.abs(value)
    let low = 0
    let high = last + 1
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (at(middle) <= magnitude) low = middle
      else high = middle
    }
    const below = magnitude - at(low)
    const above = at(high) - magnitude
    const nearest = below < above || (below === above && low % 2 === 0) ? low : high
    const pattern = format.saturates ? Math.min(nearest, last) : nearest
    return (value < 0 || Object.is(value, -0) ? sign : 0) | pattern
  }
}
