import type { DType } from '../../core/dtype.js'
import { affineConstants, normalConstants } from '../../generators/draw-constants.js'
import { jaxBounds, jaxTruncatedConstants } from '../../generators/jax/jax.js'
import { TORCH_BLOCK } from '../../generators/torch/cpu.js'
import { cudaUniformConstants } from '../../generators/torch/cuda.js'
import type { GeneratorDraw } from '../../ir/generator.js'
import { high32, low32 } from '../../random/keys.js'
import { type PipelineKey, storeSlots } from '../shaders/pipeline-key.js'

/** A draw whose words or values the host makes (src/gpu/fill/host-generated.ts). */
export const isHostGenerated = (draw: GeneratorDraw): boolean =>
  draw.generatorSource.generator === 'torch-cpu' || hasHostValues(draw)

/**
 * Whether the host makes the values themselves: fewer than 16 of PyTorch's normals, which are float64, and what PyTorch makes
 * in a number of calls that the values decide.
 */
export const hasHostValues = ({ distribution, generatorSource }: GeneratorDraw): boolean =>
  generatorSource.generator === 'torch-cpu' || generatorSource.generator === 'torch-cuda'
    ? distribution.kind === 'truncated-normal' ||
      distribution.kind === 'sparse' ||
      (distribution.kind === 'normal' &&
        generatorSource.generator === 'torch-cpu' &&
        generatorSource.count < TORCH_BLOCK)
    : false

/** The sampler module under shaders/generators, and what fills its slots. */
function samplerOf(draw: GeneratorDraw): { sampler: string; slots: Readonly<Record<string, string>> } {
  const { distribution, generatorSource } = draw
  const fused = { mulAdd: 'random/libraries/mul_add_fused' }
  if (hasHostValues(draw)) return { sampler: 'host_values', slots: {} }
  switch (generatorSource.generator) {
    case 'torch-cpu': {
      const mulAdd =
        generatorSource.variant === 'fma' ? 'random/libraries/mul_add_fused' : 'random/libraries/mul_add_split'
      return { sampler: `torch_cpu_${distribution.kind}`, slots: { mulAdd } }
    }
    case 'torch-cuda':
      return { sampler: `torch_cuda_${distribution.kind}`, slots: fused }
    case 'torch-stateless':
      return { sampler: `stateless_${distribution.kind}`, slots: fused }
    default: {
      const bits = generatorSource.generator === 'jax' ? 'generators/jax_bits' : 'generators/jax_legacy_bits'
      return {
        sampler: `jax_${distribution.kind === 'truncated-normal' ? 'truncated_normal' : distribution.kind}`,
        slots: { ...fused, bits },
      }
    }
  }
}

/** The pipeline that fills parameters of a dtype by this draw, stored as `storeSlots` says. */
export function generatorPipelineKey(draw: GeneratorDraw, dtype: DType, wholeQuads: boolean): PipelineKey {
  const { sampler, slots } = samplerOf(draw)
  const module = `generators/${sampler}`
  const hostGenerated = isHostGenerated(draw)
  const store = storeSlots(dtype, wholeQuads && !hostGenerated)
  const layout = hostGenerated ? 'host words' : 'fill'
  // Block normals store by themselves; stateless words come four to a block, as in the value contract.
  if (sampler === 'torch_cpu_normal') return { entry: module, slots: { ...slots, ...store }, layout }
  const entry = draw.generatorSource.generator === 'torch-stateless' ? 'fill/fill' : 'generators/fill'
  return { entry, slots: { sampler: module, ...slots, ...store }, layout }
}

/** The pipeline that fills parameters of a dtype with values that the host makes. */
export function tablePipelineKey(dtype: DType): PipelineKey {
  const slots = { sampler: 'generators/host_values', ...storeSlots(dtype, false) }
  return { entry: 'generators/fill', slots, layout: 'host words' }
}

/** Adds nothing to a shader that takes the host's values as they are. */
export const noFields: GeneratorFields = { key: [0, 0], counter: [0, 0], constants: [], shift: 0, extra: [0, 0, 0] }

/** The fields of a job's uniform block (shaders/core/job.wgsl) that a draw decides. */
export interface GeneratorFields {
  readonly key: readonly [number, number]
  readonly counter: readonly [number, number]
  /** distribution.a and distribution.b, float32. */
  readonly constants: readonly number[]
  readonly shift: number
  /** distribution.c, integers. */
  readonly extra: readonly number[]
}

/** What the shader needs to make the elements of a parameter from `first` on. */
export function generatorFields(draw: GeneratorDraw, first: number): GeneratorFields {
  const { distribution, generatorSource } = draw
  if (hasHostValues(draw)) return { key: [0, 0], counter: [0, 0], constants: [], shift: 0, extra: [] }
  const none = { key: [0, 0], counter: [0, 0], shift: 0, extra: [] } as const
  const constants = constantsOf(draw)
  switch (generatorSource.generator) {
    case 'torch-cpu':
      return {
        ...none,
        constants: distribution.kind === 'uniform' ? [...constants, Math.fround(distribution.high)] : constants,
      }
    case 'torch-cuda': {
      const key = BigInt(generatorSource.seed)
      const turn = Math.floor(first / generatorSource.threads)
      const block = BigInt(generatorSource.offset) / 4n + BigInt(Math.floor(turn / 4))
      return {
        ...none,
        key: [low32(key), high32(key)],
        counter: [low32(block), high32(block)],
        constants,
        extra: [generatorSource.threads, turn % 4, first % generatorSource.threads],
      }
    }
    case 'torch-stateless': {
      const seed = BigInt(generatorSource.seed)
      const block = BigInt(generatorSource.offset) + BigInt(Math.floor(first / 4))
      return {
        ...none,
        key: [low32(seed), high32(seed)],
        counter: [low32(block), high32(block)],
        constants,
        shift: first % 4,
      }
    }
    default: {
      const pairs =
        generatorSource.generator === 'jax' ? [0, 0] : [Math.ceil(generatorSource.count / 2), generatorSource.count]
      return {
        ...none,
        key: generatorSource.key,
        counter: [first % 2 ** 32, Math.floor(first / 2 ** 32)],
        constants: [...constants, ...jaxExtremes(distribution)],
        extra: distribution.kind === 'truncated-normal' ? [...pairs, ...scaleBits(distribution)] : pairs,
      }
    }
  }
}

/** distribution.b: the smallest uniform, then the smallest and largest truncated normal. */
function jaxExtremes(distribution: GeneratorDraw['distribution']): number[] {
  if (distribution.kind === 'uniform') return [Math.fround(distribution.low)]
  if (distribution.kind !== 'truncated-normal') return []
  const { lower, upper } = jaxBounds(distribution)
  const { lowest, smallest, largest } = jaxTruncatedConstants(lower, upper)
  return [lowest, smallest, largest]
}

/** The bits of std and mean, where distribution.a is taken. */
function scaleBits(distribution: { mean: number; std: number }): number[] {
  const { std, mean } = normalConstants(distribution)
  return [...new Uint32Array(new Float32Array([std, mean]).buffer)]
}

/** distribution.a, four float32. */
function constantsOf({ distribution, generatorSource }: GeneratorDraw): number[] {
  if (distribution.kind === 'sparse') return []
  if (distribution.kind === 'truncated-normal') {
    const { lower, upper } = jaxBounds(distribution)
    const { scale, offset, zeroPoint: zero, step } = jaxTruncatedConstants(lower, upper)
    return [scale, offset, zero, step]
  }
  if (distribution.kind === 'normal') {
    const { std, mean } = normalConstants(distribution)
    return [std, mean, 0, 0]
  }
  if (generatorSource.generator === 'torch-cuda') {
    const { scale, low, high } = cudaUniformConstants(distribution)
    return [scale, low, high, 0]
  }
  const bits = generatorSource.generator === 'jax' || generatorSource.generator === 'jax-legacy' ? 23 : 24
  const contracted = generatorSource.generator !== 'torch-cpu' || generatorSource.variant === 'fma'
  const { scale, offset, zeroPoint: zero, step } = affineConstants(distribution, bits, contracted)
  return [scale, offset, zero, step]
}
