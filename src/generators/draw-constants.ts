import type { SimpleDistribution } from '../ir/generator.js'

const fround = Math.fround

/** The float32 constants of a uniform distribution: value = unit * scale + offset, with unit = (k - zeroPoint) * step. */
export interface AffineConstants {
  readonly scale: number
  readonly offset: number
  readonly zeroPoint: number
  readonly step: number
}

/**
 * The constants of a uniform distribution whose values are made from `bits` random bits k: `unit * (high - low) + low`, rounded
 * once. If low = -high, this equals `high * ((2 k - 2^bits) 2^-bits)`, also rounded once, which needs no sum.
 *
 * @param contracted false for builds that round the product and the sum separately; for these the two forms differ
 */
export function affineConstants(
  { low, high }: { low: number; high: number },
  bits: 23 | 24,
  contracted = true,
): AffineConstants {
  const lo = fround(low)
  const hi = fround(high)
  if (contracted && lo === -hi) return { scale: hi, offset: 0, zeroPoint: 2 ** (bits - 1), step: 2 ** (1 - bits) }
  return { scale: fround(hi - lo), offset: lo, zeroPoint: 0, step: 2 ** -bits }
}

/** The mean and standard deviation, rounded to float32 as in all these libraries. */
export function normalConstants({ mean, std }: { mean: number; std: number }): { mean: number; std: number } {
  // Adding 0 turns a mean of -0 into 0, so that the sum of a zero product and this mean is always +0.
  return { mean: fround(mean) + 0, std: fround(std) }
}

export type UniformDistribution = Extract<SimpleDistribution, { kind: 'uniform' }>
export type NormalDistribution = Extract<SimpleDistribution, { kind: 'normal' }>
