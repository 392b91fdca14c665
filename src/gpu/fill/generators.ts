import type { DType } from '../../core/dtype.js'
import { jaxBounds, jaxTruncatedLaw } from '../../generators/jax/jax.js'
import { affineLaw, normalLaw } from '../../generators/laws.js'
import { TORCH_BLOCK } from '../../generators/torch/cpu.js'
import { cudaUniformLaw } from '../../generators/torch/cuda.js'
import type { GeneratorDraw } from '../../ir/generator.js'
import { high32, low32 } from '../../random/keys.js'
import { type PipelineKey, storeSlots } from '../shaders/pipeline-key.js'

/** A draw whose words or values the host makes (src/gpu/fill/uploaded.ts). */
export const isUploaded = (draw: GeneratorDraw): boolean => draw.origin.generator === 'torch-cpu' || isGiven(draw)

/**
 * Whether the host makes the values themselves: fewer than 16 of PyTorch's normals, which are float64, and what PyTorch makes
 * in a number of calls that the values decide.
 */
export const isGiven = ({ law, origin }: GeneratorDraw): boolean =>
  origin.generator === 'torch-cpu' || origin.generator === 'torch-cuda'
    ? law.kind === 'truncated-normal' ||
      law.kind === 'sparse' ||
      (law.kind === 'normal' && origin.generator === 'torch-cpu' && origin.count < TORCH_BLOCK)
    : false

/** The sampler module under shaders/generators, and what fills its slots. */
function samplerOf(draw: GeneratorDraw): { sampler: string; slots: Readonly<Record<string, string>> } {
  const { law, origin } = draw
  const fused = { mulAdd: 'random/libraries/mul_add_fused' }
  if (isGiven(draw)) return { sampler: 'given', slots: {} }
  switch (origin.generator) {
    case 'torch-cpu': {
      const mulAdd = origin.variant === 'fma' ? 'random/libraries/mul_add_fused' : 'random/libraries/mul_add_split'
      return { sampler: `torch_cpu_${law.kind}`, slots: { mulAdd } }
    }
    case 'torch-cuda':
      return { sampler: `torch_cuda_${law.kind}`, slots: fused }
    case 'torch-stateless':
      return { sampler: `stateless_${law.kind}`, slots: fused }
    default: {
      const bits = origin.generator === 'jax' ? 'generators/jax_bits' : 'generators/jax_legacy_bits'
      return {
        sampler: `jax_${law.kind === 'truncated-normal' ? 'truncated_normal' : law.kind}`,
        slots: { ...fused, bits },
      }
    }
  }
}

/** The pipeline that fills parameters of a dtype by this draw, stored as `storeSlots` says. */
export function generatorPipelineKey(draw: GeneratorDraw, dtype: DType, wholeQuads: boolean): PipelineKey {
  const { sampler, slots } = samplerOf(draw)
  const module = `generators/${sampler}`
  const uploaded = isUploaded(draw)
  const store = storeSlots(dtype, wholeQuads && !uploaded)
  const layout = uploaded ? 'uploaded' : 'fill'
  // Block normals store by themselves; stateless words come four to a block, as in the value contract.
  if (sampler === 'torch_cpu_normal') return { entry: module, slots: { ...slots, ...store }, layout }
  const entry = draw.origin.generator === 'torch-stateless' ? 'fill/fill' : 'generators/fill'
  return { entry, slots: { sampler: module, ...slots, ...store }, layout }
}

/** The pipeline that fills parameters of a dtype with values that the host makes. */
export function tablePipelineKey(dtype: DType): PipelineKey {
  const slots = { sampler: 'generators/given', ...storeSlots(dtype, false) }
  return { entry: 'generators/fill', slots, layout: 'uploaded' }
}

/** Adds nothing to a shader that takes the host's values as they are. */
export const noFields: GeneratorFields = { key: [0, 0], counter: [0, 0], constants: [], shift: 0, extra: [0, 0, 0] }

/** The fields of a job's uniform block (shaders/core/job.wgsl) that a draw decides. */
export interface GeneratorFields {
  readonly key: readonly [number, number]
  readonly counter: readonly [number, number]
  /** law.a and law.b, float32. */
  readonly constants: readonly number[]
  readonly shift: number
  /** law.c, integers. */
  readonly extra: readonly number[]
}

/** What the shader needs to make the elements of a parameter from `first` on. */
export function generatorFields(draw: GeneratorDraw, first: number): GeneratorFields {
  const { law, origin } = draw
  if (isGiven(draw)) return { key: [0, 0], counter: [0, 0], constants: [], shift: 0, extra: [] }
  const none = { key: [0, 0], counter: [0, 0], shift: 0, extra: [] } as const
  const constants = constantsOf(draw)
  switch (origin.generator) {
    case 'torch-cpu':
      return { ...none, constants: law.kind === 'uniform' ? [...constants, Math.fround(law.high)] : constants }
    case 'torch-cuda': {
      const key = BigInt(origin.seed)
      const turn = Math.floor(first / origin.threads)
      const block = BigInt(origin.offset) / 4n + BigInt(Math.floor(turn / 4))
      return {
        ...none,
        key: [low32(key), high32(key)],
        counter: [low32(block), high32(block)],
        constants,
        extra: [origin.threads, turn % 4, first % origin.threads],
      }
    }
    case 'torch-stateless': {
      const seed = BigInt(origin.seed)
      const block = BigInt(origin.offset) + BigInt(Math.floor(first / 4))
      return {
        ...none,
        key: [low32(seed), high32(seed)],
        counter: [low32(block), high32(block)],
        constants,
        shift: first % 4,
      }
    }
    default: {
      const pairs = origin.generator === 'jax' ? [0, 0] : [Math.ceil(origin.count / 2), origin.count]
      return {
        ...none,
        key: origin.key,
        counter: [first % 2 ** 32, Math.floor(first / 2 ** 32)],
        constants: [...constants, ...jaxExtremes(law)],
        extra: law.kind === 'truncated-normal' ? [...pairs, ...scaleBits(law)] : pairs,
      }
    }
  }
}

/** law.b: the smallest uniform, then the smallest and largest truncated normal. */
function jaxExtremes(law: GeneratorDraw['law']): number[] {
  if (law.kind === 'uniform') return [Math.fround(law.low)]
  if (law.kind !== 'truncated-normal') return []
  const { lower, upper } = jaxBounds(law)
  const { lowest, smallest, largest } = jaxTruncatedLaw(lower, upper)
  return [lowest, smallest, largest]
}

/** The bits of std and mean, where law.a is taken. */
function scaleBits(law: { mean: number; std: number }): number[] {
  const { std, mean } = normalLaw(law)
  return [...new Uint32Array(new Float32Array([std, mean]).buffer)]
}

/** law.a, four float32. */
function constantsOf({ law, origin }: GeneratorDraw): number[] {
  if (law.kind === 'sparse') return []
  if (law.kind === 'truncated-normal') {
    const { lower, upper } = jaxBounds(law)
    const { scale, offset, origin: zero, step } = jaxTruncatedLaw(lower, upper)
    return [scale, offset, zero, step]
  }
  if (law.kind === 'normal') {
    const { std, mean } = normalLaw(law)
    return [std, mean, 0, 0]
  }
  if (origin.generator === 'torch-cuda') {
    const { scale, low, high } = cudaUniformLaw(law)
    return [scale, low, high, 0]
  }
  const bits = origin.generator === 'jax' || origin.generator === 'jax-legacy' ? 23 : 24
  const contracted = origin.generator !== 'torch-cpu' || origin.variant === 'fma'
  const { scale, offset, origin: zero, step } = affineLaw(law, bits, contracted)
  return [scale, offset, zero, step]
}
