import { describe, expect, test } from 'vitest'
import { samplerLaw } from '../../src/distributions.js'
import { jobLayout, packJob } from '../../src/gpu/job-layout.js'
import { linkShader } from '../../src/gpu/link.js'
import { shaderModules } from '../../src/gpu/shader-modules.js'
import type { FillJob } from '../../src/jobs.js'
import { shaderFiles, structLayout, withoutComments } from '../support/wgsl.js'

const files = shaderFiles()

describe('shader-modules.ts', () => {
  test('has every file under shaders/, under its path, and nothing else', () => {
    expect(Object.keys(shaderModules).sort()).toEqual(Object.keys(files).sort())
    expect(Object.keys(files).length).toBeGreaterThanOrEqual(16)
  })

  test.each(Object.keys(files))('%s is the text of its file', (path) => {
    expect(shaderModules[path]).toBe(files[path])
  })

  test.each(['distributions/uniform', 'distributions/normal'])('every pipeline of %s links', (sampler) => {
    for (const store of ['store/float32', 'store/half_pair']) {
      for (const round of ['store/float16', 'store/bfloat16']) {
        expect(linkShader('fill', shaderModules, { sampler, store, round }).code).toContain('fn main(')
      }
    }
  })

  test.each(['float32', 'float16', 'bfloat16'])('moments of %s link', (dtype) => {
    expect(linkShader('moments', shaderModules, { load: `load/${dtype}` }).code).toContain('fn loadElement(')
  })
})

// WGSL gives none of these a fixed result: a value that passes through one differs between devices.
const inexact = [
  'acos',
  'acosh',
  'asin',
  'asinh',
  'atan',
  'atan2',
  'atanh',
  'cos',
  'cosh',
  'cross',
  'degrees',
  'determinant',
  'distance',
  'dot',
  'exp',
  'exp2',
  'faceForward',
  'fma',
  'fract',
  'inverseSqrt',
  'ldexp',
  'length',
  'log',
  'log2',
  'mix',
  'modf',
  'normalize',
  'pow',
  'pack2x16float',
  'quantizeToF16',
  'radians',
  'reflect',
  'refract',
  'sin',
  'sinh',
  'smoothstep',
  'sqrt',
  'tan',
  'tanh',
  'unpack2x16float',
]

describe('what makes values uses exact operations only', () => {
  const exactFiles = Object.keys(files).filter((path) =>
    /^(random|distributions|store|core)\/|^(fill|constant)$/.test(path),
  )

  test('covers the samplers, the stores and their entry', () => {
    expect(exactFiles).toEqual(
      expect.arrayContaining(['random/normal', 'random/philox', 'distributions/uniform', 'store/float16', 'fill']),
    )
  })

  test.each(exactFiles)('%s calls no inexact builtin', (path) => {
    const called = [...withoutComments(files[path]!).matchAll(/\b(\w+)\s*\(/g)].map(([, name = '']) => name)
    expect(called.filter((name) => inexact.includes(name))).toEqual([])
  })

  test.each(exactFiles)('%s neither divides nor takes a remainder', (path) => {
    expect(withoutComments(files[path]!)).not.toMatch(/[/%]/)
  })

  test.each(exactFiles)('%s needs no extension and no f16', (path) => {
    expect(withoutComments(files[path]!)).not.toMatch(/\benable\b|\bf16\b|\bf64\b/)
  })

  test('the words above are found where they stand: this check can fail', () => {
    const called = [...'let x = sqrt(y); let z = inverseSqrt (y);'.matchAll(/\b(\w+)\s*\(/g)].map(([, name]) => name)
    expect(called).toEqual(['sqrt', 'inverseSqrt'])
  })
})

// a * b + c may be fused into one rounding: every product that is added to something must pass through rounded().
describe('no line adds a product without a barrier', () => {
  test.each(['random/normal', 'distributions/normal', 'distributions/uniform'])('%s', (path) => {
    const suspects = withoutComments(files[path]!)
      .split('\n')
      // Whatever a barrier encloses is rounded before it is used.
      .map((line) => withoutBarriers(line))
      .filter((line) => /\*/.test(line) && /[^<]\s[+-]\s/.test(line))
      .map((line) => line.trim())
    // The exceptions are exact, fused or not: two halves scaled by powers of two, and the uniform's integer part.
    expect(suspects).toEqual(
      {
        'random/normal': [
          'return f32(n >> 16u) * 0x1p-17f + f32(n & 0xffffu) * 0x1p-33f;',
          'let t = f32(n >> 16u) * 0x1p-17f + f32(n & 0xffff) * 0x1p-33f;',
        ],
        'distributions/normal': [],
        'distributions/uniform': ['let unit = (vec4<f32>(words & vec4<u32>(0xffffffu)) - law1.x) * law0.w;'],
      }[path],
    )
  })
})

/** The line with every rounded(...) replaced by R, from the outside in. */
function withoutBarriers(line: string): string {
  let text = line
  for (let at = text.indexOf('rounded('); at >= 0; at = text.indexOf('rounded(')) {
    let depth = 0
    let end = at + 'rounded'.length
    do {
      if (text[end] === '(') depth++
      if (text[end] === ')') depth--
      end++
    } while (depth > 0 && end < text.length)
    text = `${text.slice(0, at)}R${text.slice(end)}`
  }
  return text
}

describe('job-layout.ts', () => {
  test('has the offsets of struct Job in WGSL’s layout', () => {
    expect({ ...jobLayout }).toEqual(structLayout(files['core/job']!, 'Job'))
  })

  test('the layout rules here give known answers', () => {
    const text = 'struct T {\n a: f32,\n b: vec2<u32>, // c: f32,\n d: u32,\n e: vec3<f32>,\n f: u32,\n}'
    expect(structLayout(text, 'T')).toEqual({ a: 0, b: 8, d: 16, e: 32, f: 44, byteLength: 48 })
  })

  const stream = { seed: 0x11223344_55667788n, offset: 0xffff_ffff_ffff_fffen }

  test('packs a sampler’s window: counter of its first block, shift within it, law, counts', () => {
    const law = samplerLaw({ kind: 'uniform', low: -0.25, high: 0.5 })
    const job: FillJob = {
      name: 'w',
      dtype: 'float16',
      firstElement: 3,
      elementCount: 100,
      source: { kind: 'sampler', ...law, stream },
    }
    const view = new DataView(new ArrayBuffer(256).slice(0))
    for (let i = 0; i < 256; i++) view.setUint8(i, 0xee)
    packJob(view, 128, { job, start: 10, count: 77, firstWord: 1234 })
    const u32 = (offset: number): number => view.getUint32(128 + offset, true)
    expect([u32(jobLayout.key), u32(jobLayout.key + 4)]).toEqual([0x55667788, 0x11223344])
    // Element 13 is place 1 of block 3; 2^64 - 2 + 3 wraps to 1.
    expect([u32(jobLayout.counter), u32(jobLayout.counter + 4)]).toEqual([1, 0])
    expect(u32(jobLayout.shift)).toBe(1)
    expect(u32(jobLayout.elementCount)).toBe(77)
    expect(u32(jobLayout.firstWord)).toBe(1234)
    expect(u32(jobLayout.zero)).toBe(0)
    const constants = Array.from({ length: 8 }, (_, i) => view.getFloat32(128 + jobLayout.law0 + 4 * i, true))
    expect(constants).toEqual([...law.constants])
    expect(constants.slice(0, 2)).toEqual([0.75, -0.25])
    // Nothing outside the block is written.
    for (let i = 0; i < 128; i++) expect(view.getUint8(i)).toBe(0xee)
    for (let i = 128 + jobLayout.byteLength; i < 256; i++) expect(view.getUint8(i)).toBe(0xee)
  })

  test.each([
    ['float32', 4],
    ['bfloat16', 2],
    ['int64', 8],
    ['bool', 1],
  ] as const)('packs a constant %s as its pattern and a count of bytes', (dtype, width) => {
    const pattern = Uint8Array.from({ length: 16 }, (_, i) => i + 1)
    const job: FillJob = { name: 'c', dtype, firstElement: 0, elementCount: 9, source: { kind: 'constant', pattern } }
    const view = new DataView(new ArrayBuffer(jobLayout.byteLength))
    packJob(view, 0, { job, start: 0, count: 9, firstWord: 7 })
    expect(view.getUint32(jobLayout.elementCount, true)).toBe(9 * width)
    expect(view.getUint32(jobLayout.firstWord, true)).toBe(7)
    expect([...new Uint8Array(view.buffer, jobLayout.law0, 16)]).toEqual([...pattern])
  })
})
