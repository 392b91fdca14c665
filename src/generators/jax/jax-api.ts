import { refuse, show, WeightInitError } from '../../core/errors.js'
import type { JaxKey, JaxSource, SimpleDistribution } from '../../ir/generator.js'
import { seedKey } from '../../random/keys.js'
import { jaxBits, jaxFoldIn, jaxTruncatedConstants, jaxTruncatedNormal, sampleJax } from './jax.js'

/** Which layout to use: 'jax' (jax_threefry_partitionable=True, jax >= 0.5; the default) or 'jax-legacy' (before 0.5). */
export interface JaxOptions {
  readonly generator?: 'jax' | 'jax-legacy'
}

/** A number of elements, or a shape; [] is a scalar. */
export type JaxShape = number | readonly number[]

const fround = Math.fround
type Floats = Float32Array<ArrayBuffer>

const fail: (message: string) => never = /* @__PURE__ */ refuse('INVALID_ARGUMENT', 'jax: ')

function countOf(shape: JaxShape): number {
  const lengths = typeof shape === 'number' ? [shape] : shape
  if (!Array.isArray(lengths) || lengths.some((n) => !Number.isSafeInteger(n) || n < 0)) {
    fail(`shape must be a number of elements or a list of lengths, but found ${show(shape)}.`)
  }
  return lengths.reduce((a, b) => a * b, 1)
}

/** @throws WeightInitError `INVALID_ARGUMENT` unless `key` is two unsigned 32-bit integers */
export function checkJaxKey(key: unknown, where: string): JaxKey {
  const word = (x: unknown): boolean => Number.isInteger(x) && (x as number) >= 0 && (x as number) <= 0xffffffff
  if (Array.isArray(key) && key.length === 2 && key.every(word)) return [key[0], key[1]]
  throw new WeightInitError(
    'INVALID_ARGUMENT',
    `${where} must be a key [high, low] of two unsigned 32-bit integers, but found ${show(key)}.`,
  )
}

function source(key: JaxKey, count: number, { generator = 'jax' }: JaxOptions = {}): JaxSource {
  if (generator !== 'jax' && generator !== 'jax-legacy') {
    fail(`generator must be 'jax' or 'jax-legacy', but found ${show(generator)}.`)
  }
  if (generator === 'jax-legacy' && count >= 0xffffffff) {
    fail(`'jax-legacy' arrays have fewer than 2^32 - 1 elements, but found ${count}; use 'jax'.`)
  }
  return { generator, key: checkJaxKey(key, 'jax: key'), count }
}

function draw(distribution: SimpleDistribution, key: JaxKey, shape: JaxShape, options?: JaxOptions): Floats {
  const count = countOf(shape)
  return sampleJax({ distribution, generatorSource: source(key, count, options) }, 0, count)
}

/**
 * `jax.random.key(seed)` for the default 'threefry2x32', with 64-bit types disabled: [0, seed mod 2^32]. Exact.
 * @throws WeightInitError `INVALID_ARGUMENT` unless the seed is an integer
 */
function key(seed: number | bigint): JaxKey {
  return [0, Number(seedKey(seed) & 0xffff_ffffn)]
}

/**
 * `jax.random.fold_in(key, data)`, with data modulo 2^32. Exact; the same in both layouts.
 * @throws WeightInitError `INVALID_ARGUMENT` unless data is an integer and `from` is a key
 */
function foldIn(from: JaxKey, data: number): JaxKey {
  if (!Number.isInteger(data)) fail(`fold_in data must be an integer, but found ${show(data)}.`)
  return jaxFoldIn(checkJaxKey(from, 'jax: key'), data)
}

/**
 * `jax.random.split(key, count)`: returns `count` new keys. Exact.
 * @throws WeightInitError `INVALID_ARGUMENT` unless count is a non-negative integer and `from` is a key
 */
function split(from: JaxKey, count = 2, options?: JaxOptions): JaxKey[] {
  const total = countOf(count)
  const generatorSource = source(from, 2 * total, options)
  if (generatorSource.generator === 'jax')
    return Array.from({ length: total }, (_, i) => jaxFoldIn(generatorSource.key, i))
  const words = new Uint32Array(2 * total)
  jaxBits(generatorSource, 0, words)
  return Array.from({ length: total }, (_, i) => [words[2 * i]!, words[2 * i + 1]!])
}

/**
 * `jax.random.bits(key, shape, uint32)`: one unsigned 32-bit word per element. Exact.
 * @throws WeightInitError `INVALID_ARGUMENT` for an invalid key, shape or generator
 */
function bits(from: JaxKey, shape: JaxShape = [], options?: JaxOptions): Uint32Array<ArrayBuffer> {
  const count = countOf(shape)
  const words = new Uint32Array(count)
  jaxBits(source(from, count, options), 0, words)
  return words
}

/**
 * `jax.random.uniform(key, shape, float32, low, high)`: U[low, high), computed as f * (high - low) + low with
 * f = (bits >> 9) 2^-23. Exact for [0, 1) and [-1, 1). For other ranges the product and sum are rounded once, as XLA compiles
 * them on CPU and GPU.
 * @throws WeightInitError `INVALID_ARGUMENT` unless low <= high and both are finite, and as `bits`
 */
function uniform(from: JaxKey, shape: JaxShape = [], low = 0, high = 1, options?: JaxOptions): Floats {
  if (!Number.isFinite(low) || !Number.isFinite(high) || low > high) {
    fail(`uniform needs low <= high, both finite, but found low=${show(low)}, high=${show(high)}.`)
  }
  return draw({ kind: 'uniform', low, high }, from, shape, options)
}

/**
 * `jax.random.normal(key, shape)`: N(0, 1). Values are within 2e-6 of every XLA build; the words and uniforms from which they
 * are computed are exact.
 * @throws WeightInitError as `bits`
 */
function normal(from: JaxKey, shape: JaxShape = [], options?: JaxOptions): Floats {
  return draw({ kind: 'normal', mean: 0, std: 1 }, from, shape, options)
}

/**
 * `jax.random.truncated_normal(key, lower, upper, shape)`: N(0, 1), conditioned on (lower, upper). Values are within 2e-6 of
 * every XLA build.
 * @throws WeightInitError `INVALID_ARGUMENT` unless lower < upper and both are finite, and as `bits`
 */
function truncatedNormal(
  from: JaxKey,
  lower: number,
  upper: number,
  shape: JaxShape = [],
  options?: JaxOptions,
): Floats {
  if (!Number.isFinite(lower) || !Number.isFinite(upper) || !(lower < upper)) {
    fail(`truncatedNormal needs lower < upper, both finite, but found lower=${show(lower)}, upper=${show(upper)}.`)
  }
  const distribution = jaxTruncatedConstants(lower, upper)
  const words = bits(from, shape, options)
  return Float32Array.from(words, (word) => jaxTruncatedNormal(word, distribution))
}

type Mode = 'fan_in' | 'fan_out' | 'fan_avg' | 'fan_geo_avg'

/**
 * `jax.nn.initializers.variance_scaling(scale, mode, distribution)(key, shape)` with in_axis -2 and out_axis -1. The variance
 * scale / fan is rounded to float32, as in JAX. 'uniform' is a uniform number in [-1, 1) times sqrt(3 variance), and is exact;
 * 'normal' and 'truncated_normal' are within 2e-6 std of every XLA build.
 * @throws WeightInitError `INVALID_SHAPE` for rank < 2; `INVALID_ARGUMENT` for another mode or distribution, or scale <= 0
 */
function varianceScaling(
  from: JaxKey,
  shape: readonly number[],
  { scale, mode, distribution }: { scale: number; mode: Mode; distribution: 'uniform' | 'normal' | 'truncated_normal' },
  options?: JaxOptions,
): Floats {
  if (shape.length < 2) {
    throw new WeightInitError(
      'INVALID_SHAPE',
      `Can't compute input and output sizes of a ${shape.length}-dimensional weights tensor. Must be at least 2D.`,
    )
  }
  const [inputs = 1, outputs = 1] = shape.slice(-2)
  const field = shape.slice(0, -2).reduce((a, b) => a * b, 1)
  const fanIn = inputs * field
  const fanOut = outputs * field
  const denominators: Readonly<Record<Mode, number>> = {
    fan_in: fanIn,
    fan_out: fanOut,
    fan_avg: (fanIn + fanOut) / 2,
    fan_geo_avg: Math.sqrt(fanIn * fanOut),
  }
  if (!Object.hasOwn(denominators, mode)) {
    fail(`varianceScaling mode must be one of ${Object.keys(denominators).join(', ')}, but found ${show(mode)}.`)
  }
  if (!['uniform', 'normal', 'truncated_normal'].includes(distribution)) {
    fail(`varianceScaling distribution must be uniform, normal or truncated_normal, but found ${show(distribution)}.`)
  }
  if (!(scale > 0 && Number.isFinite(scale))) {
    fail(`varianceScaling scale must be a positive finite number, but found ${show(scale)}.`)
  }
  const variance = fround(scale / denominators[mode])
  if (distribution === 'uniform') {
    const bound = fround(Math.sqrt(fround(3 * variance)))
    return draw({ kind: 'uniform', low: -bound, high: bound }, from, shape, options)
  }
  const std = fround(Math.sqrt(variance))
  const cut = distribution === 'truncated_normal'
  const values = cut ? truncatedNormal(from, -2, 2, shape, options) : normal(from, shape, options)
  // 0.87962566103423978 is the standard deviation of N(0, 1) truncated to [-2, 2].
  const factor = cut ? fround(std / fround(0.8796256610342398)) : std
  for (let i = 0; i < values.length; i++) values[i] = values[i]! * factor
  return values
}

type Scaling = Parameters<typeof varianceScaling>[2]
const scaling =
  (preset: Scaling) =>
  (from: JaxKey, shape: readonly number[], options?: JaxOptions): Floats =>
    varianceScaling(from, shape, preset, options)

/** The initializers of `jax.nn.initializers`, each as a function of a key and a shape. */
export interface JaxInitializers {
  readonly varianceScaling: typeof varianceScaling
  readonly glorotUniform: ReturnType<typeof scaling>
  readonly glorotNormal: ReturnType<typeof scaling>
  readonly heUniform: ReturnType<typeof scaling>
  readonly heNormal: ReturnType<typeof scaling>
  readonly lecunUniform: ReturnType<typeof scaling>
  readonly lecunNormal: ReturnType<typeof scaling>
}

/** `jax.random` and `jax.nn.initializers` with explicit keys, on the CPU. See docs/compatibility.md. */
export interface JaxRandom {
  readonly key: typeof key
  readonly split: typeof split
  readonly foldIn: typeof foldIn
  readonly bits: typeof bits
  readonly uniform: typeof uniform
  readonly normal: typeof normal
  readonly truncatedNormal: typeof truncatedNormal
  readonly initializers: JaxInitializers
}

const preset = (scale: number, mode: Mode, distribution: 'uniform' | 'truncated_normal'): ReturnType<typeof scaling> =>
  scaling({ scale, mode, distribution })

/**
 * `jax.random` and `jax.nn.initializers` on the CPU, to follow a JAX program call by call.
 *
 * @example
 * const [first] = jax.split(jax.key(42), 2)
 * const values = jax.normal(first, [3, 4]) // jax.random.normal(jax.random.split(jax.random.key(42), 2)[0], (3, 4))
 */
export const jax: JaxRandom = {
  key,
  split,
  foldIn,
  bits,
  uniform,
  normal,
  truncatedNormal,
  initializers: {
    varianceScaling,
    glorotUniform: /* @__PURE__ */ preset(1, 'fan_avg', 'uniform'),
    glorotNormal: /* @__PURE__ */ preset(1, 'fan_avg', 'truncated_normal'),
    heUniform: /* @__PURE__ */ preset(2, 'fan_in', 'uniform'),
    heNormal: /* @__PURE__ */ preset(2, 'fan_in', 'truncated_normal'),
    lecunUniform: /* @__PURE__ */ preset(1, 'fan_in', 'uniform'),
    lecunNormal: /* @__PURE__ */ preset(1, 'fan_in', 'truncated_normal'),
  },
}
