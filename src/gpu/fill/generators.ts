// What the shaders of each generator need; the shaders are in shaders/generators.

import type { DType } from '../../core/dtype.js'
import { affineConstants, normalConstants } from '../../generators/draw-constants.js'
import { jaxBounds, jaxTruncatedConstants } from '../../generators/jax/jax.js'
import { sampleGenerator } from '../../generators/sample.js'
import { TORCH_BLOCK } from '../../generators/torch/cpu.js'
import { cudaUniformConstants } from '../../generators/torch/cuda.js'
import type { GeneratorDraw, GeneratorSourceOf, JaxSource, RandomDistribution, SourceName } from '../../ir/generator.js'
import { high32, low32 } from '../../random/keys.js'
import { type PipelineKey, storeSlots } from '../shaders/pipeline-key.js'
import { fillConstants, fillLayout, hostWordsLayout } from './layouts.js'
import { type HostWords, torchCpuWords } from './torch-cpu-words.js'

/** The shader that makes the elements of a draw, and its input. */
interface GeneratorShader {
  /** Whether the host makes the random words, or the values themselves. If absent, the shader makes both. */
  readonly host?: 'words' | 'values'
  /** The module under shaders/generators that makes the values. */
  readonly sampler: string
  /** 'sampler' means that the module itself stores its values. */
  readonly entry: 'generators/fill' | 'fill/fill' | 'sampler'
  readonly slots: Readonly<Record<string, string>>
}

interface GeneratorOnGpu<N extends SourceName> {
  shader(distribution: RandomDistribution, source: GeneratorSourceOf<N>): GeneratorShader
  /** The fields that differ from `noFields`, for the elements from `first` on. Not called when the host makes the values. */
  fields(distribution: RandomDistribution, source: GeneratorSourceOf<N>, first: number): Partial<GeneratorFields>
  /** The words that elements [first, first + count) need, for a shader that takes them from the host. */
  words?(distribution: RandomDistribution, source: GeneratorSourceOf<N>, first: number, count: number): HostWords
}

/** The fields for a shader that takes the host's values unchanged. */
export const noFields: GeneratorFields = { key: [0, 0], counter: [0, 0], constants: [], shift: 0, extra: [0, 0, 0] }

/** The fields of a job's uniform block (shaders/core/job.wgsl) that depend on the draw. */
export interface GeneratorFields {
  readonly key: readonly [number, number]
  readonly counter: readonly [number, number]
  /** distribution.a and distribution.b, float32. */
  readonly constants: readonly number[]
  readonly shift: number
  /** distribution.c, integers. */
  readonly extra: readonly number[]
}

const wordsOf = (integer: bigint): readonly [number, number] => [low32(integer), high32(integer)]
const fusedSlots = { mulAdd: 'random/libraries/mul_add_fused' }
const hostValues: GeneratorShader = { host: 'values', sampler: 'host_values', entry: 'generators/fill', slots: {} }
/** PyTorch makes these distributions with a number of calls that depends on the values. */
const madeInManyCalls = ({ kind }: RandomDistribution): boolean => kind === 'truncated-normal' || kind === 'sparse'

const jaxOnGpu = (
  bits: string,
  pairs: (source: JaxSource) => readonly number[],
): GeneratorOnGpu<'jax' | 'jax-legacy'> => ({
  shader: ({ kind }) => ({
    sampler: `jax_${kind.replace('-', '_')}`,
    entry: 'generators/fill',
    slots: { ...fusedSlots, bits },
  }),
  fields: (distribution, source, first) => ({
    key: source.key,
    counter: [first % 2 ** 32, Math.floor(first / 2 ** 32)],
    constants: [...constantsOf(distribution, 23), ...jaxExtremes(distribution)],
    extra: [...pairs(source), ...(distribution.kind === 'truncated-normal' ? scaleBits(distribution) : [])],
  }),
})

const generators: { readonly [N in SourceName]: GeneratorOnGpu<N> } = {
  'torch-cpu': {
    shader(distribution, { count, variant }) {
      const { kind } = distribution
      // PyTorch makes fewer than a block of normals in float64.
      if (madeInManyCalls(distribution) || (kind === 'normal' && count < TORCH_BLOCK)) return hostValues
      return {
        host: 'words',
        sampler: `torch_cpu_${kind}`,
        entry: kind === 'normal' ? 'sampler' : 'generators/fill',
        slots: variant === 'fma' ? fusedSlots : { mulAdd: 'random/libraries/mul_add_split' },
      }
    },
    fields(distribution, { variant }) {
      const constants = constantsOf(distribution, 24, variant === 'fma')
      return {
        constants: distribution.kind === 'uniform' ? [...constants, Math.fround(distribution.high)] : constants,
      }
    },
    words: torchCpuWords,
  },
  'torch-program': { shader: () => hostValues, fields: () => ({}) },
  'torch-cuda': {
    shader: (distribution) =>
      madeInManyCalls(distribution)
        ? hostValues
        : { sampler: `torch_cuda_${distribution.kind}`, entry: 'generators/fill', slots: fusedSlots },
    fields(distribution, { seed, offset, threads }, first) {
      const iteration = Math.floor(first / threads)
      const block = BigInt(offset) / 4n + BigInt(Math.floor(iteration / 4))
      return {
        key: wordsOf(BigInt(seed)),
        counter: wordsOf(block),
        constants: distribution.kind === 'uniform' ? cudaConstants(distribution) : constantsOf(distribution, 24),
        extra: [threads, iteration % 4, first % threads],
      }
    },
  },
  'torch-stateless': {
    // This generator makes four words per block, as the value contract does.
    shader: ({ kind }) => ({ sampler: `stateless_${kind}`, entry: 'fill/fill', slots: fusedSlots }),
    fields(distribution, { seed, offset }, first) {
      const block = BigInt(offset) + BigInt(Math.floor(first / 4))
      return {
        key: wordsOf(BigInt(seed)),
        counter: wordsOf(block),
        constants: constantsOf(distribution, 24),
        shift: first % 4,
      }
    },
  },
  jax: /* @__PURE__ */ jaxOnGpu('generators/jax_bits', () => [0, 0]) as GeneratorOnGpu<'jax'>,
  'jax-legacy': /* @__PURE__ */ jaxOnGpu('generators/jax_legacy_bits', ({ count }) => [
    Math.ceil(count / 2),
    count,
  ]) as GeneratorOnGpu<'jax-legacy'>,
}

// Each name has a record of its own type. TypeScript cannot follow that through a lookup by a union of names.
const onGpu = ({ generatorSource }: GeneratorDraw): GeneratorOnGpu<SourceName> =>
  generators[generatorSource.generator] as GeneratorOnGpu<SourceName>

const shaderOf = (draw: GeneratorDraw): GeneratorShader => onGpu(draw).shader(draw.distribution, draw.generatorSource)

/** Whether the host makes the words or values of a draw (src/gpu/fill/host-generated.ts). */
export const isHostGenerated = (draw: GeneratorDraw): boolean => shaderOf(draw).host !== undefined

/** Whether the host makes the values themselves. */
export const hasHostValues = (draw: GeneratorDraw): boolean => shaderOf(draw).host === 'values'

/** The words, or the bits of the values, that the host makes for elements [first, first + count) of a draw. */
export function hostWords(draw: GeneratorDraw, first: number, count: number): HostWords {
  if (!hasHostValues(draw)) return onGpu(draw).words!(draw.distribution, draw.generatorSource, first, count)
  const values = sampleGenerator(draw, first, count).slice()
  return { words: new Uint32Array(values.buffer), extra: [0, 0, 0] }
}

/** The pipeline that fills parameters of a dtype by this draw, with the stores that `storeSlots` chooses. */
export function generatorPipelineKey(draw: GeneratorDraw, dtype: DType, wholeQuads: boolean): PipelineKey {
  const { host, sampler, entry, slots: own } = shaderOf(draw)
  const module = `generators/${sampler}`
  const slots = { ...own, ...storeSlots(dtype, wholeQuads && host === undefined) }
  const bindings = { layout: host === undefined ? fillLayout : hostWordsLayout, constants: fillConstants }
  return entry === 'sampler'
    ? { entry: module, slots, ...bindings }
    : { entry, slots: { sampler: module, ...slots }, ...bindings }
}

/** The pipeline that fills parameters of a dtype with values that the host makes. */
export function tablePipelineKey(dtype: DType): PipelineKey {
  const slots = { sampler: 'generators/host_values', ...storeSlots(dtype, false) }
  return { entry: 'generators/fill', slots, layout: hostWordsLayout, constants: fillConstants }
}

/** The fields with which the shader makes the elements of a parameter from `first` on. */
export function generatorFields(draw: GeneratorDraw, first: number): GeneratorFields {
  const none = { key: [0, 0], counter: [0, 0], constants: [], shift: 0, extra: [] } as const
  if (hasHostValues(draw)) return none
  return { ...none, ...onGpu(draw).fields(draw.distribution, draw.generatorSource, first) }
}

/**
 * The four float32 values of distribution.a.
 * @param bits the number of random bits of a uniform
 * @param contracted whether a product and a sum are rounded only once, as by a fused multiply-add
 */
function constantsOf(distribution: RandomDistribution, bits: 23 | 24, contracted = true): number[] {
  switch (distribution.kind) {
    case 'uniform': {
      const { scale, offset, zeroPoint, step } = affineConstants(distribution, bits, contracted)
      return [scale, offset, zeroPoint, step]
    }
    case 'normal': {
      const { std, mean } = normalConstants(distribution)
      return [std, mean, 0, 0]
    }
    case 'truncated-normal': {
      const { lower, upper } = jaxBounds(distribution)
      const { scale, offset, zeroPoint, step } = jaxTruncatedConstants(lower, upper)
      return [scale, offset, zeroPoint, step]
    }
    case 'sparse':
      return []
  }
}

function cudaConstants(distribution: { low: number; high: number }): number[] {
  const { scale, low, high } = cudaUniformConstants(distribution)
  return [scale, low, high, 0]
}

/** distribution.b for JAX: the smallest uniform, then the smallest and the largest truncated normal. */
function jaxExtremes(distribution: RandomDistribution): number[] {
  if (distribution.kind === 'uniform') return [Math.fround(distribution.low)]
  if (distribution.kind !== 'truncated-normal') return []
  const { lower, upper } = jaxBounds(distribution)
  const { lowest, smallest, largest } = jaxTruncatedConstants(lower, upper)
  return [lowest, smallest, largest]
}

/** The bits of std and mean, for a distribution that fills distribution.a with other constants. */
function scaleBits(distribution: { mean: number; std: number }): number[] {
  const { std, mean } = normalConstants(distribution)
  return [...new Uint32Array(new Float32Array([std, mean]).buffer)]
}
