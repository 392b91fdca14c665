import { byteWidth, type FloatDType } from '../../core/dtype.js'
import { show, WeightInitError } from '../../core/errors.js'
import { matrixOffset } from '../../distributions/orthogonal.js'
import { orthogonalNormals } from '../../fill/make-job.js'
import { drawsTransposed } from '../../generators/matrices.js'
import type { FillJob, FillSource } from '../../ir/job.js'
import type { MatrixShape } from '../../linalg/shape.js'
import { USAGE_COPY_DST, USAGE_COPY_SRC, USAGE_STORAGE } from '../device/constants.js'
import type { DeviceState } from '../device/device-state.js'
import { requireMemory } from '../device/memory.js'
import { withErrorScope } from '../device/scopes.js'
import { runFills } from '../fill/run-fills.js'
import type { FillTarget } from '../fill/target.js'
import { groupSize } from './layout.js'
import { orthogonalizeOnGpu } from './orthogonalize.js'
import { elementSpan, type MadeMatrices, writeOrthogonalPart } from './part.js'

type OrthogonalSource = FillSource & { kind: 'orthogonal' }

/** Whether the job's elements are orthogonal matrices, which this module fills. */
export const isOrthogonalJob = ({ source }: FillJob): boolean => source.kind === 'orthogonal'

/** The shape in which the matrices are drawn and factorised. A wide matrix of JAX is drawn as its transpose. */
export function madeShape({ distribution, generatorSource }: OrthogonalSource): MatrixShape {
  const { batch, rows, columns } = distribution
  return drawsTransposed(distribution, generatorSource)
    ? { batch, rows: columns, cols: rows }
    : { batch, rows, cols: columns }
}

/**
 * Refuses a matrix that this device cannot factorise, before any GPU work.
 * @throws WeightInitError `LIMIT_EXCEEDED` naming the parameter, the bytes, the limit and the remedies
 */
export function checkOrthogonal(state: DeviceState, { name, source, dtype }: FillJob): void {
  try {
    groupSize(state, madeShape(source as OrthogonalSource), byteWidth(dtype))
  } catch (error) {
    if (!(error instanceof WeightInitError)) throw error
    throw new WeightInitError(error.code, `Parameter ${show(name)}: ${error.message}`, { cause: error })
  }
}

/**
 * Fills the targets of one parameter with an orthogonal distribution: draws N(0, 1), then takes Q of the QR factorisation, for
 * up to `groupSize` matrices at a time. If one buffer holds the whole parameter, the matrices are made in place (float32), or
 * from scratch memory for one group. For a part, a tensor in several buffers and a delta-orthogonal, every group that has
 * wanted elements is made completely in scratch memory and the wanted elements are copied, so that the bits are the same as
 * in the whole tensor.
 */
export async function fillOrthogonal(
  state: DeviceState,
  targets: readonly FillTarget[],
  signal?: AbortSignal,
): Promise<void> {
  const { job } = targets[0]!
  const { distribution, generatorSource } = job.source as OrthogonalSource
  const elements = distribution.batch * distribution.rows * distribution.columns
  const inPlace = job.part === undefined && distribution.field === 1 && !drawsTransposed(distribution, generatorSource)
  const direct = targets.length === 1 && inPlace && job.elementCount === elements
  if (direct) return fillWhole(state, targets[0]!, signal)
  await runFills(
    state,
    targets.map((target) => ({ ...target, job: zeros(target.job) })),
    { signal },
  )
  await forEachGroup(state, job, targets.map(spanOf), signal, async (matrices) => {
    for (const target of targets) await writeOrthogonalPart(state, target, matrices, signal)
  })
}

const spanOf = ({ job }: FillTarget) => elementSpan(job)

/** Fills with zeros: elements outside the matrices are 0, and shaders/orthogonal/part.wgsl adds 16-bit values to zero words. */
export function zeros({ name, dtype, elementCount }: FillJob): FillJob {
  const source = { kind: 'constant', pattern: new Uint8Array(16) } as const
  return { name, dtype, firstElement: 0, elementCount, source, patches: [] }
}

async function fillWhole(
  state: DeviceState,
  { job, buffer, byteOffset }: FillTarget,
  signal: AbortSignal | undefined,
): Promise<void> {
  const source = job.source as OrthogonalSource
  const dtype = job.dtype as FloatDType
  const shape = madeShape(source)
  const each = shape.rows * shape.cols
  const perGroup = groupSize(state, shape, byteWidth(dtype))
  const draws = orthogonalNormals(source)
  const make = async (scratch: GPUBuffer | undefined): Promise<void> => {
    for (let first = 0; first < shape.batch; first += perGroup) {
      const batch = Math.min(perGroup, shape.batch - first)
      const target = { buffer, byteOffset: byteOffset + first * each * byteWidth(dtype) }
      const normals = scratch === undefined ? target : { buffer: scratch, byteOffset: 0 }
      await runFills(state, normalsOf(job, draws, first, batch, normals), { signal })
      await orthogonalizeOnGpu(
        state,
        normals,
        { ...target, dtype },
        { ...shape, batch },
        source.distribution.gain,
        signal,
      )
    }
  }
  if (dtype === 'float32') return make(undefined)
  return withMatrices(state, job.name, perGroup * each, make)
}

/** The draws of matrices [first, first + count) and their places from the region's start, under the parameter's name. */
function normalsOf(
  { name, source }: FillJob,
  draws: readonly FillJob[],
  first: number,
  count: number,
  { buffer, byteOffset }: { readonly buffer: GPUBuffer; readonly byteOffset: number },
): FillTarget[] {
  const { distribution, generatorSource } = source as OrthogonalSource
  const each = distribution.rows * distribution.columns
  if (generatorSource === undefined) {
    const job = { ...draws[0]!, name, firstElement: first * each, elementCount: count * each }
    return [{ job, buffer, byteOffset }]
  }
  return draws
    .slice(first, first + count)
    .map((draw, index) => ({ job: { ...draw, name }, buffer, byteOffset: byteOffset + 4 * index * each }))
}

/** Makes every group of matrices that has elements of `spans` (of the whole tensor), one after the other, and calls `use`. */
export async function forEachGroup(
  state: DeviceState,
  job: FillJob,
  spans: readonly (readonly [first: number, end: number])[],
  signal: AbortSignal | undefined,
  use: (matrices: MadeMatrices & { readonly matrixCount: number }) => Promise<void>,
): Promise<void> {
  const source = job.source as OrthogonalSource
  const { distribution } = source
  const shape = madeShape(source)
  const each = shape.rows * shape.cols
  // In scratch memory of float32: what is wanted is written from there element by element.
  const perGroup = groupSize(state, shape, byteWidth('float32'))
  const centre = matrixOffset(distribution)
  const draws = orthogonalNormals(source)
  // The shape of a matrix that lies transposed in the buffer. Any other matrix is described as a single row.
  const transposed = drawsTransposed(distribution, source.generatorSource)
  const turned = transposed ? { rows: distribution.rows, columns: distribution.columns } : { rows: 1, columns: each }
  await withMatrices(state, job.name, perGroup * each, async (buffer) => {
    for (let matrix = 0; matrix < shape.batch; matrix += perGroup) {
      const batch = Math.min(perGroup, shape.batch - matrix)
      const first = matrix * each
      const count = batch * each
      // A delta-orthogonal has one matrix, and its zeros, which belong to the matrix, are spread over the whole tensor.
      if (distribution.field === 1 && !spans.some(([from, end]) => from < first + count && end > first)) continue
      signal?.throwIfAborted()
      const region = { buffer, byteOffset: 0 }
      await runFills(state, normalsOf(job, draws, matrix, batch, region), { signal })
      await orthogonalizeOnGpu(
        state,
        region,
        { ...region, dtype: 'float32' },
        { ...shape, batch },
        distribution.gain,
        signal,
      )
      await use({ buffer, first, count, centre, stride: distribution.stride, ...turned, matrixCount: batch })
    }
  })
}

/** Runs `work` with scratch memory for float32 matrices, which is always freed. */
async function withMatrices<T>(
  state: DeviceState,
  name: string,
  elementCount: number,
  use: (buffer: GPUBuffer) => Promise<T>,
): Promise<T> {
  const { device } = state
  const size = 4 * elementCount
  const { result: buffer, error } = withErrorScope(device, 'out-of-memory', () =>
    device.createBuffer({
      label: 'webgpu-init orthogonal matrices',
      size,
      usage: USAGE_STORAGE | USAGE_COPY_SRC | USAGE_COPY_DST,
    }),
  )
  try {
    await requireMemory(state, { error, byteLength: size, purpose: `of scratch memory for ${show(name)}` })
    return await use(buffer)
  } finally {
    buffer.destroy()
  }
}
