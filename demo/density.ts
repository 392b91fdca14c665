import type { Distribution } from '../src/index.js'
import { normalDensity, normalTail } from '../src/random/normal-cdf.js'

/** Density of a law, for drawing; undefined where it has none, as a constant, or none that is simple. */
export function densityOf(law: Distribution): ((x: number) => number) | undefined {
  switch (law.kind) {
    case 'uniform':
      return (x) => (x >= law.low && x <= law.high ? 1 / (law.high - law.low) : 0)
    case 'normal':
      return (x) => normalDensity((x - law.mean) / law.std) / law.std
    case 'sparse':
      // Of the elements that are not 0, as the histogram is.
      return (x) => normalDensity(x / law.std) / law.std
    case 'truncated-normal': {
      const mass = normalTail((law.low - law.mean) / law.std) - normalTail((law.high - law.mean) / law.std)
      return (x) => (x >= law.low && x <= law.high ? normalDensity((x - law.mean) / law.std) / law.std / mass : 0)
    }
    default:
      return undefined
  }
}
