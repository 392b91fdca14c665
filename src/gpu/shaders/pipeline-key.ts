import { byteWidth, type DType } from '../../core/dtype.js'
import type { CustomSampler } from '../../ir/distribution.js'

/** Whether elements from a byte of a buffer on can be stored four at a time, whole. */
export const hasWholeQuads = (
  { elementCount, dtype }: { readonly elementCount: number; readonly dtype: DType },
  byteOffset: number,
): boolean => elementCount % 4 === 0 && byteOffset % (4 * byteWidth(dtype)) === 0

/** The slots of a fill shader through which it stores a dtype, four at a time where that can be. */
export function storeSlots(dtype: DType, wholeQuads: boolean): Readonly<Record<string, string>> {
  if (dtype === 'float32') return { store: wholeQuads ? 'store/float32_quad' : 'store/float32' }
  return { store: wholeQuads ? 'store/half_quad' : 'store/half_pair', round: `store/${dtype}` }
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
