import type { Distribution } from '../src/index.js'
import { continuousDistribution } from '../src/statistics/expected/continuous.js'

/** The density of a distribution, for plots; undefined if it has none. A sparse one is without its zeros, as in the histogram. */
export const densityOf = (distribution: Distribution): ((x: number) => number) | undefined =>
  continuousDistribution(distribution)?.density
