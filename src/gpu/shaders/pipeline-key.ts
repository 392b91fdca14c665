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

/** Names one compute pipeline: an entry module and what fills its slots. */
export interface PipelineKey {
  readonly entry: string
  readonly slots?: Readonly<Record<string, string>>
  readonly layout:
    | 'fill'
    | 'fill-part'
    | 'fill-sharing'
    | 'host words'
    | 'orthogonal part'
    | 'measure'
    | 'measure merge'
    | 'measure repeats'
    | 'linalg'
    | 'linalg twice'
    | 'linalg window'
  /** Modules beside those of shader-modules.ts. */
  readonly modules?: Readonly<Record<string, string>>
  /** The user's own sampler, linked in beside the package's modules. */
  readonly custom?: CustomSampler
}
