// The records of signal propagation have one layout and one set of constants in TypeScript and in WGSL.
import { expect, test } from 'vitest'
import { type SignalStruct, signalStructs } from '../../../../src/gpu/signal/records.js'
import {
  activationCode,
  activationKinds,
  DEAD_SLOPE,
  SELU_ALPHA,
  SELU_SCALE,
} from '../../../../src/signal/activations.js'
import { shaderFiles, structLayout } from '../../../support/wgsl.js'

const files = shaderFiles()

test.each(Object.keys(signalStructs) as SignalStruct[])(
  'the record of %s is the shader’s struct, field by field',
  (name) => {
    const text = files[`signal/${name}`]!
    const struct = { gather: 'Gather', product: 'Product', activations: 'Activation', affine: 'Affine' }[name as string]
    const title = struct ?? name[0]!.toUpperCase() + name.slice(1)
    const fields = signalStructs[name].map((field) => field.split(':')[0]!)
    const expected = Object.fromEntries(fields.map((field, index) => [field, 4 * index]))
    expect({ ...structLayout(text, title), byteLength: 0 }).toEqual({ ...expected, byteLength: 0 })
    for (const field of signalStructs[name]) {
      const [own, type] = field.split(':')
      expect(text).toMatch(new RegExp(`\\b${own}: ${type === 'f' ? 'f32' : 'u32'},`))
    }
  },
)

test('a convolution’s record is six vec3s with a word behind each', () => {
  expect(structLayout(files['signal/convolution']!, 'Convolution')).toEqual({
    ...{ input: 0, batch: 12, output: 16, groups: 28, kernel: 32, inChannels: 44, stride: 48, outChannels: 60 },
    ...{ padding: 64, scale: 76, dilation: 80, flags: 92, byteLength: 96 },
  })
})

test('constants are the same in both languages, and there is a case for every activation', () => {
  const text = files['signal/activations']!
  expect(text).toContain(`const SELU_SCALE = ${SELU_SCALE};`)
  expect(text).toContain(`const SELU_ALPHA = ${SELU_ALPHA};`)
  expect(Number(/DEAD_SLOPE = (\S+);/.exec(files['signal/dead_units']!)?.[1])).toBe(DEAD_SLOPE)
  for (const name of ['activationValue', 'activationSlope']) {
    const body = text.slice(text.indexOf(`fn ${name}(`)).split('\n}\n')[0]!
    const cases = [...body.matchAll(/case (\w+):/g)].map(([, label = '']) => label)
    const codes = cases.map((label) => Number(new RegExp(`^const ${label} = (\\d+)u;$`, 'm').exec(text)?.[1]))
    // Numbers by name, in both languages; no activation is what remains.
    expect(cases.map((label, index) => [label, codes[index]])).toEqual(
      activationKinds.map((kind) => [
        kind.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase(),
        activationCode({ kind, negativeSlope: 0 }),
      ]),
    )
    expect(body).toContain('default: { return 0.0; }')
  }
})

test('no activation ever changes its number', () => {
  const codes = Object.fromEntries(activationKinds.map((kind) => [kind, activationCode({ kind, negativeSlope: 0 })]))
  expect(codes).toMatchObject({
    relu: 0,
    leakyRelu: 1,
    gelu: 2,
    silu: 3,
    mish: 4,
    elu: 5,
    selu: 6,
    softplus: 7,
    tanh: 8,
  })
  expect(codes).toMatchObject({ sigmoid: 9, hardswish: 10, reluSquared: 11 })
  expect(new Set(Object.values(codes)).size).toBe(activationKinds.length)
})
