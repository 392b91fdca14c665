// 16-bit floats by their definition: a table of every finite value, and the nearest one by comparison in float64,
// where the distances are exact. Shares no code with src.

export interface HalfFormat {
  readonly name: 'float16' | 'bfloat16'
  readonly fractionBits: number
  readonly bias: number
}

export const half16: HalfFormat = { name: 'float16', fractionBits: 10, bias: 15 }
export const bfloat16: HalfFormat = { name: 'bfloat16', fractionBits: 7, bias: 127 }

/** Magnitudes of the patterns 0, 1, 2, ... up to the largest finite one, ascending. */
export function magnitudes({ fractionBits, bias }: HalfFormat): Float64Array {
  const perExponent = 1 << fractionBits
  const exponents = 2 * bias + 1
  const table = new Float64Array(exponents * perExponent)
  for (let exponent = 0; exponent < exponents; exponent++) {
    for (let fraction = 0; fraction < perExponent; fraction++) {
      const significand = exponent === 0 ? fraction : perExponent + fraction
      table[exponent * perExponent + fraction] = significand * 2 ** (Math.max(exponent, 1) - bias - fractionBits)
    }
  }
  return table
}

/** A function from finite float32 values to the pattern of the nearest value, ties to the even pattern. */
export function nearestPattern(format: HalfFormat): (value: number) => number {
  const table = magnitudes(format)
  const last = table.length - 1
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
    const pattern = below < above || (below === above && low % 2 === 0) ? low : high
    return (value < 0 || Object.is(value, -0) ? 0x8000 : 0) | pattern
  }
}
