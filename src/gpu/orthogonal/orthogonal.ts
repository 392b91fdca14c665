// Q of the QR factorisation, on the GPU. orthogonal-steps.ts has the method. All sums have a fixed order and no step
// depends on timing: a device gives the same bits every time.
//
// Vectors that depend on earlier ones are rounding noise once those are projected out: as with Householder's method their
// directions are arbitrary, but orthonormal. The factorisation says when that happened; it is then repeated on what it
// made, after vectors that vanished altogether were given a pseudo-random direction.
import { byteWidth, type FloatDType } from '../../core/dtype.js'
import { WeightInitError } from '../../core/errors.js'
import { checkMatrixShape, type MatrixShape } from '../../linalg/shape.js'
import {
  MAP_MODE_READ,
  USAGE_COPY_DST,
  USAGE_COPY_SRC,
  USAGE_MAP_READ,
  USAGE_STORAGE,
  USAGE_UNIFORM,
} from '../device/constants.js'
import { type DeviceState, requireAlive, untilLost } from '../device/device-state.js'
import { withErrorScope } from '../device/scopes.js'
import { type ScratchBuffer, withScratch } from '../device/scratch.js'
import type { GpuRegion } from '../device/segments.js'
import { alignUp } from '../device/windows.js'
import { jobLayout } from '../fill/job-layout.js'
import { storeSlots } from '../shaders/pipeline-key.js'
import { pipeline } from '../shaders/pipelines.js'
import { type Dispatch, runDispatches, type View } from './linalg.js'
import {
  groupSize,
  MAX_GROUPS,
  type OrthogonalLayout,
  orthogonalLayout,
  type ScratchName,
  scratchNames,
  scratchQuads,
} from './orthogonal-layout.js'
import { OrthogonalSteps, orthogonalKernels } from './orthogonal-steps.js'

const LABEL = 'webgpu-init orthogonal'
/** A panel that is further from orthonormal before its last round may not be orthonormal after it. */
const FAR_FROM_ORTHONORMAL = 0.1
const MAX_FACTORISATIONS = 5

export interface DTypedRegion extends GpuRegion {
  readonly dtype: FloatDType
}

type Scratch = Readonly<Record<ScratchName, GPUBuffer>>

/** Bytes of GPU memory that the call needs beside source and target; what of it is kept for a next call, src/gpu/device/scratch.ts says. */
export function orthogonalScratchBytes(state: DeviceState, shape: MatrixShape): number {
  if (shape.batch * shape.rows * shape.cols === 0) return 0
  const group = orthogonalLayout({ ...shape, batch: groupSize(state, shape) })
  return Object.values(scratchQuads(group)).reduce((sum, quads) => sum + 16 * quads, 0)
}

/** The records in `worst`, combined over the group. */
async function readWorst(
  state: DeviceState,
  { worst }: Scratch,
  batch: number,
): Promise<[number, number, number, number]> {
  const { device } = state
  const size = 16 * batch
  const staging = device.createBuffer({ label: LABEL, size, usage: USAGE_MAP_READ | USAGE_COPY_DST })
  try {
    const { error } = withErrorScope(device, 'validation', () => {
      const encoder = device.createCommandEncoder({ label: LABEL })
      encoder.copyBufferToBuffer(worst, 0, staging, 0, size)
      device.queue.submit([encoder.finish({ label: LABEL })])
    })
    const [problem] = await untilLost(state, Promise.all([error, staging.mapAsync(MAP_MODE_READ)]))
    if (problem !== null) throw new WeightInitError('DEVICE_ERROR', `${LABEL}: ${problem.message}`, { cause: problem })
    const values = new Float32Array(staging.getMappedRange())
    const largest: [number, number, number, number] = [0, 0, 0, 0]
    for (const [at, value] of values.entries()) largest[at % 4] = Math.max(largest[at % 4]!, value)
    return largest
  } finally {
    staging.destroy()
  }
}

/** Runs `work` with the group's scratch buffers. */
function withGroupScratch<T>(
  state: DeviceState,
  layout: OrthogonalLayout,
  work: (buffers: Scratch) => Promise<T>,
): Promise<T> {
  const sizes = scratchQuads(layout)
  const wanted = {} as Record<ScratchName, ScratchBuffer>
  for (const name of scratchNames) {
    const uniform = name === 'flipped' || name === 'products' || name === 'factor' ? USAGE_UNIFORM : 0
    const usage = USAGE_STORAGE | uniform | (name === 'worst' ? USAGE_COPY_SRC : 0)
    wanted[name] = { byteLength: 16 * sizes[name], usage }
  }
  return withScratch(state, LABEL, 'an orthogonal matrix', wanted, work)
}

/** The words of a region from matrix `first` on, as a binding, and where in it they begin. */
function regionView(
  state: DeviceState,
  { buffer, byteOffset }: GpuRegion,
  bytesBefore: number,
  byteLength: number,
): { view: View; firstWord: number } {
  const from = byteOffset + bytesBefore
  const offset =
    Math.floor(from / state.device.limits.minStorageBufferOffsetAlignment) *
    state.device.limits.minStorageBufferOffsetAlignment
  return { view: { buffer, offset, size: alignUp(from - offset + byteLength, 4) }, firstWord: (from - offset) / 4 }
}

async function loadStep(
  state: DeviceState,
  layout: OrthogonalLayout,
  region: DTypedRegion,
  firstMatrix: number,
  scale: number,
  to: GPUBuffer,
): Promise<Dispatch> {
  const { batch, length, count, wide, columns, lengthQuads, matrixQuads } = layout
  const width = byteWidth(region.dtype)
  const { view, firstWord } = regionView(
    state,
    region,
    firstMatrix * length * count * width,
    batch * length * count * width,
  )
  const record = new ArrayBuffer(32)
  new Uint32Array(record).set([firstWord, length, count, wide ? 1 : count, wide ? length : 1, lengthQuads, matrixQuads])
  new Float32Array(record)[7] = scale
  return {
    pipeline: await pipeline(state, {
      entry: 'orthogonal/load',
      slots: { load: `load/${region.dtype}` },
      layout: 'linalg',
    }),
    layout: 'linalg',
    record,
    output: { buffer: to },
    a: view,
    // As the shader's QUADS_ACROSS has it.
    grid: wide ? [Math.ceil(lengthQuads / 32), columns, batch] : [columns / 32, Math.ceil(lengthQuads / 4), batch],
    cost: 16 * batch * matrixQuads,
  }
}

async function storeStep(
  state: DeviceState,
  layout: OrthogonalLayout,
  region: DTypedRegion,
  firstMatrix: number,
  gain: number,
  from: GPUBuffer,
): Promise<Dispatch> {
  const { batch, length, count, wide, lengthQuads, matrixQuads } = layout
  const width = byteWidth(region.dtype)
  const elements = batch * length * count
  const { view, firstWord } = regionView(state, region, firstMatrix * length * count * width, elements * width)
  const record = new ArrayBuffer(jobLayout.byteLength)
  const data = new DataView(record)
  const u32 = (at: number, value: number): void => data.setUint32(at, value, true)
  u32(jobLayout.key, wide ? length : count)
  u32(jobLayout.key + 4, length * count)
  u32(jobLayout.counter, 4 * lengthQuads)
  u32(jobLayout.counter + 4, 4 * matrixQuads)
  data.setFloat32(jobLayout.constants, gain, true)
  u32(jobLayout.elementCount, elements)
  u32(jobLayout.shift, wide ? 1 : 0)
  u32(jobLayout.firstWord, firstWord)
  const slots = storeSlots(region.dtype, firstWord % 4 === 0 && elements % 4 === 0)
  return {
    pipeline: await pipeline(state, { entry: 'orthogonal/store', slots, layout: 'linalg' }),
    layout: 'linalg',
    record,
    output: view,
    a: { buffer: from },
    grid: [Math.min(MAX_GROUPS, Math.ceil(elements / 256)), 1, 1],
    cost: 16 * elements,
  }
}

/**
 * Replaces each matrix of `source` (normals, float32, row-major) by gain times the Q of its QR factorisation, with R's
 * diagonal positive, in `target`'s dtype. A wide matrix is transposed first and its Q transposed back, as PyTorch's
 * orthogonal_ does: rows are then orthonormal. Source and target may be the same region when both are float32; otherwise
 * the source is read only. Not bit-exact between devices, but the same bits every time on one.
 *
 * A failed or aborted call may leave some matrices of `target` written.
 *
 * @throws DeviceLostError, OutOfMemoryError, the signal's reason; WeightInitError `LIMIT_EXCEEDED` before any GPU work
 */
export async function orthogonalizeOnGpu(
  state: DeviceState,
  source: GpuRegion,
  target: DTypedRegion,
  shape: MatrixShape,
  gain: number,
  signal?: AbortSignal,
): Promise<void> {
  checkMatrixShape(shape)
  requireAlive(state)
  signal?.throwIfAborted()
  if (shape.batch * shape.rows * shape.cols === 0) return
  const size = groupSize(state, shape)
  const kernels = await orthogonalKernels(state)
  await withGroupScratch(state, orthogonalLayout({ ...shape, batch: size }), async (buffers) => {
    for (let first = 0; first < shape.batch; first += size) {
      const layout = orthogonalLayout({ ...shape, batch: Math.min(size, shape.batch - first) })
      const steps = new OrthogonalSteps(layout, buffers, kernels)
      const run = (work: readonly Dispatch[]): Promise<void> => runDispatches(state, LABEL, work, signal)
      const load = await loadStep(state, layout, { ...source, dtype: 'float32' }, first, 1, buffers.vectors)
      await run([load, ...steps.factorise(false)])
      for (let done = 1; done < MAX_FACTORISATIONS; done++) {
        const [projected, dead, distance, broken] = await readWorst(state, buffers, layout.batch)
        if (broken > 0) break
        if (dead === 0 && projected <= 1 && distance <= FAR_FROM_ORTHONORMAL) break
        await run([steps.replaceDependentColumns(), ...steps.factorise(true)])
      }
      await run([await storeStep(state, layout, target, first, gain, buffers.vectors)])
    }
  })
  requireAlive(state)
}

/**
 * max |Q^T Q / gain^2 - I| over the matrices of a region (rows for wide ones), measured on the GPU in float32; its own
 * error is below 1e-6 up to 4096 rows. NaN when an element is not finite; 0 for a gain of 0 or an empty region.
 * float16 and bfloat16 regions show their rounding: some 1e-3 and 1e-2.
 */
export async function orthogonalityError(
  state: DeviceState,
  region: DTypedRegion,
  shape: MatrixShape,
  gain: number,
  signal?: AbortSignal,
): Promise<number> {
  checkMatrixShape(shape)
  requireAlive(state)
  signal?.throwIfAborted()
  if (shape.batch * shape.rows * shape.cols === 0 || gain === 0) return 0
  const size = groupSize(state, shape)
  const kernels = await orthogonalKernels(state)
  return withGroupScratch(state, orthogonalLayout({ ...shape, batch: size }), async (buffers) => {
    let orthogonalityError = 0
    for (let first = 0; first < shape.batch; first += size) {
      const layout = orthogonalLayout({ ...shape, batch: Math.min(size, shape.batch - first) })
      const steps = new OrthogonalSteps(layout, buffers, kernels)
      const load = await loadStep(state, layout, region, first, 1 / gain, buffers.vectors)
      await runDispatches(state, LABEL, [load, ...steps.measure()], signal)
      const [largest, , , broken] = await readWorst(state, buffers, layout.batch)
      if (broken > 0) return Number.NaN
      orthogonalityError = Math.max(orthogonalityError, largest)
    }
    return orthogonalityError
  })
}
