// The parameters of every layer builder, as PyTorch names and shapes them, and how sequential joins them.
import { describe, expect, test } from 'vitest'
import * as nn from '../../../src/index.js'
import type { Model } from '../../../src/ir/parameter.js'
import { planModel } from '../../../src/plan/plan.js'

type Line = [name: string, shape: number[], role: string]

/** PyTorch's named_parameters() (state_dict() where buffers are asked for), and what each is for. */
const layers: [string, Model, Line[]][] = [
  [
    'linear(3, 5)',
    nn.linear(3, 5),
    [
      ['weight', [5, 3], 'weight'],
      ['bias', [5], 'bias'],
    ],
  ],
  ['linear(3, 5), bias false', nn.linear(3, 5, { bias: false }), [['weight', [5, 3], 'weight']]],
  [
    'conv1d(4, 6, 3)',
    nn.conv1d(4, 6, 3),
    [
      ['weight', [6, 4, 3], 'weight'],
      ['bias', [6], 'bias'],
    ],
  ],
  ['conv1d(4, 6, [3])', nn.conv1d(4, 6, [3], { bias: false }), [['weight', [6, 4, 3], 'weight']]],
  [
    'conv2d(3, 64, 7)',
    nn.conv2d(3, 64, 7),
    [
      ['weight', [64, 3, 7, 7], 'weight'],
      ['bias', [64], 'bias'],
    ],
  ],
  [
    'conv2d(3, 64, [3, 5])',
    nn.conv2d(3, 64, [3, 5]),
    [
      ['weight', [64, 3, 3, 5], 'weight'],
      ['bias', [64], 'bias'],
    ],
  ],
  [
    'conv2d(32, 64, 3), groups 4',
    nn.conv2d(32, 64, 3, { groups: 4 }),
    [
      ['weight', [64, 8, 3, 3], 'weight'],
      ['bias', [64], 'bias'],
    ],
  ],
  [
    'conv2d(32, 32, 3), depthwise',
    nn.conv2d(32, 32, 3, { groups: 32, bias: false }),
    [['weight', [32, 1, 3, 3], 'weight']],
  ],
  [
    'conv3d(2, 4, [1, 2, 3])',
    nn.conv3d(2, 4, [1, 2, 3]),
    [
      ['weight', [4, 2, 1, 2, 3], 'weight'],
      ['bias', [4], 'bias'],
    ],
  ],
  [
    'conv3d(2, 4, 3)',
    nn.conv3d(2, 4, 3),
    [
      ['weight', [4, 2, 3, 3, 3], 'weight'],
      ['bias', [4], 'bias'],
    ],
  ],
  ['embedding(100, 16)', nn.embedding(100, 16), [['weight', [100, 16], 'embedding']]],
  [
    'layerNorm(8)',
    nn.layerNorm(8),
    [
      ['weight', [8], 'norm-scale'],
      ['bias', [8], 'norm-bias'],
    ],
  ],
  [
    'layerNorm([4, 8])',
    nn.layerNorm([4, 8]),
    [
      ['weight', [4, 8], 'norm-scale'],
      ['bias', [4, 8], 'norm-bias'],
    ],
  ],
  ['layerNorm(8), bias false', nn.layerNorm(8, { bias: false }), [['weight', [8], 'norm-scale']]],
  ['layerNorm(8), affine false', nn.layerNorm(8, { affine: false }), []],
  [
    'batchNorm(8)',
    nn.batchNorm(8),
    [
      ['weight', [8], 'norm-scale'],
      ['bias', [8], 'norm-bias'],
    ],
  ],
  [
    'batchNorm(8) with buffers',
    nn.batchNorm(8, { buffers: true }),
    [
      ['weight', [8], 'norm-scale'],
      ['bias', [8], 'norm-bias'],
      ['running_mean', [8], 'buffer'],
      ['running_var', [8], 'buffer'],
      ['num_batches_tracked', [], 'buffer'],
    ],
  ],
  [
    'batchNorm(8), affine false, with buffers',
    nn.batchNorm(8, { affine: false, buffers: true }),
    [
      ['running_mean', [8], 'buffer'],
      ['running_var', [8], 'buffer'],
      ['num_batches_tracked', [], 'buffer'],
    ],
  ],
]

test.each(layers)('%s', (_, model, lines) => {
  expect(model.parameters.map(({ name, shape, role }) => [name, [...shape], role])).toEqual(lines)
})

test.each(layers.filter(([, { parameters }]) => parameters.length > 0))('%s can be planned', (_, model, lines) => {
  const plan = planModel(model, 'xavier', {}, { seed: 1 })
  expect(plan.parameters.map(({ name }) => name)).toEqual(lines.map(([name]) => name))
})

test('grouped weights carry their groups, so that the fans are right', () => {
  const plan = planModel(nn.conv2d(32, 64, 3, { groups: 4 }), 'xavier', {}, { seed: 1 })
  expect(plan.parameters[0]?.fans).toEqual({ fanIn: 72, fanOut: 144 })
})

test('dtype goes to every floating parameter of the layer; a counter stays int64', () => {
  const { parameters } = nn.batchNorm(4, { buffers: true, dtype: 'bfloat16' })
  expect(parameters.map(({ name, dtype }) => [name, dtype])).toEqual([
    ['weight', 'bfloat16'],
    ['bias', 'bfloat16'],
    ['running_mean', 'bfloat16'],
    ['running_var', 'bfloat16'],
    ['num_batches_tracked', 'int64'],
  ])
})

describe('entries without parameters', () => {
  test.each([
    ['relu', nn.relu],
    ['gelu', nn.gelu],
    ['silu', nn.silu],
    ['mish', nn.mish],
    ['elu', nn.elu],
    ['selu', nn.selu],
    ['softplus', nn.softplus],
    ['tanh', nn.tanh],
    ['sigmoid', nn.sigmoid],
    ['hardswish', nn.hardswish],
    ['reluSquared', nn.reluSquared],
    ['softmax', nn.softmax],
    ['dropout', nn.dropout],
    ['flatten', nn.flatten],
    ['identity', nn.identityLayer],
    ['leakyRelu', nn.leakyRelu],
  ] as [string, () => Model][])('%s', (kind, make) => {
    expect(make().parameters).toEqual([])
    expect(make().layer?.kind).toBe(kind)
  })

  test('leakyRelu keeps its slope', () => {
    expect(nn.leakyRelu().layer?.config).toEqual({ negativeSlope: 0.01 })
    expect(nn.leakyRelu(0.2).layer?.config).toEqual({ negativeSlope: 0.2 })
  })
})

describe('sequential', () => {
  const names = (model: Model): string[] => model.parameters.map(({ name }) => name)

  test('numbers its children, parameterless ones too', () => {
    expect(names(nn.sequential(nn.linear(2, 3), nn.relu(), nn.linear(3, 1)))).toEqual([
      '0.weight',
      '0.bias',
      '2.weight',
      '2.bias',
    ])
  })

  test('nests', () => {
    const block = nn.sequential(nn.conv2d(3, 3, 3, { bias: false }), nn.batchNorm(3))
    const model = nn.sequential(block, nn.relu(), nn.sequential(nn.dropout(), block))
    expect(names(model)).toEqual(['0.0.weight', '0.1.weight', '0.1.bias', '2.1.0.weight', '2.1.1.weight', '2.1.1.bias'])
    expect(names(block)).toEqual(['0.weight', '1.weight', '1.bias'])
  })

  test('takes names of your own, in their order', () => {
    const model = nn.sequential({
      fc2: nn.linear(2, 2),
      act: nn.relu(),
      fc1: nn.sequential({ inner: nn.linear(2, 2) }),
    })
    expect(names(model)).toEqual(['fc2.weight', 'fc2.bias', 'fc1.inner.weight', 'fc1.inner.bias'])
  })

  test('takes a model from defineModel for a layer, and prefixes its ties', () => {
    const tied = nn.defineModel({
      parameters: [
        { name: 'wte.weight', shape: [10, 4], role: 'embedding' },
        { name: 'head.weight', shape: [10, 4], tiedTo: 'wte.weight' },
      ],
    })
    const model = nn.sequential(nn.sequential(tied), nn.linear(4, 2))
    expect(model.parameters.map(({ name, tiedTo }) => [name, tiedTo])).toEqual([
      ['0.0.wte.weight', undefined],
      ['0.0.head.weight', '0.0.wte.weight'],
      ['1.weight', undefined],
      ['1.bias', undefined],
    ])
    const plan = planModel(model, 'normal', {}, { seed: 1 })
    expect(plan.parameters.map(({ action }) => action)).toEqual(['initialize', 'tied', 'initialize', 'initialize'])
  })

  test('keeps what a parameter says of itself', () => {
    const model = nn.sequential(nn.conv2d(4, 8, 3, { groups: 2, dtype: 'float16' }))
    expect(model.parameters[0]).toEqual({
      name: '0.weight',
      shape: [8, 2, 3, 3],
      role: 'weight',
      groups: 2,
      dtype: 'float16',
    })
  })

  test('lists its children for those who walk the model', () => {
    const model = nn.sequential(nn.linear(2, 3), nn.tanh())
    expect(model.layer?.kind).toBe('sequential')
    expect(model.children?.map(([name, child]) => [name, child.layer?.kind])).toEqual([
      ['0', 'linear'],
      ['1', 'tanh'],
    ])
  })
})
