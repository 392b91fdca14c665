// ONNX files that PyTorch exports have, under the default, the distributions that PyTorch's own modules have.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Distribution } from '../../../src/ir/distribution.js'
import { planEveryParameter } from '../../../src/plan/lint.js'
import { readOnnxModel } from '../../../src/readers/onnx.js'

interface Export {
  readonly module: string
  readonly exporter: string
  readonly tensors: Readonly<Record<string, Distribution>>
  readonly file: string
}
const { exports } = JSON.parse(readFileSync(new URL('../../vectors/onnx_modules.json', import.meta.url), 'utf8')) as {
  exports: Export[]
}
const text = (distribution: Distribution): string =>
  Object.entries<unknown>(distribution)
    .filter(([key]) => key !== 'kind')
    .reduce<string>((all, [key, value]) => `${all} ${key} ${Number(value).toPrecision(9)}`, distribution.kind)

test('the vector covers 25 modules, both exporters and opset 11 to 21', () => {
  expect(new Set(exports.map(({ module }) => module)).size).toBe(25)
  expect(new Set(exports.map(({ exporter }) => exporter)).size).toBe(5)
})

describe.each(exports)('$module, $exporter', ({ module, tensors, file }) => {
  const { model, fixed } = readOnnxModel(new Uint8Array(Buffer.from(file, 'base64')))
  const skip = (parameter: { name: string }): boolean => fixed.includes(parameter.name)
  const plan = planEveryParameter(model, 'torch_default', {}, { seed: 1, skip })
  const planned = new Map(plan.parameters.map((parameter) => [parameter.name, parameter]))

  test('every parameter of the module has its distribution', () => {
    const found = Object.keys(tensors).map((name) => {
      const parameter = planned.get(name)
      return [name, parameter?.action === 'initialize' ? text(parameter.distribution) : parameter?.rule.because]
    })
    expect(Object.fromEntries(found)).toEqual(
      Object.fromEntries(Object.entries(tensors).map(([name, distribution]) => [name, text(distribution)])),
    )
  })

  test('nothing else is drawn', () => {
    // Folding a batch norm into a convolution gives that a bias, which the module does not have.
    const folded = module.includes('BatchNorm') ? '0.weight_bias' : undefined
    const others = plan.parameters.filter(
      ({ name, action }) => action === 'initialize' && name !== folded && !Object.hasOwn(tensors, name),
    )
    expect(others.map(({ name, distribution }) => [name, text(distribution)])).toEqual(
      others.map(({ name }) => [name, expect.stringMatching(/^constant/)]),
    )
  })
})
