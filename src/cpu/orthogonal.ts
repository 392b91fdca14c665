import { drawsTransposed } from '../generators/matrices.js'
import { sampleGenerator } from '../generators/sample.js'
import type { FillSource } from '../jobs.js'
import { orthogonalNormals } from '../jobs.js'
import type { LawOf } from '../laws/types.js'
import { orthonormalityDefect, orthonormalize } from '../linalg/qr.js'
import { sampleRange } from './samplers.js'

type OrthogonalSource = FillSource & { kind: 'orthogonal' }

/** A matrix is made as a whole: the last ones asked for are kept as long as their job is. */
let whole: WeakMap<OrthogonalSource, Float32Array> | undefined

/** All elements of an orthogonal law as float32, in the tensor's order. */
export function orthogonalElements(source: OrthogonalSource): Float32Array {
  whole ??= new WeakMap()
  const known = whole.get(source)
  if (known !== undefined) return known
  const { law } = source
  const values = normalsOf(source)
  orthonormalize(values, law.rows, law.columns, law.batch, law.gain)
  const elements = scatter(law, values)
  whole.set(source, elements)
  return elements
}

/** The matrices before they are orthonormal, row-major. */
function normalsOf(source: OrthogonalSource): Float32Array {
  const { batch, rows, columns } = source.law
  const values = new Float32Array(batch * rows * columns)
  const transposed = drawsTransposed(source.law, source.origin)
  let at = 0
  for (const { source: own, elementCount } of orthogonalNormals(source)) {
    const drawn =
      own.kind === 'generator'
        ? sampleGenerator(own, 0, elementCount)
        : sampleRange(own as FillSource & { kind: 'sampler' }, 0, elementCount)
    if (transposed)
      for (let i = 0; i < elementCount; i++) values[at + (i % rows) * columns + Math.floor(i / rows)] = drawn[i]!
    else values.set(drawn, at)
    at += elementCount
  }
  return values
}

/** Where element i of the matrix lies: a delta-orthogonal's centre is one place of every kernel. */
export function matrixOffset({ field, centre, stride, rows, columns }: LawOf<'orthogonal'>): number {
  return field === 1 ? 0 : stride === 1 ? centre * rows * columns : centre
}

function scatter(law: LawOf<'orthogonal'>, values: Float32Array): Float32Array {
  if (law.field === 1) return values
  const elements = new Float32Array(values.length * law.field)
  const offset = matrixOffset(law)
  for (let i = 0; i < values.length; i++) elements[offset + i * law.stride] = values[i]!
  return elements
}

/** max |Q^T Q / gain^2 - I| of a tensor's matrices; NaN where an element off a delta-orthogonal's centre is not 0. */
export function elementsDefect(law: LawOf<'orthogonal'>, elements: Float32Array): number {
  const { rows, columns, batch, gain } = law
  if (law.field === 1) return orthonormalityDefect(elements, rows, columns, batch, gain)
  const offset = matrixOffset(law)
  const matrix = new Float32Array(rows * columns)
  for (let i = 0; i < matrix.length; i++) matrix[i] = elements[offset + i * law.stride]!
  const count = (values: Float32Array): number => values.reduce((n, x) => n + (x === 0 ? 0 : 1), 0)
  return count(elements) === count(matrix) ? orthonormalityDefect(matrix, rows, columns, batch, gain) : Number.NaN
}
