// Fans of every layout, by PyTorch's own rule, and shapes that have none.
import { describe, expect, test } from 'vitest'
import { calculateFans } from '../../../src/initializers/fans.js'
import type { Layout, ParameterSpec } from '../../../src/ir/parameter.js'
import { parameterOf } from '../../support/parameters.js'
import { expectRefusal } from '../../support/refusal.js'

test.each<[string, number[], Partial<ParameterSpec>, number, number]>([
  ['linear', [10, 40], {}, 40, 10],
  ['conv2d', [64, 3, 7, 7], {}, 147, 3136],
  ['depthwise conv2d', [32, 1, 3, 3], { groups: 32 }, 9, 9],
  ['conv2d in 4 groups', [64, 8, 3, 3], { groups: 4 }, 72, 144],
  ['Flax dense', [40, 10], { layout: 'in-out' }, 40, 10],
  ['Hugging Face Conv1D', [768, 2304], { layout: 'in-out' }, 768, 2304],
  ['Keras conv2d', [3, 3, 16, 32], { layout: 'in-out' }, 144, 288],
  ['Flax conv2d in 4 groups', [3, 3, 4, 32], { layout: 'in-out', groups: 4 }, 36, 72],
  ['transposed conv2d', [16, 32, 4, 4], { layout: 'transposed' }, 256, 512],
  ['transposed conv2d in 2 groups', [16, 32, 4, 4], { layout: 'transposed', groups: 2 }, 128, 512],
  ['fans by hand', [10, 40], { fan: { in: 7, out: 5 } }, 7, 5],
  ['fans by hand of a vector', [10], { fan: { in: 7, out: 1 } }, 7, 1],
  [
    'fans by hand, fractional, over layout and groups',
    [8, 8],
    { layout: 'in-out', groups: 2, fan: { in: 1.5, out: 0.5 } },
    1.5,
    0.5,
  ],
  ['one by one', [1, 1], {}, 1, 1],
])('%s %j %j', (_, shape, facts, fanIn, fanOut) => {
  expect(calculateFans(parameterOf(shape, facts))).toEqual({ fanIn, fanOut })
})

describe('the same layer in two layouts has the same fans', () => {
  test.each([
    [[10, 40], [40, 10], 1],
    [[32, 8, 3, 5], [3, 5, 8, 32], 1],
    [[32, 8, 3, 5], [3, 5, 8, 32], 4],
  ])('%j and %j in %d groups', (outIn, inOut, groups) => {
    const fans = calculateFans(parameterOf(outIn, { groups }))
    expect(calculateFans(parameterOf(inOut, { layout: 'in-out', groups }))).toEqual(fans)
  })
})

test.each<[Layout]>([['out-in'], ['in-out'], ['transposed']])('rank < 2 has no fans in layout %s', async (layout) => {
  for (const shape of [[], [5]]) {
    const message = 'Fan in and fan out can not be computed for tensor with fewer than 2 dimensions'
    await expectRefusal(
      () => calculateFans(parameterOf(shape, { layout })),
      'INVALID_SHAPE',
      '"w"',
      JSON.stringify(shape),
      message,
    )
  }
})
