// The generators' shaders against their references, without a GPU: the same constants, no inexact builtin, every module linked.

import { describe, expect, test } from 'vitest'
import { floatDTypes } from '../../../../src/core/dtype.js'
import { generatorPipelineKey } from '../../../../src/gpu/fill/generators.js'
import { slotsOf } from '../../../../src/gpu/pipelines/pipelines.js'
import { linkShader } from '../../../../src/gpu/shaders/link.js'
import { shaderModules } from '../../../../src/gpu/shaders/shader-modules.js'
import type { GeneratorSource } from '../../../../src/ir/generator.js'
import { cephesConstants } from '../../../../src/random/libraries/cephes.js'
import { erfInvCoefficients } from '../../../../src/random/libraries/erf-inv.js'
import { shaderFiles, withoutComments } from '../../../support/wgsl.js'

const files = shaderFiles()

/** '-0x1.921fb6p+2f' -> the number; also plain decimals. */
function literal(text: string): number {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)0x([0-9a-f]+)\.([0-9a-f]*)p([+-]?\d+)f$/.exec(text) ?? []
  if (whole === '') return Number(text.replace(/f$/, ''))
  const digits = Number.parseInt(whole + fraction, 16) / 16 ** fraction.length
  return (sign === '-' ? -1 : 1) * digits * 2 ** Number(exponent)
}

test('the constants of cephes.wgsl are those of cephes.ts', () => {
  const found = [...files['random/libraries/cephes']!.matchAll(/^const (\w+) = (\S+);$/gm)].map(([, name, text]) => [
    name,
    literal(text!),
  ])
  expect(Object.fromEntries(found)).toEqual(cephesConstants)
})

test('the coefficients of erf_inv.wgsl are those of erf-inv.ts', () => {
  const lists = [...files['random/libraries/erf_inv']!.matchAll(/array<f32, 9>\(([^)]*)\)/g)].map(([, list = '']) =>
    list
      .split(',')
      .map((text) => text.trim())
      .filter(Boolean)
      .map(literal),
  )
  expect(lists).toEqual([erfInvCoefficients.central, erfInvCoefficients.tail])
})

test('no builtin that WGSL leaves inexact, and no float division', () => {
  for (const [name, text] of Object.entries(files)) {
    if (!/^(random|generators)\//.test(name)) continue
    const code = withoutComments(text)
    const builtins = code.match(/(?<!fn )\b(log2?|exp2?|sqrt|inverseSqrt|sin|cos|tan|pow|fma|mix|ldexp)\s*\(/g) ?? []
    expect({ name, builtins }).toEqual({ name, builtins: [] })
    // Division of integers is exact; it has a u on one side.
    const divisions = (code.match(/[^\n]*[^/]\/[^/][^\n]*/g) ?? []).filter(
      (line) => !/\/ (\d+u|job\.constants\.c\.x)/.test(line),
    )
    expect({ name, divisions }).toEqual({ name, divisions: [] })
  }
})

describe('every generator links', () => {
  const count = 20
  const sources: readonly GeneratorSource[] = [
    { generator: 'torch-cpu', variant: 'fma', draw: 'normal', seed: 1, position: 0, count },
    { generator: 'torch-cpu', variant: 'no-contraction', draw: 'normal', seed: 1, position: 0, count },
    { generator: 'torch-cpu', variant: 'fma', draw: 'normal', seed: 1, position: 0, count: 3 },
    { generator: 'torch-cuda', seed: '1', offset: '0', threads: 256 },
    { generator: 'torch-stateless', seed: '1', offset: '0' },
    { generator: 'jax', key: [0, 1], count },
    { generator: 'jax-legacy', key: [0, 1], count },
  ]
  test.each(sources)('%j', (generatorSource) => {
    for (const distribution of [
      { kind: 'uniform', low: 0, high: 1 },
      { kind: 'normal', mean: 0, std: 1 },
    ] as const) {
      for (const dtype of floatDTypes) {
        const key = generatorPipelineKey({ distribution, generatorSource }, dtype, false)
        const { code } = linkShader(key.entry, shaderModules, slotsOf(key))
        const names = [...withoutComments(code).matchAll(/^(?:fn|const) (\w+)/gm)].map(([, name]) => name)
        expect(new Set(names).size).toBe(names.length)
      }
    }
  })
})
