// Our own JSON of models, and tables of names and shapes as Python prints them.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { WeightInitErrorCode } from '../../../src/core/errors.js'
import {
  conv2d,
  defineModel,
  flatten,
  layerNorm,
  leakyRelu,
  linear,
  modelToJson,
  type ParameterSpec,
  planModel,
  readHuggingFaceConfig,
  readModelJson,
  recipes,
  relu,
  residual,
  resnet,
  sequential,
} from '../../../src/index.js'
import * as layers from '../../../src/model/layers.js'
import { signalSteps } from '../../../src/signal/steps.js'
import { expectRefusal } from '../../support/refusal.js'

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
  const table = JSON.parse(readFileSync(new URL(`../../vectors/${file}.json`, import.meta.url), 'utf8'))
  const { model } = readModelJson({ parameters: table.parameters })
  for (const [index, { name, shape, role }] of model.parameters.entries()) {
    const [theirName, theirShape, module] = table.parameters[index]
    expect([name, shape]).toEqual([theirName, theirShape])
    const bias = name.endsWith('bias')
    expect(role).toBe(module === 'BatchNorm2d' ? (bias ? 'norm-bias' : 'norm-scale') : bias ? 'bias' : 'weight')
  }
  if (file.includes('resnet18')) {
    const distributions = (parameters: Parameters<typeof planModel>[0]) =>
      planModel(parameters, recipes.resnet({ block: 'basic' }), { seed: 1 }).parameters.map(
        ({ distribution }) => distribution,
      )
    expect(distributions(model)).toEqual(distributions(resnet(18)))
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

test('layers are what the layer functions make', () => {
  const json = {
    layers: [
      ['conv2d', 3, 8, 3, { padding: 1, stride: [2, 2], bias: false }],
      ['relu'],
      ['residual', [['conv2d', 8, 8, [3, 3], { padding: 1 }], 'relu'], { mix: ['conv2d', 8, 8, 1] }],
      ['sequential', { a: 'flatten', b: ['linear', 32, 16, { dtype: 'bfloat16' }] }],
      ['leakyRelu', 0.2],
      ['layerNorm', 16],
    ],
    signal: { inputShape: [3, 4, 4], batch: 2, seed: 7, healthyFactor: 10 },
    rules: [{ match: '*', initializer: 'normal' }],
  }
  const read = readModelJson(JSON.stringify(json))
  expect(read.signal).toEqual(json.signal)
  expect(read.rules).toEqual(json.rules)
  expect(read.model).toEqual(
    sequential(
      conv2d(3, 8, 3, { padding: 1, stride: [2, 2], bias: false }),
      relu(),
      residual(sequential(conv2d(8, 8, [3, 3], { padding: 1 }), relu()), sequential({ mix: conv2d(8, 8, 1) })),
      sequential({ a: flatten(), b: linear(32, 16, { dtype: 'bfloat16' }) }),
      leakyRelu(0.2),
      layerNorm(16),
    ),
  )
})

test('the layers of the documentation and of the example can be planned and measured', () => {
  const text = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')
  const documented = /```json\n([\s\S]*?)```/.exec(text('docs/models.md'))![1]!
  for (const json of [documented, text('examples/mlp-20-layers/model.json')]) {
    const { model, rules, signal } = readModelJson(json)
    const planned = new Map(planModel(model, rules!, { seed: 42 }).parameters.map((p) => [p.name, p]))
    expect([...planned.values()].every(({ action }) => action === 'initialize')).toBe(true)
    const steps = signalSteps(model, (name) => planned.get(name)!, signal?.inputShape)
    expect(steps.length).toBeGreaterThan(5)
  }
})

test('every layer function has its word in model JSON, and no word is without one', async () => {
  const own = Object.keys(layers).map((name) => (name === 'identityLayer' ? 'identity' : name))
  await expectRefusal(() => readModelJson({ layers: ['?'] }), 'INVALID_FILE', '"?"')
  const known = (() => {
    try {
      return readModelJson({ layers: ['?'] })
    } catch (error) {
      return /known: (.*)\.$/.exec((error as Error).message)![1]!.split(', ')
    }
  })()
  expect([...(known as string[])].sort()).toEqual([...own, 'residual', 'sequential'].sort())
})

test.each<[string, unknown, WeightInitErrorCode, string[]]>([
  ['an unknown layer', { layers: [['lineer', 2, 3]] }, 'INVALID_FILE', ['layers[0]', '"lineer"', 'linear']],
  ['a name of every object', { layers: ['constructor'] }, 'INVALID_FILE', ['layers[0]', '"constructor"']],
  ['no layers', { layers: [] }, 'INVALID_FILE', ['layers', 'empty']],
  ['layers that are a number', { layers: 3 }, 'INVALID_FILE', ['layers', '3', '["linear", 784, 256]']],
  ['a layer that is none', { layers: [['linear', 2, 3], 7] }, 'INVALID_FILE', ['layers[1]', '7']],
  ['a layer without what it needs', { layers: ['linear'] }, 'INVALID_FILE', ['layers[0]', 'inFeatures, outFeatures']],
  ['one argument too many', { layers: [['relu', 1]] }, 'INVALID_FILE', ['layers[0]', '["relu",1]', '"relu"']],
  ['features that are none', { layers: [['linear', 2, 'x']] }, 'INVALID_SHAPE', ['layers[0]', 'outFeatures', '"x"']],
  [
    'an unknown option',
    { layers: { a: ['linear', 2, 3, { bia: 1 }] } },
    'INVALID_ARGUMENT',
    ['["a"]', '"bia"', 'bias'],
  ],
  ['a body that is no list', { layers: [['residual', 5]] }, 'INVALID_FILE', ['layers[0].body', '5']],
  ['no body', { layers: ['residual'] }, 'INVALID_FILE', ['layers[0]', '["residual", [body ...]]']],
  [
    'a fault inside a body',
    { layers: [['residual', ['relu', 'rel']]] },
    'INVALID_FILE',
    ['layers[0].body[1]', '"rel"'],
  ],
  ['layers without parameters', { layers: ['relu'] }, 'INVALID_MODEL', ['no parameters']],
  ['both kinds', { layers: ['relu'], parameters: [] }, 'INVALID_FILE', ['layers and parameters']],
  ['signal without layers', { parameters: [['a', [2]]], signal: {} }, 'INVALID_FILE', ['signal', 'layers']],
  [
    'an unknown signal option',
    { layers: [['linear', 2, 2]], signal: { bach: 1 } },
    'INVALID_FILE',
    ['"bach"', 'batch'],
  ],
  ['a batch of none', { layers: [['linear', 2, 2]], signal: { batch: 0 } }, 'INVALID_ARGUMENT', ['batch', '0']],
  [
    'a shape that is none',
    { layers: [['linear', 2, 2]], signal: { inputShape: 2 } },
    'INVALID_ARGUMENT',
    ['inputShape', '2'],
  ],
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
