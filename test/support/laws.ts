import type { Distribution } from '../../src/distributions.js'

/** Laws that between them reach every path of the samplers; used for parity and golden hashes. */
export const randomLaws: Readonly<Record<string, Exclude<Distribution, { kind: 'constant' }>>> = {
  'symmetric uniform': { kind: 'uniform', low: -0.07, high: 0.07 },
  'unit uniform': { kind: 'uniform', low: 0, high: 1 },
  'shifted uniform': { kind: 'uniform', low: 1, high: 1.0000002384185791 },
  'general uniform': { kind: 'uniform', low: -0.3, high: 7.7 },
  'standard normal': { kind: 'normal', mean: 0, std: 1 },
  'small normal': { kind: 'normal', mean: 0, std: 0.02 },
  'shifted normal': { kind: 'normal', mean: -3.25, std: 0.37 },
}
