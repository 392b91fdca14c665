import type { Distribution } from '../src/index.js'
import { continuousDistribution } from '../src/statistics/expected/continuous.js'

/** Density of a distribution, for drawing; of a sparse one, as the histogram, without its zeros. Undefined where it has none. */
export const densityOf = (distribution: Distribution): ((x: number) => number) | undefined =>
  continuousDistribution(distribution)?.density
