// Every shader is known and linked, uses exact operations where it makes values, and lays structs out as TypeScript does.
import { describe, expect, test } from 'vitest'
import { floatDTypes } from '../../../../src/core/dtype.js'
import { jobLayout, MOST_SHARING } from '../../../../src/gpu/fill/layouts.js'
import { type BlockPlace, type FillWindow, packPatch, packSource } from '../../../../src/gpu/fill/pack-job.js'
import { linkShader } from '../../../../src/gpu/shaders/link.js'
import { loadSlots, storeSlots } from '../../../../src/gpu/shaders/pipeline-key.js'
import { shaderModules as ownModules } from '../../../../src/gpu/shaders/shader-modules.js'
import { signalModules } from '../../../../src/gpu/signal/modules.js'
import type { FillJob, Patch } from '../../../../src/ir/job.js'
import { samplerSource } from '../../../support/parameters.js'
import { shaderFiles, structLayout, withoutComments } from '../../../support/wgsl.js'

const files = shaderFiles()
const shaderModules: Readonly<Record<string, string>> = { ...ownModules, ...signalModules }

describe('shader-modules.ts and signal/modules.ts', () => {
  test('have every file under shaders/, under its path, and nothing else', () => {
    expect(Object.keys(shaderModules).sort()).toEqual(Object.keys(files).sort())
    expect(Object.keys(files).length).toBeGreaterThanOrEqual(16)
  })

  test.each(Object.keys(files))('%s is the text of its file', (path) => {
    expect(shaderModules[path]).toBe(files[path])
  })

  test.each(Object.keys(files).filter((path) => path.startsWith('distributions/')))(
    'every pipeline of %s links',
    (sampler) => {
      for (const slots of floatDTypes.flatMap((dtype) => [storeSlots(dtype, false), storeSlots(dtype, true)])) {
        for (const job of ['core/job', 'core/jobs'])
          expect(linkShader('fill/fill', shaderModules, { job, sampler, ...slots }).code).toContain('fn main(')
      }
    },
  )

  test.each(floatDTypes)('measurements of %s link', (dtype) => {
    expect(linkShader('statistics/measure', shaderModules, loadSlots(dtype)).code).toContain('fn loadElement(')
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
    /^(random|distributions|store|core)\/|^fill\/(fill|constant)$/.test(path),
  )

  test('covers the samplers, the stores and their entry', () => {
    expect(exactFiles).toEqual(
      expect.arrayContaining([
        ...['random/normal', 'random/philox', 'distributions/uniform', 'fill/fill'],
        ...floatDTypes.map((dtype) => storeSlots(dtype, false).store),
      ]),
    )
  })

  test.each(exactFiles)('%s calls no inexact builtin', (path) => {
    const called = [...withoutComments(files[path]!).matchAll(/\b(\w+)\s*\(/g)].map(([, name = '']) => name)
    expect(called.filter((name) => inexact.includes(name))).toEqual([])
  })

  // Of integers both are exact: sparse finds an element's row and column.
  const integerDivisions = /index [/%] columns/g

  test.each(exactFiles)('%s neither divides nor takes a remainder of floats', (path) => {
    expect(withoutComments(files[path]!).replace(integerDivisions, '')).not.toMatch(/[/%]/)
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
          'return f32(i32(n >> 16u)) * 0x1p-17f + f32(i32(n & 0xffffu)) * 0x1p-33f;',
          'let t = f32(n >> 16u) * 0x1p-17f + f32(n & 0xffff) * 0x1p-33f;',
        ],
        'distributions/normal': [],
        'distributions/uniform': [
          'let unit = (vec4<f32>(vec4<i32>(words & vec4<u32>(0xffffffu))) - bitcast<f32>(constants.b.x)) * a.w;',
        ],
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

describe('pack-job.ts', () => {
  test('has the offsets of struct Job in WGSL’s layout', () => {
    expect({ ...jobLayout }).toEqual(structLayout(`${files['core/constants']}\n${files['core/job_struct']}`, 'Job'))
  })

  test('the layout rules here give known answers', () => {
    const text = 'struct T {\n a: f32,\n b: vec2<u32>, // c: f32,\n d: u32,\n e: vec3<f32>,\n f: u32,\n}'
    expect(structLayout(text, 'T')).toEqual({ a: 0, b: 8, d: 16, e: 32, f: 44, byteLength: 48 })
  })

  const stream = { key: 0x11223344_55667788n, counter: 0xffff_ffff_ffff_fffen }

  const window = { start: 10, count: 77, firstWord: 1234 }
  /** A block and its turns, packed in the middle of others that must stay as they are. */
  function packed(pack: (place: BlockPlace) => number): { turns: number; field: (offset: number) => number } {
    const at = 4
    const view = new DataView(new ArrayBuffer(at + jobLayout.byteLength + 4))
    const turns = pack({ view, at })
    expect([view.getUint32(0), view.getUint32(at + jobLayout.byteLength)]).toEqual([0, 0])
    return { turns, field: (offset) => view.getUint32(at + offset, true) }
  }
  const packedSource = (span: FillWindow) => packed((place) => packSource(place, span))
  const packedPatch = (patch: Patch, span: FillWindow) => packed((place) => packPatch(place, patch, span))

  test('packs a sampler’s window: counter of its first block, shift within it, distribution, counts', () => {
    const source = samplerSource({ kind: 'uniform', low: -0.25, high: 0.5 }, stream)
    const job: FillJob = { name: 'w', dtype: 'float16', firstElement: 3, elementCount: 100, source, patches: [] }
    const { field, turns } = packedSource({ job, ...window })
    expect([field(jobLayout.key), field(jobLayout.key + 4)]).toEqual([0x55667788, 0x11223344])
    // Element 13 is place 1 of block 3; 2^64 - 2 + 3 wraps to 1.
    expect([field(jobLayout.counter), field(jobLayout.counter + 4)]).toEqual([1, 0])
    expect([field(jobLayout.block), field(jobLayout.block + 4)]).toEqual([3, 0])
    expect(field(jobLayout.shift)).toBe(1)
    expect(field(jobLayout.elementCount)).toBe(77)
    expect(field(jobLayout.firstWord)).toBe(1234)
    expect(field(jobLayout.zero)).toBe(0)
    expect(turns).toBe(20)
    const distribution = Uint32Array.from({ length: 12 }, (_, i) => field(jobLayout.constants + 4 * i))
    expect(distribution).toEqual(source.constants)
    expect([...new Float32Array(distribution.buffer).slice(0, 2)]).toEqual([0.75, -0.25])
  })

  test('a block beyond 2^32 keeps its high half', () => {
    const source = samplerSource({ kind: 'normal', mean: 0, std: 1 }, stream)
    const job: FillJob = { name: 'w', dtype: 'float32', firstElement: 2 ** 40, elementCount: 8, source, patches: [] }
    const { field } = packedSource({ job, start: 0, count: 8, firstWord: 0 })
    expect([field(jobLayout.block), field(jobLayout.block + 4)]).toEqual([0, 2 ** 6])
  })

  test.each([
    ['float32', 4],
    ['bfloat16', 2],
    ['int64', 8],
    ['bool', 1],
  ] as const)('packs a constant %s as its pattern and a count of bytes', (dtype, width) => {
    const pattern = Uint8Array.from({ length: 16 }, (_, i) => i + 1)
    const job: FillJob = {
      name: 'c',
      dtype,
      firstElement: 0,
      elementCount: 9,
      source: { kind: 'constant', pattern },
      patches: [],
    }
    const { field } = packedSource({ job, start: 0, count: 9, firstWord: 7 })
    expect(field(jobLayout.elementCount)).toBe(9 * width)
    expect(field(jobLayout.firstWord)).toBe(7)
    const words = Uint32Array.from({ length: 4 }, (_, i) => field(jobLayout.constants + 4 * i))
    expect([...new Uint8Array(words.buffer)]).toEqual([...pattern])
  })

  test('clips patches to the window', () => {
    const pattern = new Uint8Array(16)
    const job: FillJob = {
      name: 'e',
      dtype: 'float16',
      firstElement: 0,
      elementCount: 100,
      source: { kind: 'constant', pattern },
      patches: [],
    }
    const diagonal = { kind: 'diagonal', first: 0, stride: 11, count: 10, pattern } as const
    const { field, turns } = packedPatch(diagonal, { job, ...window })
    // Elements 11, 22, ..., 77 and 66 lie in [10, 87): from 1 on, seven of them.
    expect([field(jobLayout.constants + 16), field(jobLayout.constants + 20), turns]).toEqual([1, 11, 7])
    expect(packedPatch({ ...diagonal, first: 90 }, { job, ...window }).turns).toBe(0)
    const range = { kind: 'range', first: 5, count: 8, pattern } as const
    const place = (patch: Patch): number[] => {
      const { field } = packedPatch(patch, { job, ...window })
      return [jobLayout.elementCount, jobLayout.firstWord, jobLayout.shift].map(field)
    }
    expect(place(range)).toEqual([6, 1234, 0])
    expect(place({ ...range, first: 13, count: 1 })).toEqual([2, 1235, 2])
  })

  test('has as many jobs a dispatch as the shader, within the smallest uniform binding', () => {
    expect(files['core/jobs']).toContain(`array<Job, ${MOST_SHARING}>`)
    // 16 KiB: what WebGPU's compatibility mode promises.
    expect(MOST_SHARING * jobLayout.byteLength).toBeLessThanOrEqual(16384)
  })
})
