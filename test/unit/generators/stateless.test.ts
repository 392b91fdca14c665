// generator 'torch-stateless' against torch_stateless_ref.json (written from PyTorch's source).
import { expect, test } from 'vitest'
import { sampleStateless } from '../../../src/generators/stateless.js'
import { bitsOf, floatOf, statelessRows } from '../../support/vectors.js'

test.each(statelessRows())('%s', (_, row) => {
  const origin = { generator: 'torch-stateless', seed: String(row.seed), offset: String(row.offset) } as const
  const unit = sampleStateless({ law: { kind: 'uniform', low: 0, high: 1 }, origin }, 0, 19)
  expect(bitsOf(unit)).toEqual(row.uniform)
  const narrow = { kind: 'uniform', low: -0.07, high: 0.07 } as const
  expect(bitsOf(sampleStateless({ law: narrow, origin }, 0, 19))).toEqual(row.uniform007)
  expect(bitsOf(sampleStateless({ law: narrow, origin }, 5, 9))).toEqual(row.uniform007.slice(5, 14))
  const normals = sampleStateless({ law: { kind: 'normal', mean: 0, std: 1 }, origin }, 0, 19)
  const errors = row.normal.map((word, i) => Math.abs(normals[i]! - floatOf(word)))
  expect(Math.max(...errors)).toBeLessThanOrEqual(1e-6)
})
