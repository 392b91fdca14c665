// Initializers by name: every spelling, its settings and defaults, ready-made instances, and names that are refused.
import { describe, expect, test } from 'vitest'
import * as library from '../../../src/index.js'
import { Initializer } from '../../../src/initializers/initializer.js'
import { createInitializer, initializerNames } from '../../../src/initializers/registry.js'
import { contextFor } from '../../support/parameters.js'

const context = contextFor([30, 50, 3])
const distributionOf = (initializer: Initializer) => initializer.distribution(context)

const std = (value: number) => ({ kind: 'normal', mean: 0, std: value })
const bound = (value: number) => ({ kind: 'uniform', low: -value, high: value })
const truncated = (mean: number, deviation: number, low: number, high: number) => ({
  kind: 'truncated-normal',
  mean,
  std: deviation,
  low,
  high,
})
/** JAX's and Keras's corrected truncated normal of a variance. */
const corrected = (variance: number) => {
  const wide = Math.sqrt(variance) / 0.87962566103423978
  return truncated(0, wide, -2 * wide, 2 * wide)
}
const xavier = Math.sqrt(2 / 240)
const kaiming = Math.sqrt(2) / Math.sqrt(150)

/** Every way to write a name, its distribution on shape [30, 50, 3] (fan_in 150, fan_out 90), and the instance it equals. */
const names: [spellings: string[], distribution: object, instance: Initializer][] = [
  [['xavier'], bound(Math.sqrt(3) * xavier), new library.XavierInitializer()],
  [['xavier_uniform', 'xavierUniform', 'xavier_uniform_'], bound(Math.sqrt(3) * xavier), library.xavierUniform],
  [['xavier_normal', 'xavierNormal', 'xavier_normal_'], std(xavier), library.xavierNormal],
  [['kaiming'], std(kaiming), new library.KaimingInitializer()],
  [['kaiming_uniform', 'kaimingUniform', 'kaiming_uniform_'], bound(Math.sqrt(3) * kaiming), library.kaimingUniform],
  [['kaiming_normal', 'kaimingNormal', 'kaiming_normal_'], std(kaiming), library.kaimingNormal],
  [['uniform', 'uniform_'], { kind: 'uniform', low: 0, high: 1 }, library.uniform],
  [['normal', 'normal_'], std(1), library.normal],
  [['constant', 'constant_'], { kind: 'constant', value: 0 }, library.constant],
  [['zeros', 'zeros_'], { kind: 'constant', value: 0 }, library.zeros],
  [['ones', 'ones_', 'Ones'], { kind: 'constant', value: 1 }, library.ones],
  [['trunc_normal', 'trunc_normal_', 'truncNormal'], truncated(0, 1, -2, 2), library.truncNormal],
  [
    ['truncated_normal', 'TruncatedNormal', 'truncatedNormal'],
    truncated(0, 0.01, -0.02, 0.02),
    library.truncatedNormal,
  ],
  [['variance_scaling', 'VarianceScaling'], corrected(1 / 150), new library.VarianceScalingInitializer()],
  [['lecun_normal', 'LecunNormal', 'lecunNormal'], corrected(1 / 150), library.lecunNormal],
  [['lecun_uniform', 'LecunUniform'], bound(Math.sqrt(3 / 150)), library.lecunUniform],
  [['glorot_normal', 'GlorotNormal'], corrected(1 / 120), library.glorotNormal],
  [['glorot_uniform', 'GlorotUniform'], bound(Math.sqrt(3 / 120)), library.glorotUniform],
  [['he_normal', 'HeNormal'], corrected(2 / 150), library.heNormal],
  [['he_uniform', 'HeUniform'], bound(Math.sqrt(3 * (2 / 150))), library.heUniform],
  [['random_normal', 'RandomNormal'], std(0.05), new library.NormalInitializer({ std: 0.05 })],
  [['random_uniform', 'RandomUniform'], bound(0.05), new library.UniformInitializer({ a: -0.05, b: 0.05 })],
  [['siren'], bound(Math.sqrt(6 / 150) / 30), library.siren],
  [
    ['dirac', 'dirac_'],
    { kind: 'diagonal', value: 1, elementCount: 4500, runs: [{ first: 1, stride: 153, count: 30 }] },
    library.dirac,
  ],
  [
    ['torch_default', 'torchDefault'],
    bound(Math.sqrt(3) * (Math.sqrt(2 / (1 + Math.sqrt(5) ** 2)) / Math.sqrt(150))),
    library.torchDefault,
  ],
]

test('every name of this table is one of the library; the others take a matrix or a setting, and are in families.test.ts', () => {
  expect(initializerNames).toEqual(expect.arrayContaining(names.map(([[name]]) => name)))
})

describe.each(names)('%j', (spellings, distribution, instance) => {
  test.each(spellings)('%s', (name) => {
    const made = createInitializer(name)
    expect(made).toBeInstanceOf(Initializer)
    expect(distributionOf(made)).toEqual(distribution)
  })

  test('the ready-made instance is equal to it', () => {
    const made = createInitializer(spellings[0]!)
    expect(instance.constructor).toBe(made.constructor)
    expect(instance.name).toBe(made.name)
    expect(instance.config).toEqual(made.config)
    expect(distributionOf(instance)).toEqual(distribution)
  })
})

test.each([
  ['xavier', { gain: 2.5, distribution: 'normal' }],
  ['xavier_normal', { gain: 0.5 }],
  ['kaiming', { mode: 'fan_out', nonlinearity: 'leaky_relu', a: 0.2, distribution: 'uniform' }],
  ['kaiming', { gain: 1.7 }],
  ['kaiming', { nonlinearity: 'tanh', gain: 1 }],
  ['kaiming_uniform', { a: Math.sqrt(5), nonlinearity: 'leaky_relu' }],
  ['uniform', { a: -3, b: 4.5 }],
  ['normal', { mean: -1, std: 0.02 }],
  ['normal', { std: 0 }],
  ['constant', { value: -0.125 }],
  ['zeros', {}],
  ['ones', {}],
])('createInitializer(i.name, i.config) is i again: %s %j', (name, config) => {
  const made = createInitializer(name, config)
  const again = createInitializer(made.name, made.config)
  expect(again.constructor).toBe(made.constructor)
  expect(again.config).toEqual(made.config)
  expect(distributionOf(again)).toEqual(distributionOf(made))
  // And through JSON, as a manifest keeps it.
  expect(distributionOf(createInitializer(made.name, JSON.parse(JSON.stringify(made.config))))).toEqual(
    distributionOf(made),
  )
})

test('the config keeps what was given', () => {
  expect(createInitializer('kaiming', { a: 0.2, nonlinearity: 'leaky_relu', mode: 'FAN_OUT' }).config).toEqual({
    mode: 'fan_out',
    nonlinearity: 'leaky_relu',
    a: 0.2,
    distribution: 'normal',
  })
  expect(createInitializer('xavier', { gain: 3 }).config).toEqual({ gain: 3, distribution: 'uniform' })
})

test('PyTorch’s defaults', () => {
  expect(new library.XavierInitializer().config).toEqual({ gain: 1, distribution: 'uniform' })
  expect(new library.KaimingInitializer().config).toEqual({
    mode: 'fan_in',
    nonlinearity: 'relu',
    a: 0,
    distribution: 'normal',
  })
  expect(new library.UniformInitializer().config).toEqual({ a: 0, b: 1 })
  expect(new library.NormalInitializer().config).toEqual({ mean: 0, std: 1 })
})

test('the mode’s case does not matter, as in PyTorch', () => {
  expect(createInitializer('kaiming', { mode: 'Fan_In' }).config.mode).toBe('fan_in')
})

test.each([
  ['xavier', { gain: 0 }, { kind: 'uniform', low: -0, high: 0 }],
  ['uniform', { a: 2, b: 2 }, { kind: 'uniform', low: 2, high: 2 }],
  ['normal', { mean: 3, std: 0 }, { kind: 'normal', mean: 3, std: 0 }],
])('a distribution without spread is allowed: %s %j', (name, config, distribution) => {
  expect(distributionOf(createInitializer(name, config))).toEqual(distribution)
})
