import { byteWidth, type DType, type FloatDType } from '../../core/dtype.js'
import type { CustomSampler } from '../../ir/distribution.js'

/** Whether elements from a byte of a buffer on can be stored four at a time, whole. */
export const hasWholeQuads = (
  { elementCount, dtype }: { readonly elementCount: number; readonly dtype: DType },
  byteOffset: number,
): boolean => elementCount % 4 === 0 && byteOffset % (4 * byteWidth(dtype)) === 0

interface DTypeModules {
  /** `roundToDType(bits)`: the dtype's bits of the float32 with these bits. */
  readonly round: string
  /** `loadElement(index)`: the element as float32. */
  readonly load: string
  /** `storeQuad(quad, values)` for any count of elements from any word on, and for whole aligned groups of four. */
  readonly store: string
  readonly storeQuads: string
}

/** The WGSL modules of every floating dtype. Spelt out: a bundler keeps a table that spreads others, even where nothing uses it. */
const dtypeModules: Readonly<Record<FloatDType, DTypeModules>> = {
  float32: {
    round: 'store/float32_bits',
    load: 'load/float32',
    store: 'store/float32',
    storeQuads: 'store/float32_quad',
  },
  float16: {
    round: 'store/float16',
    load: 'load/float16',
    store: 'store/half_pair',
    storeQuads: 'store/half_quad',
  },
  bfloat16: {
    round: 'store/bfloat16',
    load: 'load/bfloat16',
    store: 'store/half_pair',
    storeQuads: 'store/half_quad',
  },
  float8_e4m3fn: {
    round: 'store/float8_e4m3fn',
    load: 'load/float8_e4m3fn',
    store: 'store/byte_quad',
    storeQuads: 'store/byte_quad',
  },
  float8_e5m2: {
    round: 'store/float8_e5m2',
    load: 'load/float8_e5m2',
    store: 'store/byte_quad',
    storeQuads: 'store/byte_quad',
  },
}

/** The slot of a shader through which it reads a dtype. A plan gives distributions floating dtypes only. */
export const loadSlots = (dtype: DType): Readonly<Record<'load', string>> => ({
  load: dtypeModules[dtype as FloatDType].load,
})

/** The slot of a shader that rounds float32 to a dtype itself. */
export const roundSlots = (dtype: DType): Readonly<Record<'round', string>> => ({
  round: dtypeModules[dtype as FloatDType].round,
})

/** The slots of a fill shader through which it stores a dtype, four at a time where that can be. */
export function storeSlots(dtype: DType, wholeQuads: boolean): Readonly<Record<string, string>> {
  const { store, storeQuads } = dtypeModules[dtype as FloatDType]
  return { store: wholeQuads ? storeQuads : store, ...roundSlots(dtype) }
}

/** The buffers that a shader sees, in the order of their bindings. Each family of shaders has layouts of its own. */
export interface BindingLayout {
  readonly name: string
  readonly entries: readonly GPUBufferBindingLayout[]
}

/** A binding of `count` uniform blocks; every dispatch says where in the buffer its own begin. */
export const uniformBlocks = ({ byteLength }: { readonly byteLength: number }, count = 1): GPUBufferBindingLayout => ({
  type: 'uniform',
  hasDynamicOffset: true,
  minBindingSize: count * byteLength,
})

/** Names one compute pipeline: an entry module, what fills its slots, and its constants. */
export interface PipelineKey {
  readonly entry: string
  readonly slots?: Readonly<Record<string, string>>
  readonly layout: BindingLayout
  /** Values of the shader's `override` declarations. */
  readonly constants?: Readonly<Record<string, number>>
  /** Modules beside those of shader-modules.ts. */
  readonly modules?: Readonly<Record<string, string>>
  /** The user's own sampler, linked in beside the package's modules. */
  readonly custom?: CustomSampler
}
