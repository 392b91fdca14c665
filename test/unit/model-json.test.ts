// Our own JSON of models, and tables of names and shapes as Python prints them.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { WeightInitErrorCode } from '../../src/errors.js'
import {
  defineModel,
  modelToJson,
  type ParameterSpec,
  planModel,
  readHuggingFaceConfig,
  readModelJson,
  recipes,
  resnet,
} from '../../src/index.js'
import { expectRefusal } from '../support/refusal.js'

test('a model and its recipe, written and read back, are planned alike', () => {
  const { model, recipe } = readHuggingFaceConfig({ model_type: 'whisper', encoder_layers: 1, decoder_layers: 1 })
  const read = readModelJson(JSON.stringify(modelToJson(model, recipe)))
  expect(planModel(read.model, read.rules!, { seed: 3 }).toJSON()).toEqual(
    planModel(model, recipe, { seed: 3 }).toJSON(),
  )
  expect(readModelJson(modelToJson(model))).toEqual({ model: defineModel(model) })
})

test('every fact of a parameter survives', () => {
  const parameters: ParameterSpec[] = [
    { name: 'a', shape: [6, 4], dtype: 'bfloat16', role: 'embedding', paddingIndex: -1 },
    { name: 'b', shape: [2, 8, 4, 3], layout: 'transposed', groups: 2, batchAxes: 1, fan: { in: 3, out: 5 } },
    { name: 'c', shape: [6, 4], dtype: 'bfloat16', blocks: 3, tiedTo: 'a' },
  ]
  expect(readModelJson(JSON.stringify(modelToJson({ parameters }))).model).toEqual(defineModel({ parameters }))
})

test.each(['torch_cpu_resnet18', 'torch_cpu_mobilenet_v3_small'])('%s: a table of torchvision', (file) => {
  const table = JSON.parse(readFileSync(new URL(`../vectors/${file}.json`, import.meta.url), 'utf8'))
  const { model } = readModelJson({ parameters: table.parameters })
  for (const [index, { name, shape, role }] of model.parameters.entries()) {
    const [theirName, theirShape, module] = table.parameters[index]
    expect([name, shape]).toEqual([theirName, theirShape])
    const bias = name.endsWith('bias')
    expect(role).toBe(module === 'BatchNorm2d' ? (bias ? 'norm-bias' : 'norm-scale') : bias ? 'bias' : 'weight')
  }
  if (file.includes('resnet18')) {
    const laws = (parameters: Parameters<typeof planModel>[0]) =>
      planModel(parameters, recipes.resnet({ block: 'basic' }), { seed: 1 }).parameters.map(
        ({ distribution }) => distribution,
      )
    expect(laws(model)).toEqual(laws(resnet(18)))
  }
})

test('the module’s class gives role and layout', () => {
  const { model } = readModelJson([
    ['up.weight', [8, 4, 2, 2], 'ConvTranspose2d'],
    ['c_fc.weight', [8, 32], 'Conv1D'],
    ['norm.weight', [4, 4], 'LayerNorm'],
    ['rnn.bias_ih_l0', [8], 'GRU'],
    { name: 'e', shape: [10, 4], module: 'Embedding' },
    ['bn.running_var', [4], 'BatchNorm1d'],
    ['odd.weight', [3], 'SomethingElse'],
    ['plain.weight', [3, 3]],
    { name: 'own', shape: [3, 3], module: 'Linear', role: 'embedding' },
  ])
  expect(model.parameters.map(({ role, layout }) => [role, layout])).toEqual([
    ['weight', 'transposed'],
    ['weight', 'in-out'],
    ['norm-scale', undefined],
    ['bias', undefined],
    ['embedding', undefined],
    ['buffer', undefined],
    [undefined, undefined],
    [undefined, undefined],
    ['embedding', undefined],
  ])
})

test.each<[string, unknown, WeightInitErrorCode, string[]]>([
  ['broken text', '{"parameters": [', 'INVALID_FILE', ['not valid JSON']],
  ['null', null, 'INVALID_FILE', ['null', 'parameters']],
  ['a number', 12, 'INVALID_FILE', ['12']],
  ['an unknown key', { parameters: [], rule: [] }, 'INVALID_FILE', ['"rule"', 'rules']],
  ['no list', { parameters: {} }, 'INVALID_FILE', ['parameters', '{}']],
  ['no parameters', { parameters: [] }, 'INVALID_MODEL', ['no parameters']],
  ['another format', { format: 'x', parameters: [] }, 'INVALID_FILE', ['"x"', 'webgpu-init-model']],
  ['a later version', { version: 2, parameters: [] }, 'INVALID_FILE', ['version 2']],
  ['a parameter that is null', [null], 'INVALID_FILE', ['parameter 0', 'null']],
  ['a pair of one', [['a']], 'INVALID_FILE', ['parameter 0', '["a"]']],
  ['a name that is no text', [[5, [2]]], 'INVALID_MODEL', ['name', '5']],
  ['a shape that is no list', [['a', 5]], 'INVALID_SHAPE', ['"a"', '5']],
  ['a module that is no text', [['a', [2], 7]], 'INVALID_FILE', ['module', '7']],
  ['an unknown fact', [{ name: 'a', shape: [2], init: 'x' }], 'INVALID_MODEL', ['"a"', '"init"']],
  ['rules that are no list', { parameters: [['a', [2]]], rules: 5 }, 'INVALID_FILE', ['rules', '5']],
])('%s is refused', async (_, json, code, fragments) => {
  await expectRefusal(() => readModelJson(json), code, ...fragments)
})
