import { matrixOffset } from '../cpu/orthogonal.js'
import { byteWidth, type FloatDType } from '../dtype.js'
import { OutOfMemoryError, show, WeightInitError } from '../errors.js'
import { drawsTransposed } from '../generators/matrices.js'
import { type FillJob, type FillSource, orthogonalNormals } from '../jobs.js'
import { USAGE_COPY_DST, USAGE_COPY_SRC, USAGE_STORAGE, USAGE_UNIFORM } from './constants.js'
import { type DeviceState, untilLost } from './device-state.js'
import type { FillTarget } from './execute.js'
import { jobLayout, packScatter, writeJob } from './job-layout.js'
import { orthogonalizeOnGpu } from './orthogonal.js'
import { bindGroupLayout, pipeline, workgroupsFor } from './pipelines.js'
import { withErrorScope } from './scopes.js'
import { alignUp } from './windows.js'

/** What every device accepts as a binding offset. */
const BINDING_ALIGNMENT = 256

/** Fills parts by jobs that draw: `runJobs`, handed in because it calls this. */
export type RunJobs = (targets: readonly FillTarget[]) => Promise<void>

/**
 * Fills one target with an orthogonal law: N(0, 1) into scratch memory, Q of its QR factorisation into the target; a
 * delta-orthogonal's matrix is then scattered to the centres of its kernels, and one that was drawn transposed to its place. The scratch memory is freed in any case.
 */
export async function fillOrthogonal(
  state: DeviceState,
  target: FillTarget,
  runJobs: RunJobs,
  signal?: AbortSignal,
): Promise<void> {
  const { job, buffer, byteOffset } = target
  const source = job.source as FillSource & { kind: 'orthogonal' }
  const { law } = source
  const normals = orthogonalNormals(source)
  const dtype = job.dtype as FloatDType
  const { device } = state
  const byteLength = 4 * law.batch * law.rows * law.columns
  const { result: scratch, error } = withErrorScope(device, 'out-of-memory', () =>
    device.createBuffer({
      label: 'webgpu-init orthogonal normals',
      size: byteLength,
      usage: USAGE_STORAGE | USAGE_COPY_SRC | USAGE_COPY_DST,
    }),
  )
  try {
    const problem = await untilLost(state, error)
    if (problem !== null) {
      throw new OutOfMemoryError(
        `The device could not allocate ${byteLength} bytes of scratch memory for ${show(job.name)}: ${problem.message}`,
        { cause: problem },
      )
    }
    const region = { buffer: scratch, byteOffset: 0 }
    await runJobs(
      normals.map((own, index) => ({ job: own, buffer: scratch, byteOffset: 4 * index * own.elementCount })),
    )
    const transposed = drawsTransposed(law, source.origin)
    const [rows, cols] = transposed ? [law.columns, law.rows] : [law.rows, law.columns]
    const shape = { batch: law.batch, rows, cols }
    if (law.field === 1 && !transposed) {
      await orthogonalizeOnGpu(state, region, { buffer, byteOffset, dtype }, shape, law.gain, signal)
      return
    }
    await orthogonalizeOnGpu(state, region, { ...region, dtype: 'float32' }, shape, law.gain, signal)
    await runJobs([{ job: zeros(job), buffer, byteOffset }])
    await scatter(state, target, scratch, transposed)
  } finally {
    scratch.destroy()
  }
}

function zeros(job: FillJob): FillJob {
  return { ...job, source: { kind: 'constant', pattern: new Uint8Array(16) }, overlays: [] }
}

async function scatter(
  state: DeviceState,
  { job, buffer, byteOffset }: FillTarget,
  matrix: GPUBuffer,
  transposed: boolean,
): Promise<void> {
  const { device } = state
  const { law } = job.source as FillSource & { kind: 'orthogonal' }
  const width = byteWidth(job.dtype)
  const offset = Math.floor(byteOffset / BINDING_ALIGNMENT) * BINDING_ALIGNMENT
  const size = alignUp(byteOffset + job.elementCount * width, 4) - offset
  const limit = device.limits.maxStorageBufferBindingSize
  if (size > limit) {
    throw new WeightInitError(
      'LIMIT_EXCEEDED',
      `${show(job.name)}: an orthogonal law of ${size} bytes that is put in place element by element is larger than this device's maxStorageBufferBindingSize ${limit}. Request the device with a larger limit.`,
    )
  }
  const round = job.dtype === 'float16' ? 'store/float16' : 'store/bfloat16'
  const compiled = await pipeline(state, { entry: 'scatter', slots: { round }, layout: 'uploaded' })
  const count = law.batch * law.rows * law.columns
  const packed = packScatter(
    {
      first: matrixOffset(law),
      stride: law.stride,
      byteWidth: width,
      ...(transposed ? { short: law.rows, long: law.columns } : { short: 1, long: count }),
    },
    count,
    (byteOffset - offset) / 4,
  )
  const block = new DataView(new ArrayBuffer(jobLayout.byteLength))
  writeJob(block, 0, packed)
  const uniform = device.createBuffer({
    label: 'webgpu-init scatter',
    size: jobLayout.byteLength,
    usage: USAGE_UNIFORM | USAGE_COPY_DST,
  })
  try {
    const { error } = withErrorScope(device, 'validation', () => {
      device.queue.writeBuffer(uniform, 0, block.buffer)
      const group = device.createBindGroup({
        label: 'webgpu-init scatter',
        layout: bindGroupLayout(state, 'uploaded'),
        entries: [
          { binding: 0, resource: { buffer, offset, size } },
          { binding: 1, resource: { buffer: uniform, size: jobLayout.byteLength } },
          { binding: 2, resource: { buffer: matrix } },
        ],
      })
      const encoder = device.createCommandEncoder({ label: 'webgpu-init scatter' })
      const pass = encoder.beginComputePass({ label: 'webgpu-init scatter' })
      pass.setPipeline(compiled)
      pass.setBindGroup(0, group, [0])
      pass.dispatchWorkgroups(workgroupsFor(packed.turns))
      pass.end()
      device.queue.submit([encoder.finish()])
    })
    const [problem] = await untilLost(state, Promise.all([error, device.queue.onSubmittedWorkDone()]))
    if (problem !== null) {
      throw new WeightInitError(
        'DEVICE_ERROR',
        `The device refused the work for ${show(job.name)}: ${problem.message}`,
        { cause: problem },
      )
    }
  } finally {
    uniform.destroy()
  }
}
