import type { PartGeometry } from '../../ir/part.js'
import { type BindingLayout, uniformBlocks } from '../shaders/pipeline-key.js'

/** Byte offsets of `OrthogonalPart` in shaders/orthogonal/part.wgsl. A test reads them from the shader and compares them. */
export const orthogonalPartLayout = {
  firstElement: 0,
  axisCount: 4,
  firstLocal: 8,
  elementCount: 12,
  firstWord: 16,
  byteWidth: 20,
  centre: 24,
  stride: 28,
  first: 32,
  count: 36,
  rows: 40,
  columns: 44,
  axes: 48,
  byteLength: 176,
} as const

/** Float32 matrices one after another: elements [first, first + count) of all matrices of an orthogonal distribution. */
export interface MatrixElements {
  readonly first: number
  readonly count: number
  /** The index in the whole tensor of element 0 of the matrices; `stride` is the distance from one element to the next. */
  readonly centre: number
  readonly stride: number
  /** The shape of a matrix that is stored transposed; otherwise 1 row with all its elements. */
  readonly rows: number
  readonly columns: number
}

/** The uniform block of shaders/orthogonal/part.wgsl. */
export function packOrthogonalPart(
  { firstElement, axes }: PartGeometry,
  { first, count, centre, stride, rows, columns }: MatrixElements,
  fields: Readonly<Record<'firstLocal' | 'elementCount' | 'firstWord' | 'byteWidth', number>>,
): ArrayBuffer {
  const block = new DataView(new ArrayBuffer(orthogonalPartLayout.byteLength))
  const all = { firstElement, axisCount: axes.length, first, count, centre, stride, rows, columns, ...fields }
  for (const [name, value] of Object.entries(all)) {
    block.setUint32(orthogonalPartLayout[name as keyof typeof all], value, true)
  }
  axes.forEach((axis, index) => {
    block.setUint32(orthogonalPartLayout.axes + 16 * index, axis.length, true)
    block.setUint32(orthogonalPartLayout.axes + 16 * index + 4, axis.stride, true)
  })
  return block.buffer as ArrayBuffer
}

/** The target, the uniform block and the matrices. */
export const orthogonalPartBindings: BindingLayout = {
  name: 'orthogonal part',
  entries: [{ type: 'storage' }, /* @__PURE__ */ uniformBlocks(orthogonalPartLayout), { type: 'read-only-storage' }],
}
