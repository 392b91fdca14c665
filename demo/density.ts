import type { Distribution } from '../src/index.js'
import { normalDensity, normalTail } from '../src/random/normal-cdf.js'

/** Density of a distribution, for drawing; undefined where it has none, as a constant, or none that is simple. */
export function densityOf(distribution: Distribution): ((x: number) => number) | undefined {
  switch (distribution.kind) {
    case 'uniform':
      return (x) => (x >= distribution.low && x <= distribution.high ? 1 / (distribution.high - distribution.low) : 0)
    case 'normal':
      return (x) => normalDensity((x - distribution.mean) / distribution.std) / distribution.std
    case 'sparse':
      // Of the elements that are not 0, as the histogram is.
      return (x) => normalDensity(x / distribution.std) / distribution.std
    case 'truncated-normal': {
      const mass =
        normalTail((distribution.low - distribution.mean) / distribution.std) -
        normalTail((distribution.high - distribution.mean) / distribution.std)
      return (x) =>
        x >= distribution.low && x <= distribution.high
          ? normalDensity((x - distribution.mean) / distribution.std) / distribution.std / mass
          : 0
    }
    default:
      return undefined
  }
}
