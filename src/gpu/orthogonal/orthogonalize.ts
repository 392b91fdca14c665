// Q of the QR factorisation on the GPU; steps.ts describes the method. All sums have a fixed order and no step depends on
// timing, so a device gives the same bits every time.
//
// Vectors that depend on earlier ones are rounding noise once those are projected out: as with Householder's method their
// directions are arbitrary, but orthonormal. The factorisation says when that happened; it is then repeated on what it
// made, after vectors that vanished altogether were given a pseudo-random direction.
import { byteWidth } from '../../core/dtype.js'
import { checkMatrixShape, type MatrixShape } from '../../linalg/shape.js'
import { USAGE_COPY_SRC, USAGE_STORAGE, USAGE_UNIFORM } from '../device/constants.js'
import { type DeviceState, requireAlive } from '../device/device-state.js'
import type { WantedBuffer } from '../device/memory.js'
import { copyOut } from '../device/readback.js'
import { withScratch } from '../device/scratch.js'
import type { GpuRegion } from '../device/segments.js'
import { type KernelDispatch, runKernels } from '../pipelines/kernels.js'
import { orthogonalKernels } from './kernels.js'
import {
  groupSize,
  type OrthogonalLayout,
  orthogonalLayout,
  type ScratchName,
  scratchNames,
  scratchQuads,
} from './layout.js'
import { type DTypedRegion, loadStep, storeStep } from './region.js'
import { OrthogonalSteps } from './steps.js'

const WORK = { label: 'webgpu-init orthogonal', subject: 'an orthogonal matrix' }
/** If a panel is further from orthonormal than this before its last round, the last round may not be enough. */
const FAR_FROM_ORTHONORMAL = 0.1
const MAX_FACTORISATIONS = 5

type Scratch = Readonly<Record<ScratchName, GPUBuffer>>

/** Bytes of GPU memory that the call needs in addition to source and target. src/gpu/device/scratch.ts caches small buffers. */
export function orthogonalScratchBytes(state: DeviceState, shape: MatrixShape): number {
  if (shape.batch * shape.rows * shape.cols === 0) return 0
  const group = orthogonalLayout({ ...shape, batch: groupSize(state, shape, byteWidth('float32')) })
  return Object.values(scratchQuads(group)).reduce((sum, quads) => sum + 16 * quads, 0)
}

/** The largest values of the records in `worst`, over the matrices of the group. */
async function readWorst(
  state: DeviceState,
  { worst }: Scratch,
  batch: number,
): Promise<[number, number, number, number]> {
  const largest: [number, number, number, number] = [0, 0, 0, 0]
  await copyOut(state, worst, 0, 16 * batch, ({ buffer, byteOffset }) => {
    const values = new Float32Array(buffer, byteOffset, 4 * batch)
    for (const [at, value] of values.entries()) largest[at % 4] = Math.max(largest[at % 4]!, value)
  })
  return largest
}

/** Runs `work` with the group's scratch buffers. */
function withGroupScratch<T>(
  state: DeviceState,
  layout: OrthogonalLayout,
  work: (buffers: Scratch) => Promise<T>,
): Promise<T> {
  const sizes = scratchQuads(layout)
  const wanted = {} as Record<ScratchName, WantedBuffer>
  for (const name of scratchNames) {
    const uniform = name === 'flipped' || name === 'products' || name === 'factor' ? USAGE_UNIFORM : 0
    const usage = USAGE_STORAGE | uniform | (name === 'worst' ? USAGE_COPY_SRC : 0)
    wanted[name] = { byteLength: 16 * sizes[name], usage }
  }
  return withScratch(state, WORK.label, WORK.subject, wanted, work)
}

/**
 * Factorises each matrix of `source` (normals, float32, row-major) and writes gain times Q to `target`, in its dtype. The
 * diagonal of R is positive. A wide matrix is transposed first and its Q transposed back, as in PyTorch's orthogonal_, so
 * that its rows are orthonormal. Source and target may be the same region when both are float32; otherwise the source is
 * only read. The bits differ between devices, but are the same every time on one device.
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
  const size = groupSize(state, shape, byteWidth(target.dtype))
  const kernels = await orthogonalKernels(state)
  await withGroupScratch(state, orthogonalLayout({ ...shape, batch: size }), async (buffers) => {
    for (let first = 0; first < shape.batch; first += size) {
      const layout = orthogonalLayout({ ...shape, batch: Math.min(size, shape.batch - first) })
      const steps = new OrthogonalSteps(layout, buffers, kernels)
      const run = (dispatches: readonly KernelDispatch[]): Promise<void> => runKernels(state, WORK, dispatches, signal)
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
 * Regions of narrower dtypes show their rounding: some 1e-3 in float16, 1e-2 in bfloat16, 0.1 in float8.
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
  const size = groupSize(state, shape, byteWidth(region.dtype))
  const kernels = await orthogonalKernels(state)
  return withGroupScratch(state, orthogonalLayout({ ...shape, batch: size }), async (buffers) => {
    let orthogonalityError = 0
    for (let first = 0; first < shape.batch; first += size) {
      const layout = orthogonalLayout({ ...shape, batch: Math.min(size, shape.batch - first) })
      const steps = new OrthogonalSteps(layout, buffers, kernels)
      const load = await loadStep(state, layout, region, first, 1 / gain, buffers.vectors)
      await runKernels(state, WORK, [load, ...steps.measure()], signal)
      const [largest, , , broken] = await readWorst(state, buffers, layout.batch)
      if (broken > 0) return Number.NaN
      orthogonalityError = Math.max(orthogonalityError, largest)
    }
    return orthogonalityError
  })
}
