import type { DType } from '../dtype.js'
import { affineLaw, normalLaw } from '../generators/laws.js'
import { TORCH_BLOCK } from '../generators/torch-cpu.js'
import { cudaUniformLaw } from '../generators/torch-cuda.js'
import type { GeneratorDraw } from '../generators/types.js'
import { high32, low32 } from '../random/keys.js'
import type { PipelineKey } from './pipelines.js'

/** Whether the host makes the words (src/gpu/uploaded.ts). */
export const isUploaded = ({ origin }: GeneratorDraw): boolean => origin.generator === 'torch-cpu'

/** The sampler module under shaders/generators, and what fills its slots. */
function samplerOf({ law, origin }: GeneratorDraw): { sampler: string; slots: Readonly<Record<string, string>> } {
  const fused = { mulAdd: 'random/mul_add_fused' }
  switch (origin.generator) {
    case 'torch-cpu': {
      if (law.kind === 'normal' && origin.count < TORCH_BLOCK) return { sampler: 'given', slots: {} }
      const mulAdd = origin.variant === 'fma' ? 'random/mul_add_fused' : 'random/mul_add_split'
      return { sampler: `torch_cpu_${law.kind}`, slots: { mulAdd } }
    }
    case 'torch-cuda':
      return { sampler: `torch_cuda_${law.kind}`, slots: fused }
    case 'torch-stateless':
      return { sampler: `stateless_${law.kind}`, slots: fused }
    default: {
      const bits = origin.generator === 'jax' ? 'generators/jax_bits' : 'generators/jax_legacy_bits'
      return { sampler: `jax_${law.kind}`, slots: { ...fused, bits } }
    }
  }
}

/** The pipeline that fills parameters of a dtype by this draw. */
export function generatorPipelineKey(draw: GeneratorDraw, dtype: DType): PipelineKey {
  const { sampler, slots } = samplerOf(draw)
  const module = `generators/${sampler}`
  const store = storeSlots(dtype)
  const layout = isUploaded(draw) ? 'uploaded' : 'fill'
  // Block normals store by themselves; stateless words come four to a block, as in the value contract.
  if (sampler === 'torch_cpu_normal') return { entry: module, slots: { ...slots, ...store }, layout }
  const entry = draw.origin.generator === 'torch-stateless' ? 'fill' : 'generators/fill'
  return { entry, slots: { sampler: module, ...slots, ...store }, layout }
}

/** The pipeline that fills parameters of a dtype with values that the host makes. */
export function tablePipelineKey(dtype: DType): PipelineKey {
  const slots = { sampler: 'generators/given', ...storeSlots(dtype) }
  return { entry: 'generators/fill', slots, layout: 'uploaded' }
}

const storeSlots = (dtype: DType): Readonly<Record<string, string>> =>
  dtype === 'float32' ? { store: 'store/float32' } : { store: 'store/half_pair', round: `store/${dtype}` }

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
      const half = Math.ceil(origin.count / 2)
      const lowest = law.kind === 'uniform' ? Math.fround(law.low) : 0
      return {
        ...none,
        key: origin.key,
        counter: [first % 2 ** 32, Math.floor(first / 2 ** 32)],
        constants: [...constants, lowest],
        extra: origin.generator === 'jax' ? [] : [half, origin.count],
      }
    }
  }
}

/** law.a, four float32. */
function constantsOf({ law, origin }: GeneratorDraw): number[] {
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
