// Every row of the golden files of jax.random and jax.nn.initializers; on the CPU the public functions too.
import { expect } from 'vitest'
import { jax } from '../../../src/index.js'
import type { JaxKey, JaxSource, RandomDistribution } from '../../../src/ir/generator.js'
import { sha256 } from '../bits.js'
import type { GoldenCheck } from './golden.js'
import type { GoldenRows } from './rows.js'
import { hashOf } from './torch-cpu-hashes.js'
import { distributionOf, expectNear } from './torch-cuda.js'
import { bitsOf, hexWords } from './vectors.js'
import { threefryWords } from './words.js'

/** XLA's own builds differ by more (docs/compatibility.md). */
const NORMAL_BOUND = 6e-7

type Layout = JaxSource['generator']
type Check = (values: Float32Array) => void

const layoutOf = (name: string): Layout => (name === 'legacy' || name === 'jax-legacy' ? 'jax-legacy' : 'jax')

/** N(0, 1) cut at bounds, as `jax.random.truncated_normal`. */
const truncated = (low: number, high: number): RandomDistribution => ({
  kind: 'truncated-normal',
  mean: 0,
  std: 1,
  low,
  high,
})

class JaxRows {
  readonly #rows: GoldenRows

  constructor(rows: GoldenRows) {
    this.#rows = rows
  }

  draw(label: string, distribution: RandomDistribution, generatorSource: JaxSource, check: Check): void {
    this.#rows.draw(label, { distribution, generatorSource }, [0, generatorSource.count], check)
  }

  /** `jax.random.bits`, from Threefry blocks. */
  bits(label: string, { generator, key, count }: JaxSource, check: (words: number[]) => void): void {
    if (generator === 'jax') {
      const blocks = Array.from({ length: count }, (_, i) => [key, [0, i]] as const)
      threefryWords(this.#rows, label, blocks, (found) => {
        check(Array.from({ length: count }, (_, i) => (found[2 * i]! ^ found[2 * i + 1]!) >>> 0))
      })
      return
    }
    const half = Math.ceil(count / 2)
    const blocks = Array.from({ length: half }, (_, i) => [key, [i, i + half < count ? i + half : 0]] as const)
    threefryWords(this.#rows, label, blocks, (found) => {
      check(Array.from({ length: count }, (_, i) => found[i < half ? 2 * i : 2 * (i - half) + 1]!))
    })
  }

  /** `jax.random.split(key, count)`: blocks of their own, or the words of one array. */
  split(label: string, generator: Layout, key: JaxKey, count: number, expected: readonly JaxKey[]): void {
    if (generator === 'jax') this.foldIn(label, key, count, expected)
    else this.bits(label, { generator, key, count: 2 * count }, (words) => expect(words).toEqual(expected.flat()))
  }

  /** `jax.random.fold_in(key, 0 ... count - 1)`. */
  foldIn(label: string, key: JaxKey, count: number, expected: readonly JaxKey[]): void {
    const blocks = Array.from({ length: count }, (_, i) => [key, [0, i]] as const)
    threefryWords(this.#rows, label, blocks, (words) => expect(words).toEqual(expected.flat()))
  }

  host(check: () => void): void {
    this.#rows.host(check)
  }

  /** `jax.nn.initializers` under explicit keys, through a plan. */
  initializer(label: string, name: string, generatorSource: JaxSource, shape: readonly number[], check: Check): void {
    const { generator, key } = generatorSource
    const model = { parameters: [{ name: 'w', shape, layout: 'in-out' as const }] }
    const options = { seed: 1, generator: { name: generator, keys: { w: key } } }
    this.#rows.model(label, [model, [{ match: '*', initializer: name as never }], options], (_, values) =>
      check(values),
    )
  }
}

const camel = (name: string): 'glorotUniform' =>
  name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()) as 'glorotUniform'

interface Tensor {
  readonly numel: number
  readonly hex?: string
  readonly first32?: string
  readonly last8?: string
  readonly sha256_f32le?: string
}

/** jax_ref.json. */
export function jaxChecks(golden: GoldenRows): GoldenCheck[] {
  const rows = new JaxRows(golden)
  // Seeds below 2^32: the key is [0, seed], which the row `key` checks.
  const keyOf = (seed: string): JaxKey => [0, Number(seed)]
  const splits = (name: string, count: number): GoldenCheck => ({
    path: new RegExp(`^keys\\|\\d+\\|(partitionable|legacy)\\|${name}$`),
    check(expected: JaxKey[], path) {
      const [, seed = '', layout = ''] = path
      const generator = layoutOf(layout)
      rows.split(path.join('|'), generator, keyOf(seed), count, expected)
      rows.host(() => expect(jax.split(keyOf(seed), count, { generator })).toEqual(expected))
    },
  })
  return [
    {
      path: /^keys\|\d+\|key$/,
      check(key: JaxKey, [, seed = '']) {
        expect(jax.key(BigInt(seed))).toEqual(key)
        expect(keyOf(seed)).toEqual(key)
      },
    },
    splits('split2', 2),
    splits('split5', 5),
    {
      path: /^keys\|\d+\|(partitionable|legacy)\|fold_in 0\.\.4$/,
      check(expected: JaxKey[], path) {
        const key = keyOf(path[1]!)
        rows.foldIn(path.join('|'), key, 5, expected)
        rows.host(() => expect([0, 1, 2, 3, 4].map((i) => jax.foldIn(key, i))).toEqual(expected))
      },
    },
    {
      path: /^keys\|\d+\|(partitionable|legacy)\|split\(split\(key\)\[0\]\)\[1\]$/,
      check(expected: JaxKey, path) {
        const [, seed = '', layout = ''] = path
        const options = { generator: layoutOf(layout) }
        const [child] = jax.split(keyOf(seed), 2, options)
        const [first, second] = jax.split(child!, 2, options)
        expect(second).toEqual(expected)
        rows.split(path.join('|'), options.generator, child!, 2, [first!, expected])
      },
    },
    {
      path: /^keys\|\d+\|(partitionable|legacy)\|shapes\|(scalar|[\dx]+)$/,
      check(row: Record<string, string>, path) {
        const [, seed = '', layout = '', , name = ''] = path
        const shape = name === 'scalar' ? [] : name.split('x').map(Number)
        const [key, generator] = [keyOf(seed), layoutOf(layout)]
        const options = { generator }
        const generatorSource = { generator, key, count: shape.reduce((a, b) => a * b, 1) }
        const exact = (hex: string) => (values: Float32Array) => expect(bitsOf(values)).toEqual(hexWords(hex))
        const near = (hex: string) => (values: Float32Array) => expectNear(values, hexWords(hex), NORMAL_BOUND)
        const columns: Record<string, (label: string, hex: string) => void> = {
          bits(label, hex) {
            const words = hexWords(hex)
            rows.bits(label, generatorSource, (found) => expect(found).toEqual(words))
            rows.host(() => expect([...jax.bits(key, shape, options)]).toEqual(words))
          },
          normal(label, hex) {
            rows.draw(label, distributionOf('randn'), generatorSource, near(hex))
            rows.host(() => near(hex)(jax.normal(key, shape, options)))
          },
          'truncated_normal(-2,2)'(label, hex) {
            rows.draw(label, truncated(-2, 2), generatorSource, near(hex))
            rows.host(() => near(hex)(jax.truncatedNormal(key, -2, 2, shape, options)))
          },
          // The other rounding of the same: product and sum apart.
          'uniform(-0.07,0.07) mul+add'(label, hex) {
            const [low, high] = [Math.fround(-0.07), Math.fround(0.07)]
            rows.draw(label, distributionOf('rand'), generatorSource, (unit) => {
              const scaled = unit.map((x) => Math.fround(x * Math.fround(high - low)))
              exact(hex)(scaled.map((x) => Math.max(low, Math.fround(x + low))))
            })
          },
        }
        for (const [what, hex] of Object.entries(row)) {
          const label = `${path.join('|')}|${what}`
          const [, low, high] = /^uniform(?:\((.*),(.*)\)(?: fma)?)?$/.exec(what) ?? []
          if (columns[what] !== undefined) columns[what](label, hex)
          else if (what.startsWith('uniform')) {
            const [a, b] = [Number(low ?? 0), Number(high ?? 1)]
            rows.draw(label, { kind: 'uniform', low: a, high: b }, generatorSource, exact(hex))
            rows.host(() => exact(hex)(jax.uniform(key, shape, a, b, options)))
          } else expect.fail(`${label} has no check`)
        }
      },
    },
    {
      path: /^keys\|\d+\|(partitionable|legacy)\|init\|[\dx]+\|[a-z_]+( \(atol\))?$/,
      check(golden: Tensor, path) {
        const [, seed = '', layout = '', , name = '', column = ''] = path
        const shape = name.split('x').map(Number)
        const initializer = column.replace(' (atol)', '')
        const generatorSource = { generator: layoutOf(layout), key: keyOf(seed), count: golden.numel }
        const first = hexWords(golden.hex ?? golden.first32 ?? '')
        const last = hexWords(golden.last8 ?? '')
        const check = (values: Float32Array): void => {
          expect(values.length).toBe(golden.numel)
          const end = values.subarray(values.length - last.length)
          if (column.endsWith('(atol)')) {
            expectNear(values, first, NORMAL_BOUND)
            expectNear(end, last, NORMAL_BOUND)
            return
          }
          expect(bitsOf(values.subarray(0, first.length))).toEqual(first)
          expect(bitsOf(end)).toEqual(last)
          if (golden.sha256_f32le !== undefined) expect(hashOf(values)).toBe(golden.sha256_f32le)
        }
        rows.initializer(path.join('|'), initializer, generatorSource, shape, check)
        rows.host(() => check(jax.initializers[camel(initializer)](generatorSource.key, shape, generatorSource)))
      },
    },
  ]
}

/** jax_published.json: values as printed, with six digits at least. */
export function jaxPublishedChecks(golden: GoldenRows): GoldenCheck[] {
  const rows = new JaxRows(golden)
  const uniform = distributionOf('rand')
  const normal = distributionOf('randn')
  const legacy = { generator: 'jax-legacy' } as const
  const k42 = jax.key(42)
  type Draw = readonly [distribution: RandomDistribution, seed: JaxKey, generator: Layout, scale?: number]
  const draws: Readonly<Record<string, Draw>> = {
    uniform_case: [uniform, jax.key(1338574713), 'jax-legacy'],
    truncated_normal_case: [truncated(0, 2), jax.key(2846034731), 'jax-legacy'],
    init_uniform10: [uniform, k42, 'jax-legacy', 10],
    init_truncnormal5: [truncated(-2, 2), k42, 'jax-legacy', 5],
    normal_key0_old: [normal, jax.key(0), 'jax-legacy'],
    key123_old: [normal, jax.key(123), 'jax-legacy'],
    normal_key42_new: [normal, k42, 'jax'],
    normal3_key42_new: [normal, k42, 'jax'],
    uniform3_key0_new: [uniform, jax.key(0), 'jax'],
    uniform9_key0_new: [uniform, jax.key(0), 'jax'],
  }
  /** Scalars under keys of their own. */
  const scalars: Readonly<Record<string, () => readonly (readonly [JaxKey, Layout])[]>> = {
    split42_old: () => jax.split(k42, 2, legacy).map((key) => [key, 'jax-legacy'] as const),
    loop_key42_new: () => {
      let [key, subkey] = jax.split(k42)
      return Array.from({ length: 3 }, () => {
        const used = subkey!
        ;[key, subkey] = jax.split(key!)
        return [used, 'jax'] as const
      })
    },
  }
  const initializers = ['glorot_uniform', 'he_uniform', 'glorot_normal', 'he_normal']
  const near = (found: number, x: number): void =>
    expect(Math.abs(found - x)).toBeLessThanOrEqual(2e-6 * Math.max(1, Math.abs(x)))
  return [
    {
      path: /^records\|\d+$/,
      check({ id, values }: { id: string; values: number[] }) {
        const all =
          (scale = 1): Check =>
          (found) => {
            expect(found.length).toBe(values.length)
            for (const [i, x] of values.entries()) near(found[i]! * scale, x)
          }
        const draw = draws[id]
        if (draw !== undefined) {
          const [distribution, key, generator, scale] = draw
          rows.draw(id, distribution, { generator, key, count: values.length }, all(scale))
        } else if (scalars[id] !== undefined) {
          for (const [i, [key, generator]] of scalars[id]().entries()) {
            rows.draw(id, normal, { generator, key, count: 1 }, ([found]) => near(found!, values[i]!))
          }
        } else if (initializers.includes(id)) {
          rows.initializer(id, id, { ...legacy, key: k42, count: 6 }, [2, 3], all())
          rows.host(() => all()(jax.initializers[camel(id)](k42, [2, 3], legacy)))
        } else if (id === 'fold_in_key0_4') {
          rows.host(() => expect(jax.foldIn(jax.key(0), 4)).toEqual(values))
          threefryWords(golden, id, [[jax.key(0), [0, 4]]], (words) => expect(words).toEqual(values))
        } else if (id === 'split3_key0_new') {
          rows.split(id, 'jax', jax.key(0), 3, values as unknown as JaxKey[])
        } else {
          const seed = { bits32_1701: 1701, bits_case: 942802475 }[id]
          if (seed === undefined) expect.fail(`${id} has no check`)
          rows.bits(id, { ...legacy, key: jax.key(seed), count: values.length }, (found) =>
            expect(found).toEqual(values),
          )
        }
      },
    },
  ]
}

/** The part `jax` of python_2026.json: real JAX, seeds other than 0 and 42. */
export function jax2026Checks(golden: GoldenRows): GoldenCheck[] {
  const rows = new JaxRows(golden)
  return [
    {
      path: /^jax\|(jax|jax-legacy) \d+$/,
      check(row: Record<string, string> & { key: JaxKey }, path) {
        const [name = '', seed = ''] = path[1]!.split(' ')
        const generator = layoutOf(name)
        const options = { generator }
        const { key, ...columns } = row
        expect(jax.foldIn(jax.split(jax.key(Number(seed)), 3, options)[1]!, 99)).toEqual(key)
        for (const [column, expected] of Object.entries(columns)) {
          const label = `${path.join('|')}|${column}`
          const [what = '', size = ''] = column.split(' ')
          const shape = size.split('x').map(Number)
          const generatorSource = { generator, key, count: shape.reduce((a, b) => a * b, 1) }
          const hash: Check = (values) => expect(hashOf(values)).toBe(expected)
          const near: Check = (values) => expectNear(values, hexWords(expected), NORMAL_BOUND)
          const makers: Record<string, () => void> = {
            bits: () =>
              rows.bits(label, generatorSource, (found) => {
                expect(sha256(new Uint8Array(Uint32Array.from(found).buffer))).toBe(expected)
              }),
            uniform: () => rows.draw(label, distributionOf('rand'), generatorSource, hash),
            'uniform(-1,1)': () => rows.draw(label, { kind: 'uniform', low: -1, high: 1 }, generatorSource, hash),
            glorot_uniform: () => rows.initializer(label, what, generatorSource, shape, hash),
            normal: () => rows.draw(label, distributionOf('randn'), generatorSource, near),
            'truncated_normal(-1,2.5)': () => rows.draw(label, truncated(-1, 2.5), generatorSource, near),
          }
          if (makers[what] === undefined) expect.fail(`${label} has no check`)
          makers[what]()
        }
        rows.host(() => {
          expect(sha256(new Uint8Array(jax.bits(key, 1001, options).buffer))).toBe(columns['bits 1001'])
          expect(hashOf(jax.uniform(key, 1001, -1, 1, options))).toBe(columns['uniform(-1,1) 1001'])
          expect(hashOf(jax.initializers.glorotUniform(key, [37, 41], options))).toBe(columns['glorot_uniform 37x41'])
          const cut = jax.truncatedNormal(key, -1, 2.5, 64, options)
          expectNear(cut, hexWords(columns['truncated_normal(-1,2.5) 64']!), NORMAL_BOUND)
        })
      },
    },
  ]
}
