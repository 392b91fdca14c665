// What cannot be measured is refused before any GPU work, with the layer, the value and the remedy.
import { expect, test } from 'vitest'
import * as nn from '../../../src/index.js'
import { activationKinds, slopesAt } from '../../../src/signal/activations.js'
import { expectRefusal } from '../../support/refusal.js'

const { linear, propagateSignal, relu, residual, sequential, conv2d } = nn

const cpu = (model: nn.Model, options: nn.InitializeOptions = {}): Promise<nn.InitializedModel> =>
  nn.initializeModel(model, 'kaiming', {}, { device: 'cpu', seed: 1, ...options })

const refused: [string, nn.Model, nn.SignalOptions, nn.WeightInitErrorCode, string[]][] = [
  [
    'a list of parameters',
    nn.defineModel({ parameters: [{ name: 'w', shape: [2, 2] }] }),
    {},
    'INVALID_MODEL',
    ['without layers', 'sequential('],
  ],
  [
    'a list of parameters inside',
    sequential(linear(2, 2), nn.defineModel({ parameters: [{ name: 'w', shape: [2, 2] }] })),
    {},
    'INVALID_MODEL',
    ['"1"', 'without layers'],
  ],
  [
    'embedding',
    sequential(nn.embedding(9, 4)),
    { inputShape: [4] },
    'INVALID_MODEL',
    ['"0" (embedding)', 'supported are linear'],
  ],
  ['lstm', sequential(linear(4, 4), nn.lstm(4, 4)), {}, 'INVALID_MODEL', ['"1" (lstm)', 'as a sequential of its own']],
  ['gru', sequential(nn.gru(4, 4)), { inputShape: [4] }, 'INVALID_MODEL', ['"0" (gru)']],
  [
    'convTranspose2d',
    sequential(nn.convTranspose2d(1, 1, 2)),
    { inputShape: [1, 4, 4] },
    'INVALID_MODEL',
    ['convTranspose2d'],
  ],
  [
    'a shape that breaks',
    sequential(linear(4, 5), relu(), linear(6, 2)),
    {},
    'INVALID_SHAPE',
    ['"2" (linear)', '6 features', '[5]'],
  ],
  [
    'a wrong inputShape',
    sequential(linear(4, 5)),
    { inputShape: [5] },
    'INVALID_SHAPE',
    ['"0" (linear)', '[5]', 'inputShape'],
  ],
  [
    'a convolution without inputShape',
    sequential(conv2d(3, 4, 3)),
    {},
    'INVALID_ARGUMENT',
    ['"0" (conv2d)', '[3, 32, 32]'],
  ],
  [
    'an activation without inputShape',
    sequential(relu(), linear(2, 2)),
    {},
    'INVALID_ARGUMENT',
    ['"0" (relu)', '[256]'],
  ],
  ['other channels', sequential(conv2d(3, 4, 3)), { inputShape: [4, 8, 8] }, 'INVALID_SHAPE', ['[3, length, length]']],
  ['too few places', sequential(conv2d(3, 4, 3)), { inputShape: [3, 2, 8] }, 'INVALID_SHAPE', ['at least 3 positions']],
  [
    'padding that wraps twice',
    sequential(conv2d(3, 4, 3, { padding: 5, paddingMode: 'circular' })),
    { inputShape: [3, 4, 4] },
    'INVALID_SHAPE',
    ['at least 5 positions'],
  ],
  [
    'a normalisation of other axes',
    sequential(linear(4, 4), nn.layerNorm(5)),
    {},
    'INVALID_SHAPE',
    ['layerNorm', '[5]', '[4]'],
  ],
  ['a batchNorm of other features', sequential(linear(4, 4), nn.batchNorm(5)), {}, 'INVALID_SHAPE', ['5 features']],
  [
    'a residual that changes the shape',
    sequential(residual(linear(4, 5))),
    {},
    'INVALID_SHAPE',
    ['[5]', '[4]', 'shortcut'],
  ],
  ['batch 0', sequential(linear(2, 2)), { batch: 0 }, 'INVALID_ARGUMENT', ['batch', 'found 0']],
  ['batch 1.5', sequential(linear(2, 2)), { batch: 1.5 }, 'INVALID_ARGUMENT', ['batch', '1.5']],
  ['seed 0.5', sequential(linear(2, 2)), { seed: 0.5 }, 'INVALID_ARGUMENT', ['seed', '0.5']],
  ['inputShape []', sequential(linear(2, 2)), { inputShape: [] }, 'INVALID_ARGUMENT', ['inputShape', '[]']],
  ['inputShape [-1]', sequential(linear(2, 2)), { inputShape: [-1] }, 'INVALID_ARGUMENT', ['inputShape', '[-1]']],
  ['healthyFactor 1', sequential(linear(2, 2)), { healthyFactor: 1 }, 'INVALID_ARGUMENT', ['healthyFactor', '> 1']],
  ['no signal', sequential(linear(2, 2)), { signal: 3 as never }, 'INVALID_ARGUMENT', ['AbortSignal', '3']],
  ['a misspelt option', sequential(linear(2, 2)), { bach: 3 } as never, 'INVALID_ARGUMENT', ['"bach"', 'batch']],
]

test.each(refused)('%s', async (_, model, options, code, fragments) => {
  using weights = await cpu(model)
  await expectRefusal(() => propagateSignal(model, weights, options), code, ...fragments)
})

test('a model without layers, weights that are none, weights of another model', async () => {
  const model = sequential(linear(2, 2))
  using weights = await cpu(model)
  await expectRefusal(() => propagateSignal(sequential(), weights), 'INVALID_MODEL', 'no layers')
  await expectRefusal(() => propagateSignal(undefined as never, weights), 'INVALID_MODEL', 'undefined')
  await expectRefusal(() => propagateSignal(model, {} as never), 'INVALID_ARGUMENT', 'initializeModel')
  const other = sequential({ fc: linear(2, 2) })
  await expectRefusal(() => propagateSignal(other, weights), 'UNKNOWN_PARAMETER', '"fc.weight"')
  await expectRefusal(() => residual(undefined as never) as never, 'INVALID_MODEL', 'body', 'undefined')
})

test('weights that are skipped, cut, destroyed', async () => {
  const model = sequential(linear(4, 4), relu(), linear(4, 4))
  using skipped = await cpu(model, { skip: '2.weight' })
  await expectRefusal(() => propagateSignal(model, skipped), 'UNKNOWN_PARAMETER', '"2.weight"')
  using shard = await cpu(model, { shard: { axis: 0, index: 0, count: 2 } })
  await expectRefusal(() => propagateSignal(model, shard), 'INVALID_MODEL', '"0.weight"', 'without slice and shard')
  const gone = await cpu(model)
  gone.destroy()
  await expectRefusal(() => propagateSignal(model, gone), 'DESTROYED')
})

test('a signal that was aborted, and one that aborts on the way', async () => {
  const model = sequential(...Array.from({ length: 20 }, () => linear(64, 64)))
  using weights = await cpu(model)
  await expect(propagateSignal(model, weights, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i)
  const abort = new AbortController()
  // Heard as soon as the event loop turns.
  setImmediate(() => abort.abort())
  await expect(propagateSignal(model, weights, { batch: 512, signal: abort.signal })).rejects.toThrow(/abort/i)
})

test('one layer alone is a model; tied weights are their owner’s; bfloat16 works', async () => {
  const layer = linear(3, 4)
  using weights = await cpu(layer, { dtype: 'bfloat16' })
  const { layers, inputShape } = await propagateSignal(layer, weights)
  expect(inputShape).toEqual([3])
  expect(layers).toMatchObject([{ name: '', kind: 'linear', shape: [4] }])
  const tied: nn.Model = {
    parameters: [
      { name: 'a.weight', shape: [4, 4] },
      { name: 'b.weight', shape: [4, 4], tiedTo: 'a.weight' },
    ],
    layer: { kind: 'sequential' },
    children: [
      ['a', linear(4, 4, { bias: false })],
      ['b', linear(4, 4, { bias: false })],
    ],
  }
  using pair = await cpu(tied)
  expect((await propagateSignal(tied, pair)).layers).toHaveLength(2)
})

test('residual names its parameters, and its seeds fit', () => {
  const model = residual(sequential(linear(2, 2)), linear(2, 2, { bias: false }))
  expect(model.parameters.map(({ name }) => name)).toEqual(['body.0.weight', 'body.0.bias', 'shortcut.weight'])
  expect(model.layer).toEqual({ kind: 'residual' })
})

test('convolutions keep their geometry, and refuse a bad one', async () => {
  const { layer } = conv2d(2, 4, 3, { stride: 2, padding: [1, 0], dilation: 1, paddingMode: 'circular' })
  expect(layer?.config).toMatchObject({ stride: [2, 2], padding: [1, 0], dilation: [1, 1], paddingMode: 'circular' })
  for (const [options, text] of [
    [{ stride: 0 }, 'stride must be an integer >= 1'],
    [{ padding: [1] }, 'or 2 of them'],
    [{ dilation: 1.5 }, '1.5'],
    [{ paddingMode: 'reflect' as never }, "'zeros' or 'circular'"],
  ] as const) {
    const error = await Promise.resolve()
      .then(() => conv2d(2, 4, 3, options as nn.ConvGeometryOptions))
      .catch((e: unknown) => e)
    expect(error).toBeInstanceOf(nn.WeightInitError)
    expect((error as Error).message).toContain(text)
  }
  expect(() => nn.convTranspose2d(2, 4, 3, { stride: 2 } as never)).toThrow(
    /Unknown convTranspose2d option key "stride"/,
  )
})

test('slopes stand in for every activation that has them, where the signal is tiny or huge', () => {
  const regimes = (log2: number) =>
    activationKinds.filter((kind) => slopesAt({ kind, negativeSlope: 0.1 }, log2) !== undefined)
  expect(regimes(0)).toEqual(['relu', 'leakyRelu'])
  expect(activationKinds.filter((kind) => !regimes(-40).includes(kind))).toEqual(['softplus', 'sigmoid', 'reluSquared'])
  expect(activationKinds.filter((kind) => !regimes(40).includes(kind))).toEqual(['tanh', 'sigmoid', 'reluSquared'])
})
