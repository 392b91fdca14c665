// The names that users import. A name that goes away is a breaking change; one that comes is written down here.
import { expect, test } from 'vitest'
import * as library from '../../src/index.js'

test('the public names', () => {
  expect(Object.keys(library).sort()).toEqual(
    [
      'ConstantInitializer',
      'DeltaOrthogonalInitializer',
      'DeviceLostError',
      'DiracInitializer',
      'EyeInitializer',
      'InitializedModel',
      'Initializer',
      'KaimingInitializer',
      'NormalInitializer',
      'OrthogonalInitializer',
      'OutOfMemoryError',
      'SirenInitializer',
      'SparseInitializer',
      'TorchDefaultInitializer',
      'TorchGenerator',
      'TruncatedNormalInitializer',
      'TruncatedNormalSigmaInitializer',
      'UniformInitializer',
      'VarianceScalingInitializer',
      'WeightInitError',
      'XavierInitializer',
      'activationGain',
      'activationNames',
      'batchNorm',
      'boxMuller',
      'calculateFans',
      'calculateGain',
      'constant',
      'conv1d',
      'conv2d',
      'conv3d',
      'convTranspose1d',
      'convTranspose2d',
      'convTranspose3d',
      'createInitializer',
      'defineInitializer',
      'defineModel',
      'defineSampler',
      'deltaOrthogonal',
      'dirac',
      'dropout',
      'elu',
      'embedding',
      'eye',
      'flatten',
      'fnv1a64',
      'gelu',
      'glorotNormal',
      'glorotUniform',
      'gpt2Recipe',
      'gru',
      'heNormal',
      'heUniform',
      'identity',
      'identityLayer',
      'initializeModel',
      'initializeTensor',
      'initializerNames',
      'jax',
      'kaimingNormal',
      'kaimingUniform',
      'layerNorm',
      'leakyRelu',
      'lecunNormal',
      'lecunUniform',
      'linear',
      'lstm',
      'minusTwoLog',
      'mish',
      'normal',
      'ones',
      'orthogonal',
      'parameterStream',
      'philox4x32',
      'planModel',
      'propagateSignal',
      'pythonSnippet',
      'readHuggingFaceConfig',
      'relu',
      'rematerialize',
      'residual',
      'rnn',
      'seedKey',
      'selu',
      'sequential',
      'sigmoid',
      'silu',
      'siren',
      'softmax',
      'softplus',
      'squareRoot',
      'tanh',
      'threadsOfGpu',
      'torchCudaThreads',
      'torchDefault',
      'truncNormal',
      'truncatedNormal',
      'uniform',
      'xavierNormal',
      'xavierUniform',
      'zeros',
    ].sort(),
  )
})

test('errors of both special kinds are WeightInitErrors with a code and a name', () => {
  for (const [error, code] of [
    [new library.DeviceLostError('x'), 'DEVICE_LOST'],
    [new library.OutOfMemoryError('x'), 'OUT_OF_MEMORY'],
  ] as const) {
    expect(error).toBeInstanceOf(library.WeightInitError)
    expect(error).toBeInstanceOf(Error)
    expect(error.code).toBe(code)
    expect(error.name).toBe(error.constructor.name)
  }
})

test('the classes make the ready-made instances', () => {
  expect(library.xavierUniform).toBeInstanceOf(library.XavierInitializer)
  expect(library.kaimingNormal).toBeInstanceOf(library.KaimingInitializer)
  expect(library.uniform).toBeInstanceOf(library.UniformInitializer)
  expect(library.normal).toBeInstanceOf(library.NormalInitializer)
  expect(library.ones).toBeInstanceOf(library.ConstantInitializer)
})
