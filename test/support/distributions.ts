import type { Distribution } from '../../src/ir/distribution.js'

/** Distributions that between them reach every path of the samplers; used for parity and golden hashes. */
export const randomDistributions: Readonly<Record<string, Distribution>> = {
  'symmetric uniform': { kind: 'uniform', low: -0.07, high: 0.07 },
  'unit uniform': { kind: 'uniform', low: 0, high: 1 },
  'shifted uniform': { kind: 'uniform', low: 1, high: 1.0000002384185791 },
  'general uniform': { kind: 'uniform', low: -0.3, high: 7.7 },
  'standard normal': { kind: 'normal', mean: 0, std: 1 },
  'small normal': { kind: 'normal', mean: 0, std: 0.02 },
  'shifted normal': { kind: 'normal', mean: -3.25, std: 0.37 },
  'truncated normal, two sigma': { kind: 'truncated-normal', mean: 0, std: 0.02, low: -0.04, high: 0.04 },
  'truncated normal, far bounds': { kind: 'truncated-normal', mean: 0.5, std: 0.3, low: -100, high: 1.25 },
  'truncated normal, upper tail': {
    kind: 'truncated-normal',
    mean: -1,
    std: 2,
    low: 15,
    high: Number.POSITIVE_INFINITY,
  },
  'truncated normal, lower sliver': { kind: 'truncated-normal', mean: 0, std: 1, low: -3.01, high: -3 },
  sparse: { kind: 'sparse', std: 0.01, rows: 97, columns: 1031, zeros: 30 },
}
