// PyTorch's words for a mistake stay inside ours, so that a search for them finds both.
import { describe, expect, test } from 'vitest'
import type { WeightInitErrorCode } from '../../../src/core/errors.js'
import { KaimingInitializer } from '../../../src/initializers/families/kaiming.js'
import { NormalInitializer } from '../../../src/initializers/families/normal.js'
import { UniformInitializer } from '../../../src/initializers/families/uniform.js'
import { calculateGain, type Nonlinearity } from '../../../src/initializers/gain.js'
import { planModel } from '../../../src/plan/plan.js'
import { loadVectors } from '../../support/golden/vectors.js'
import { expectRefusal } from '../../support/refusal.js'

const { errors } = loadVectors<{ errors: Record<string, { type: string; message: string }> }>('torch_formulas.json')

const plan = (shape: number[], name: string, config = {}) =>
  planModel({ parameters: [{ name: 'layer.w', shape, role: 'weight' }] }, name as never, config, { seed: 0 })

const mistakes: Record<string, [() => unknown, WeightInitErrorCode]> = {
  "calculate_gain('gelu')": [() => calculateGain('gelu' as Nonlinearity), 'INVALID_CONFIG'],
  "calculate_gain('leaky_relu', True)": [
    () => calculateGain('leaky_relu', true as unknown as number),
    'INVALID_CONFIG',
  ],
  "calculate_gain('leaky_relu', 'x')": [() => calculateGain('leaky_relu', 'x' as unknown as number), 'INVALID_CONFIG'],
  'xavier_uniform_ rank1': [() => plan([5], 'xavier_uniform'), 'INVALID_SHAPE'],
  'kaiming_normal_ rank1': [() => plan([5], 'kaiming_normal'), 'INVALID_SHAPE'],
  'kaiming_uniform_ rank0': [() => plan([], 'kaiming_uniform'), 'INVALID_SHAPE'],
  "kaiming_uniform_ mode='fan_avg'": [() => new KaimingInitializer({ mode: 'fan_avg' as 'fan_in' }), 'INVALID_CONFIG'],
  'eye_ rank3': [() => plan([2, 2, 2], 'eye'), 'INVALID_SHAPE'],
  'dirac_ rank2': [() => plan([2, 2], 'dirac'), 'INVALID_SHAPE'],
  'dirac_ groups': [() => plan([3, 2, 3], 'dirac', { groups: 2 }), 'INVALID_SHAPE'],
  'orthogonal_ rank1': [() => plan([5], 'orthogonal'), 'INVALID_SHAPE'],
  'sparse_ rank3': [() => plan([2, 2, 2], 'sparse', { sparsity: 0.1 }), 'INVALID_SHAPE'],
  'uniform_(1,0)': [() => new UniformInitializer({ a: 1, b: 0 }), 'INVALID_CONFIG'],
  'normal_ std<0': [() => new NormalInitializer({ std: -1 }), 'INVALID_CONFIG'],
}

describe('PyTorch’s wording', () => {
  test('every row is tried here', () => {
    expect(Object.keys(errors).sort()).toEqual(Object.keys(mistakes).sort())
  })

  test.each(Object.entries(mistakes))('%s', async (row, [act, code]) => {
    await expectRefusal(act, code, errors[row]!.message)
  })

  test.each(['xavier_uniform', 'kaiming_normal'])('%s of rank 1 names the parameter and its shape', async (name) => {
    await expectRefusal(() => plan([5], name), 'INVALID_SHAPE', '"layer.w"', '[5]')
  })

  test('a custom distribution is refused in the same words, with the parameter', async () => {
    const a = () => plan([2, 2], 'xavier_normal', { gain: -1 })
    await expectRefusal(a, 'INVALID_CONFIG', '"layer.w"', 'normal expects std >= 0.0, but found std -')
    const b = () => plan([2, 2], 'xavier_uniform', { gain: -1 })
    await expectRefusal(
      b,
      'INVALID_CONFIG',
      '"layer.w"',
      'uniform_ expects to return a [from, to) range, but found from=',
    )
  })
})
