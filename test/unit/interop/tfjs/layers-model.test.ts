// What a tf.LayersModel's weights are taken for: names, shapes, roles, fans. TensorFlow.js on its CPU backend.
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { planModel, WeightInitError } from '../../../../src/index.js'
import { initializeLayersModel, readLayersModel, toTensor, toTensors } from '../../../../src/interop/tfjs.js'
import { initializeModel, initializeTensor } from '../../../../src/weights/initialize.js'

const { layers } = tfl
/** Their own default is orthogonal, which needs the chained operations of the whole of TensorFlow.js. */
const quick = { recurrentInitializer: 'zeros' } as const
beforeAll(() => tf.setBackend('cpu'))

/** [name, shape, role, fanIn, fanOut] of each weight; fans only of weights and embeddings. */
function describeWeights(model: tfl.LayersModel): unknown[] {
  return planModel(readLayersModel(model), 'normal', {}, { seed: 1 }).parameters.map(({ name, shape, role, fans }) =>
    role === 'weight' || role === 'embedding' ? [name, shape, role, fans?.fanIn, fans?.fanOut] : [name, shape, role],
  )
}

const inputs: Readonly<Record<string, number[]>> = {
  image: [9, 9, 3],
  sequence: [7, 5],
  vector: [6],
  video: [4, 9, 9, 3],
  volume: [5, 5, 5, 2],
}

const cases: [string, number[], () => tfl.layers.Layer, unknown[]][] = [
  [
    'dense',
    inputs.vector!,
    () => layers.dense({ units: 4 }),
    [
      ['dense/kernel', [6, 4], 'weight', 6, 4],
      ['dense/bias', [4], 'bias'],
    ],
  ],
  [
    'conv1d',
    inputs.sequence!,
    () => layers.conv1d({ filters: 4, kernelSize: 3 }),
    [
      ['conv1d/kernel', [3, 5, 4], 'weight', 15, 12],
      ['conv1d/bias', [4], 'bias'],
    ],
  ],
  [
    'conv2d',
    inputs.image!,
    () => layers.conv2d({ filters: 8, kernelSize: [3, 5] }),
    [
      ['conv2d/kernel', [3, 5, 3, 8], 'weight', 45, 120],
      ['conv2d/bias', [8], 'bias'],
    ],
  ],
  [
    'conv3d',
    inputs.volume!,
    () => layers.conv3d({ filters: 4, kernelSize: 3, useBias: false }),
    [['conv3d/kernel', [3, 3, 3, 2, 4], 'weight', 54, 108]],
  ],
  [
    'conv2dTranspose',
    inputs.image!,
    () => layers.conv2dTranspose({ filters: 8, kernelSize: 2 }),
    [
      ['conv2d_transpose/kernel', [2, 2, 8, 3], 'weight', 12, 32],
      ['conv2d_transpose/bias', [8], 'bias'],
    ],
  ],
  [
    'depthwiseConv2d',
    inputs.image!,
    () => layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2 }),
    [
      ['depthwise_conv2d/depthwise_kernel', [3, 3, 3, 2], 'weight', 9, 18],
      ['depthwise_conv2d/bias', [6], 'bias'],
    ],
  ],
  [
    'separableConv2d',
    inputs.image!,
    () => layers.separableConv2d({ filters: 5, kernelSize: 3, depthMultiplier: 2 }),
    [
      ['separable_conv2d/depthwise_kernel', [3, 3, 3, 2], 'weight', 9, 18],
      ['separable_conv2d/pointwise_kernel', [1, 1, 6, 5], 'weight', 6, 5],
      ['separable_conv2d/bias', [5], 'bias'],
    ],
  ],
  [
    'batchNormalization',
    inputs.image!,
    () => layers.batchNormalization(),
    [
      ['batch_normalization/gamma', [3], 'norm-scale'],
      ['batch_normalization/beta', [3], 'norm-bias'],
      ['batch_normalization/moving_mean', [3], 'buffer'],
      ['batch_normalization/moving_variance', [3], 'buffer'],
    ],
  ],
  [
    'layerNormalization',
    inputs.vector!,
    () => layers.layerNormalization(),
    [
      ['layer_normalization/gamma', [6], 'norm-scale'],
      ['layer_normalization/beta', [6], 'norm-bias'],
    ],
  ],
  ['prelu', inputs.vector!, () => layers.prelu(), [['p_re_lu/alpha', [6], 'bias']]],
  [
    'lstm',
    inputs.sequence!,
    () => layers.lstm({ ...quick, units: 2 }),
    [
      ['lstm/kernel', [5, 8], 'weight', 5, 2],
      ['lstm/recurrent_kernel', [2, 8], 'weight', 2, 2],
      ['lstm/bias', [8], 'bias'],
    ],
  ],
  [
    'gru',
    inputs.sequence!,
    () => layers.gru({ ...quick, units: 2 }),
    [
      ['gru/kernel', [5, 6], 'weight', 5, 2],
      ['gru/recurrent_kernel', [2, 6], 'weight', 2, 2],
      ['gru/bias', [6], 'bias'],
    ],
  ],
  [
    'simpleRNN',
    inputs.sequence!,
    () => layers.simpleRNN({ ...quick, units: 2 }),
    [
      ['simple_rnn/kernel', [5, 2], 'weight', 5, 2],
      ['simple_rnn/recurrent_kernel', [2, 2], 'weight', 2, 2],
      ['simple_rnn/bias', [2], 'bias'],
    ],
  ],
  [
    'convLstm2d',
    inputs.video!,
    () => layers.convLstm2d({ ...quick, filters: 2, kernelSize: 3, useBias: false }) as unknown as tfl.layers.Layer,
    [
      ['conv_lst_m2d/kernel', [3, 3, 3, 8], 'weight', 27, 18],
      ['conv_lst_m2d/recurrent_kernel', [3, 3, 2, 8], 'weight', 18, 18],
    ],
  ],
  [
    'timeDistributed',
    inputs.sequence!,
    () => layers.timeDistributed({ layer: layers.dense({ units: 3 }) }),
    [
      ['time_distributed/kernel', [5, 3], 'weight', 5, 3],
      ['time_distributed/bias', [3], 'bias'],
    ],
  ],
  [
    'bidirectional',
    inputs.sequence!,
    () => layers.bidirectional({ layer: layers.gru({ ...quick, units: 2, useBias: false }) as never }),
    [
      ['bidirectional/forward/kernel', [5, 6], 'weight', 5, 2],
      ['bidirectional/forward/recurrent_kernel', [2, 6], 'weight', 2, 2],
      ['bidirectional/backward/kernel', [5, 6], 'weight', 5, 2],
      ['bidirectional/backward/recurrent_kernel', [2, 6], 'weight', 2, 2],
    ],
  ],
  [
    'stacked cells',
    inputs.sequence!,
    () =>
      layers.rnn({
        cell: [
          layers.simpleRNNCell({ ...quick, units: 3, useBias: false }),
          layers.gruCell({ ...quick, units: 2, useBias: false }),
        ],
      }),
    [
      ['rnn/0/kernel', [5, 3], 'weight', 5, 3],
      ['rnn/0/recurrent_kernel', [3, 3], 'weight', 3, 3],
      ['rnn/1/kernel', [3, 6], 'weight', 3, 2],
      ['rnn/1/recurrent_kernel', [2, 6], 'weight', 2, 2],
    ],
  ],
]

describe('readLayersModel', () => {
  test.each(cases)('%s', (_name, inputShape, makeLayer, expected) => {
    const model = tfl.sequential({ layers: [layers.inputLayer({ inputShape }), makeLayer()] })
    expect(describeWeights(model)).toEqual(expected)
  })

  test('an embedding: [count, dimension], in-out as in Keras', () => {
    const model = tfl.sequential({ layers: [layers.embedding({ inputDim: 11, outputDim: 4, inputLength: 3 })] })
    expect(describeWeights(model)).toEqual([['embedding/embeddings', [11, 4], 'embedding', 11, 4]])
  })

  test('names count per model, keep those that the user gave, and do not move when a layer is frozen', () => {
    const make = (): tfl.Sequential =>
      tfl.sequential({
        layers: [
          layers.dense({ units: 4, inputShape: [3] }),
          layers.dense({ units: 4, name: 'dense_1' }),
          layers.dense({ units: 4 }),
          layers.dense({ units: 2, name: 'head' }),
        ],
      })
    const names = (model: tfl.Sequential): string[] => readLayersModel(model).parameters.map(({ name }) => name)
    const expected = ['dense', 'dense_1', 'dense_2', 'head'].flatMap((n) => [`${n}/kernel`, `${n}/bias`])
    expect(names(make())).toEqual(expected)
    expect(names(make())).toEqual(expected)
    const frozen = make()
    frozen.layers[0]!.trainable = false
    // TensorFlow.js lists what is trained first.
    expect(names(frozen)).toEqual([...expected.slice(2), ...expected.slice(0, 2)])
  })

  test('a model in a model, a shared layer once', () => {
    const inner = tfl.sequential({
      name: 'encoder',
      layers: [layers.dense({ units: 4, inputShape: [3], useBias: false })],
    })
    const [a, b] = [tfl.input({ shape: [3] }), tfl.input({ shape: [3] })]
    const both = [inner.apply(a), inner.apply(b)] as tfl.SymbolicTensor[]
    const output = layers.dense({ units: 1, name: 'out' }).apply(layers.add().apply(both)) as tfl.SymbolicTensor
    const model = tfl.model({ inputs: [a, b], outputs: output })
    expect(describeWeights(model)).toEqual([
      ['encoder/dense/kernel', [3, 4], 'weight', 3, 4],
      ['out/kernel', [4, 1], 'weight', 4, 1],
      ['out/bias', [1], 'bias'],
    ])
  })

  test('refuses what is no built LayersModel, with the remedy', () => {
    const refuse = (model: unknown): WeightInitError => {
      try {
        readLayersModel(model as never)
      } catch (error) {
        return error as WeightInitError
      }
      throw new Error('accepted')
    }
    expect(refuse(undefined)).toMatchObject({ code: 'INVALID_MODEL' })
    expect(refuse({ layers: [] }).message).toContain('tf.loadLayersModel')
    const empty = refuse(tfl.sequential())
    expect(empty.code).toBe('INVALID_MODEL')
    expect(empty.message).toContain('model.build')
  })
})

const bytes = async (tensor: tf.Tensor): Promise<number[]> => [...(await tensor.data())]

describe('on a backend without a GPU', () => {
  test('initializeLayersModel sets what the CPU makes, and leaves no tensor behind', async () => {
    const model = tfl.sequential({ layers: [layers.dense({ units: 8, inputShape: [5] }), layers.batchNormalization()] })
    const before = tf.memory().numTensors
    const weights = await initializeLayersModel(tf, model, 'xavier', { gain: 2 }, { seed: 7 })
    expect(tf.memory().numTensors).toBe(before)
    expect([weights.backend, weights.device]).toEqual(['cpu', undefined])
    const reference = await initializeModel(readLayersModel(model), 'xavier', { gain: 2 }, { device: 'cpu', seed: 7 })
    for (const [index, name] of [...weights.parameters.keys()].entries()) {
      expect(await bytes(model.getWeights()[index]!)).toEqual([...(await reference.read(name))])
    }
    expect(await bytes(model.layers[1]!.getWeights()[3]!)).toEqual(new Array(8).fill(1))
    expect((await weights.verify()).ok).toBe(true)
  })

  test('an LSTM keeps its open forget gate, unless a rule names its bias', async () => {
    const make = (): tfl.Sequential =>
      tfl.sequential({ layers: [layers.lstm({ ...quick, units: 2, inputShape: [7, 5], unitForgetBias: true })] })
    const open = make()
    const weights = await initializeLayersModel(tf, open, 'orthogonal', {}, { seed: 1 })
    expect([...weights.parameters.keys()]).toEqual(['lstm/kernel', 'lstm/recurrent_kernel'])
    expect(await bytes(open.getWeights()[2]!)).toEqual([0, 0, 1, 1, 0, 0, 0, 0])
    for (const rules of [
      [{ match: '*', initializer: 'ones' }],
      [
        { match: 'bias', initializer: 'ones' },
        { match: 'weight', initializer: 'normal' },
      ],
    ]) {
      const shut = make()
      await initializeLayersModel(tf, shut, rules as never, { seed: 1 })
      expect(await bytes(shut.getWeights()[2]!)).toEqual(new Array(8).fill(1))
    }
    const kernels = make()
    await initializeLayersModel(tf, kernels, [{ match: '*kernel', initializer: 'ones' }], { seed: 1 })
    expect(await bytes(kernels.getWeights()[2]!)).toEqual([0, 0, 1, 1, 0, 0, 0, 0])
  })

  test('the same seed gives the same weights to a model made again', async () => {
    const run = async (): Promise<number[]> => {
      const model = tfl.sequential({ layers: [layers.dense({ units: 8, inputShape: [5] })] })
      await initializeLayersModel(tf, model, 'he_normal', {}, { seed: 3 })
      return bytes(model.getWeights()[0]!)
    }
    expect(await run()).toEqual(await run())
  })

  test('a failed call changes no weight', async () => {
    const model = tfl.sequential({ layers: [layers.dense({ units: 3, inputShape: [2] })] })
    const before = await bytes(model.getWeights()[0]!)
    const refusals: [unknown[], string, RegExp][] = [
      [['xavier', {}, { dtype: 'float16' }], 'UNSUPPORTED_DTYPE', /dtype can only be "float32"/],
      [['xavier', {}, { buffers: 'packed' }], 'INVALID_ARGUMENT', /buffers can only be "separate"/],
      [['xavier', {}, { segments: true }], 'INVALID_ARGUMENT', /segments can only be false/],
      [['xavier', {}, { fans: 'torch' }], 'INVALID_ARGUMENT', /fans can only be "layout"/],
      [['xavier', {}, { shard: { axis: 0, index: 0, count: 2 } }], 'INVALID_ARGUMENT', /no option shard/],
      [['xavier', {}, { into: {} }], 'INVALID_ARGUMENT', /readLayersModel/],
      [['xavier', {}, { device: { createComputePipelineAsync() {} } }], 'INVALID_ARGUMENT', /"cpu" backend/],
      [['xavier', { gian: 1 }], 'INVALID_CONFIG', /gian/],
      [[[{ match: 'nothing', initializer: 'ones' }]], 'UNMATCHED_PARAMETER', /dense\/kernel/],
    ]
    for (const [args, code, message] of refusals) {
      const error = (await initializeLayersModel(tf, model, ...(args as [never])).catch((e: unknown) => e)) as Error
      expect(error).toBeInstanceOf(WeightInitError)
      expect(error).toMatchObject({ code })
      expect(error.message).toMatch(message)
    }
    expect(await bytes(model.getWeights()[0]!)).toEqual(before)
    expect((await initializeLayersModel({} as never, model, 'xavier').catch((e) => e)).message).toContain(
      'TensorFlow.js module',
    )
  })

  test('a weight over the binding limit of its device is refused before any GPU work', async () => {
    vi.stubGlobal('navigator', { gpu: {} })
    vi.stubGlobal('GPUBuffer', class {})
    const device = { createComputePipelineAsync() {}, limits: { maxStorageBufferBindingSize: 2 ** 27 } }
    const onDevice = { ...tf, backend: () => ({ device }) } as unknown as typeof tf
    const variable = (shape: number[]) => ({ id: 1, originalName: 'big/kernel', shape, dtype: 'float32' })
    const layer = { name: 'big', weights: [variable([2 ** 13, 2 ** 12 + 1])], getClassName: () => 'Dense' }
    const model = { layers: [layer], weights: layer.weights, getWeights: () => [], setWeights() {} }
    const error = await initializeLayersModel(onDevice, model, 'normal').catch((e: unknown) => e)
    expect(error).toMatchObject({ code: 'LIMIT_EXCEEDED' })
    expect((error as Error).message).toMatch(/"big\/kernel" needs a binding of 134250496 bytes.*134217728/)
    vi.unstubAllGlobals()
    const without = await initializeLayersModel(onDevice, model, 'normal').catch((e: unknown) => e)
    expect(without).toMatchObject({ code: 'NO_ADAPTER', message: expect.stringContaining('navigator.gpu') })
  })

  test('toTensor and toTensors: shape, dtype, values; refusals name the parameter', async () => {
    const model = {
      parameters: [
        { name: 'w', shape: [3, 4] },
        { name: 'steps', shape: [2], dtype: 'int32', role: 'buffer' },
      ],
    } as const
    const rules = [
      { match: 'w', initializer: 'normal' },
      { match: 'steps', initializer: 'constant', config: { value: 5 } },
    ]
    const weights = await initializeModel(model, rules as never, { device: 'cpu', seed: 1, buffers: 'packed' })
    const tensors = toTensors<tf.Tensor>(tf, weights)
    expect([...tensors].map(([name, { shape, dtype }]) => [name, shape, dtype])).toEqual([
      ['w', [3, 4], 'float32'],
      ['steps', [2], 'int32'],
    ])
    expect(await bytes(tensors.get('w')!)).toEqual([...(await weights.read('w'))])
    expect(await bytes(tensors.get('steps')!)).toEqual([5, 5])
    for (const dtype of ['float16', 'bfloat16'] as const) {
      const half = await initializeTensor([3, 4], 'normal', {}, { device: 'cpu', dtype, seed: 1 })
      expect(() => toTensor(tf, half, 'tensor')).toThrow(`"tensor" is ${dtype}`)
      const before = tf.memory().numTensors
      expect(() => toTensors(tf, half)).toThrow(WeightInitError)
      expect(tf.memory().numTensors).toBe(before)
    }
    expect(() => toTensor(tf, weights, 'v')).toThrow('no initialised parameter "v"')
    weights.destroy()
    expect(() => toTensor(tf, weights, 'w')).toThrow('were destroyed')
  })
})
