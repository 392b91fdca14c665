// Random models of every distribution, generator and dtype, from a number: valid ones, also at the edges of what the dtypes hold.
import { type FloatDType, floatDTypes, largestFinite } from '../../src/core/dtype.js'
import type { GeneratorName, InitializeOptions, Model } from '../../src/index.js'
import { seededWords } from './seeded.js'

export interface RandomModel {
  readonly model: Model
  readonly initializer: string
  readonly config: Record<string, unknown>
  readonly options: Pick<InitializeOptions, 'seed' | 'dtype' | 'generator'>
  /** The kind of distribution and of its range, for tables. */
  readonly what: string
  readonly dtype: FloatDType
}

type Draw = (low: number, high: number) => number
type Shape = readonly [number, number]
type Case = readonly [initializer: string, config: Record<string, unknown>, shape?: Shape]

interface Kind {
  readonly what: string
  readonly generators: readonly GeneratorName[]
  make(uniform: Draw, dtype: FloatDType): Case
}

const everyGenerator = ['philox', 'torch-cpu', 'torch-cuda', 'torch-stateless', 'jax', 'jax-legacy'] as const
const drawing = ['philox', 'torch-cpu', 'torch-cuda', 'jax', 'jax-legacy'] as const
const rejecting = ['philox', 'torch-cpu', 'torch-cuda'] as const

/** 10^low to 10^high, log-uniform. */
const power = (uniform: Draw, low: number, high: number): number => 10 ** uniform(low, high)

/** A spread that the dtype holds, near its largest numbers or far below its smallest ones included. */
const spread = (uniform: Draw, dtype: FloatDType): number =>
  Math.min(power(uniform, -7, 1), largestFinite(dtype) / 1000)

const kinds: readonly Kind[] = [
  {
    what: 'normal around 0',
    generators: everyGenerator,
    make: (uniform, dtype) => ['normal', { std: spread(uniform, dtype) }],
  },
  {
    what: 'normal far from 0',
    generators: everyGenerator,
    make: (uniform) => ['normal', { mean: power(uniform, -1, 1), std: power(uniform, -8, 0) }],
  },
  {
    what: 'uniform around 0',
    generators: everyGenerator,
    make: (uniform, dtype) => {
      const b = spread(uniform, dtype)
      return ['uniform', { a: -b, b }]
    },
  },
  { what: 'uniform from 0', generators: everyGenerator, make: (uniform) => ['uniform', { a: 0, b: uniform(0.5, 2) }] },
  {
    what: 'uniform, narrow',
    generators: everyGenerator,
    make: (uniform) => {
      const middle = uniform(0.5, 2)
      const half = power(uniform, -7, -1)
      return ['uniform', { a: middle - half, b: middle + half }]
    },
  },
  { what: 'kaiming', generators: everyGenerator, make: () => ['kaiming', {}] },
  {
    what: 'truncated at two std',
    generators: drawing,
    make: (uniform, dtype) => ['truncated_normal', { std: spread(uniform, dtype) }],
  },
  {
    what: 'truncated around 1',
    generators: drawing,
    make: (uniform) => ['truncated_normal', { mean: 1, std: power(uniform, -8, -2), lower: -2, upper: 2 }],
  },
  {
    what: 'truncated on one side',
    generators: drawing,
    make: (uniform) => {
      const lower = uniform(-3, 1)
      return ['truncated_normal', { std: power(uniform, -3, 1), lower, upper: lower + uniform(1, 12) }]
    },
  },
  {
    what: 'truncated, a far tail',
    generators: ['philox', 'jax', 'jax-legacy'],
    make: (uniform) => {
      const lower = uniform(2, 7)
      return ['truncated_normal', { std: power(uniform, -3, 1), lower, upper: lower + uniform(0.2, 3) }]
    },
  },
  {
    what: 'truncated, a narrow interval',
    generators: rejecting,
    make: (uniform) => {
      const middle = uniform(-1, 1)
      return ['truncated_normal', { std: 1, lower: middle - power(uniform, -3, -1), upper: middle + 0.1 }]
    },
  },
  {
    what: 'sparse',
    generators: ['philox', 'torch-cpu', 'torch-cuda'],
    make: (uniform, dtype) => ['sparse', { sparsity: uniform(0, 1), std: spread(uniform, dtype) }],
  },
  {
    what: 'orthogonal',
    generators: everyGenerator,
    make: (uniform) => {
      const shape = [Math.floor(power(uniform, 0, 1.7)), Math.floor(power(uniform, 0, 1.7))] as const
      return ['orthogonal', { gain: power(uniform, -8, 2) }, shape]
    },
  },
  { what: 'constant', generators: ['philox'], make: (uniform) => ['constant', { value: uniform(-3, 3) }] },
  { what: 'eye', generators: ['philox'], make: () => ['eye', {}] },
  {
    what: 'sinusoidal',
    generators: ['philox'],
    make: (uniform) => ['sinusoidal', {}, [Math.floor(power(uniform, 0, 2)), 2 * Math.floor(power(uniform, 0.5, 1.5))]],
  },
]

/** The model of a number: one to three parameters of one distribution, at most some thousands of elements in each. */
export function randomModel(seed: number): RandomModel {
  const next = seededWords(seed)
  for (let i = 0; i < 8; i++) next()
  const uniform: Draw = (low, high) => low + ((high - low) * next()) / 2 ** 32
  const choose = <T>(list: readonly T[]): T => list[Math.floor(uniform(0, list.length))]!
  const kind = kinds[seed % kinds.length]!
  const dtype = choose(floatDTypes)
  const generator = choose(kind.generators)
  const [initializer, config, wanted] = kind.make(uniform, dtype)
  const count = wanted === undefined ? Math.floor(uniform(1, 4)) : 1
  const parameters = Array.from({ length: count }, (_, i) => {
    // One in twenty has windows and enough elements for a histogram.
    const largest = uniform(0, 1) < 0.05 ? 2.5 : 1.7
    const shape = wanted ?? [Math.floor(power(uniform, 0, largest)), Math.floor(power(uniform, 0, largest))]
    return { name: `p${i}.weight`, shape: [...shape], role: 'weight' as const }
  })
  return {
    model: { parameters },
    initializer,
    config,
    options: { seed: next(), dtype, generator },
    what: kind.what,
    dtype,
  }
}
