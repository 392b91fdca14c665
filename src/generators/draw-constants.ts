import type { SimpleDistribution } from '../ir/generator.js'

const fround = Math.fround

/** Float32 constants of a uniform distribution: value = unit * scale + offset, unit = (k - generatorSource) * step. */
export interface AffineConstants {
  readonly scale: number
  readonly offset: number
  readonly zeroPoint: number
  readonly step: number
}

/**
 * A uniform distribution over `bits` random bits k, as `unit * (high - low) + low` with one rounding. For low = -high that is
 * `high * ((2 k - 2^bits) 2^-bits)`, again one rounding and the same value, so that the sum is not needed.
 *
 * @param contracted false for builds that round product and sum apart: there the two forms differ
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

/** Standard deviation and mean as float32, as every library casts them. */
export function normalConstants({ mean, std }: { mean: number; std: number }): { mean: number; std: number } {
  // -0 + 0 is 0: a product that is 0 then has one sign only.
  return { mean: fround(mean) + 0, std: fround(std) }
}

export type UniformDistribution = Extract<SimpleDistribution, { kind: 'uniform' }>
export type NormalDistribution = Extract<SimpleDistribution, { kind: 'normal' }>
