// torch_default against PyTorch itself: every class of torch.nn with parameters, by the names and shapes of its table alone.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { planModel, readModelJson, readSafetensorsModel } from '../../../src/index.js'
import type { Distribution } from '../../../src/ir/distribution.js'
import type { ParameterSpec } from '../../../src/ir/parameter.js'
import { layoutSafetensors } from '../../../src/readers/safetensors.js'
import { parseSafetensorsHeader } from '../../../src/readers/safetensors-header.js'
import { expectRefusal } from '../../support/refusal.js'

interface Recorded {
  readonly module: string
  readonly tensors: readonly { name: string; shape: number[]; distribution: Distribution }[]
}
const { modules } = JSON.parse(readFileSync(new URL('../../vectors/torch_modules.json', import.meta.url), 'utf8')) as {
  modules: Recorded[]
}

/** A table of names and shapes as a checkpoint's reader takes it. */
function readTable(tensors: readonly { name: string; shape: readonly number[] }[]) {
  const { header, byteLength } = layoutSafetensors(
    tensors.map(({ name, shape }) => ({ name, shape, dtype: 'float32' })),
  )
  return readSafetensorsModel(parseSafetensorsHeader(header, byteLength))
}
const distributions = (parameters: readonly ParameterSpec[]) =>
  new Map(
    planModel({ parameters }, 'torch_default', {}, { seed: 1 }).parameters.map(({ name, distribution }) => [
      name,
      distribution,
    ]),
  )

function expectSame(found: Distribution | undefined, wanted: Distribution, name: string): void {
  expect(found?.kind, name).toBe(wanted.kind)
  for (const [key, value] of Object.entries(wanted)) {
    if (typeof value === 'number') expect((found as never)[key], `${name} ${key}`).toBeCloseTo(value, 12)
  }
}

test('the vector covers the classes', () => {
  expect(modules.length).toBeGreaterThan(35)
  expect(modules.flatMap(({ tensors }) => tensors).length).toBeGreaterThan(180)
})

describe.each(modules)('$module', ({ module, tensors }) => {
  test('as a table of parameters', () => {
    const found = distributions(readModelJson(tensors.map(({ name, shape }) => [name, shape])).model.parameters)
    // An Embedding and a Linear without bias have the same table; a checkpoint's reader goes by the module's name.
    if (module.startsWith('Embedding')) return
    for (const { name, distribution } of tensors) expectSame(found.get(name), distribution, name)
  })

  test('as a checkpoint, and nothing is guessed', () => {
    const { model, guesses } = readTable(tensors)
    const found = distributions(model.parameters)
    for (const { name, distribution } of tensors) expectSame(found.get(name), distribution, name)
    // Their table alone does not say that torch_default is meant: other initializers refuse these two.
    expect(guesses.map(({ name }) => name).filter((name) => !/^bias_[kv]$/.test(name))).toEqual([])
  })
})

test('a module’s class decides where the table cannot', () => {
  const { model } = readModelJson([
    ['b.weight', [5, 6, 7], 'Bilinear'],
    ['b.bias', [5], 'Bilinear'],
    ['slope.weight', [8], 'PReLU'],
    ['table.weight', [9, 4], 'EmbeddingBag'],
  ])
  const found = distributions(model.parameters)
  expect(found.get('b.weight')).toMatchObject({ high: 1 / Math.sqrt(6) })
  expect(found.get('b.bias')).toMatchObject({ high: 1 / Math.sqrt(6) })
  expect(found.get('slope.weight')).toEqual({ kind: 'constant', value: 0.25 })
  expect(found.get('table.weight')).toEqual({ kind: 'normal', mean: 0, std: 1 })
})

test('weight_norm: the direction is drawn as the weight, the bias by its fans, the magnitude is refused', async () => {
  for (const [direction, magnitude] of [
    ['parametrizations.weight.original1', 'parametrizations.weight.original0'],
    ['weight_v', 'weight_g'],
  ]) {
    const { model, guesses } = readTable([
      { name: `c.${magnitude}`, shape: [6, 1, 1] },
      { name: `c.${direction}`, shape: [6, 4, 3] },
      { name: 'c.bias', shape: [6] },
    ])
    expect(guesses.map(({ name }) => name)).toEqual([`c.${magnitude}`])
    await expectRefusal(() => distributions(model.parameters), 'UNMATCHED_PARAMETER', `"c.${magnitude}"`, 'rule')
    const found = distributions(model.parameters.filter(({ role }) => role !== 'unknown'))
    for (const name of [`c.${direction}`, 'c.bias']) {
      expectSame(found.get(name), { kind: 'uniform', low: -1 / Math.sqrt(12), high: 1 / Math.sqrt(12) }, name)
    }
  }
})

test('a transposed Linear has PyTorch’s fan_in, and its bias may name it', () => {
  const found = distributions([
    { name: 'onnx::MatMul_1', shape: [10, 20], layout: 'in-out', role: 'weight' },
    { name: '0.bias', shape: [20], role: 'bias', layerWeight: 'onnx::MatMul_1' },
  ])
  for (const distribution of found.values()) {
    expectSame(distribution, { kind: 'uniform', low: -1 / Math.sqrt(10), high: 1 / Math.sqrt(10) }, 'both')
  }
})
