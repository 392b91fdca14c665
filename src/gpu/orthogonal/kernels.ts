import { adapterInfoOf, isCpuAdapter } from '../device/adapter-info.js'
import type { DeviceState } from '../device/device-state.js'
import { kernelInput, kernelLayout, kernelOutput, kernelRecord } from '../pipelines/kernels.js'
import { pipeline } from '../pipelines/pipelines.js'
import type { BindingLayout, PipelineKey } from '../shaders/pipeline-key.js'
import { WINDOW_BYTES } from './layout.js'

/** A layout with a second output behind the inputs. */
const twoOutputs: BindingLayout = {
  name: 'kernel with two outputs',
  entries: [kernelOutput, kernelRecord, kernelInput, kernelInput, kernelOutput],
}
/** A layout that reads the left operand of the product through a uniform window. */
const windowed: BindingLayout = {
  name: 'kernel with a window',
  entries: [kernelOutput, kernelRecord, { type: 'uniform', minBindingSize: WINDOW_BYTES }, kernelInput],
}

const productKeys = {
  window: { entry: 'orthogonal/gram', slots: { rows: 'orthogonal/rows_window' }, layout: windowed },
  storage: { entry: 'orthogonal/gram', slots: { rows: 'orthogonal/rows_storage' }, layout: kernelLayout },
  shared: { entry: 'orthogonal/gram', slots: { rows: 'orthogonal/rows_subgroup' }, layout: kernelLayout },
}

export type StepName = 'apply' | 'combine' | 'subtract' | 'cholesky' | 'orthogonalityError' | 'replaceDependentColumns'

const stepKeys: Readonly<Record<StepName, PipelineKey>> = {
  apply: { entry: 'orthogonal/apply', layout: twoOutputs },
  combine: { entry: 'orthogonal/combine', layout: kernelLayout },
  subtract: { entry: 'orthogonal/subtract', layout: twoOutputs },
  cholesky: { entry: 'orthogonal/cholesky', layout: twoOutputs },
  orthogonalityError: { entry: 'orthogonal/orthogonality_error', layout: kernelLayout },
  replaceDependentColumns: { entry: 'orthogonal/replace_dependent_columns', layout: kernelLayout },
}

/** A compiled kernel. */
export interface Kernel {
  readonly pipeline: GPUComputePipeline
  readonly layout: BindingLayout
}

export interface Kernels extends Readonly<Record<StepName, Kernel>> {
  /** The matrix product. */
  readonly gram: Kernel
  /** Invocations in a workgroup of `gram`. */
  readonly lanes: number
  /** Whether `gram` reads its left operand through a uniform window instead of as a whole. */
  readonly window: boolean
}

export async function orthogonalKernels(state: DeviceState): Promise<Kernels> {
  const lanes = productLanes(state)
  const loads = productLoads(state)
  const gram: PipelineKey = { ...productKeys[loads], constants: { LANES: lanes } }
  const keys: Readonly<Record<StepName | 'gram', PipelineKey>> = { ...stepKeys, gram }
  const compiled = await Promise.all(
    Object.entries(keys).map(async ([name, key]) => {
      return [name, { pipeline: await pipeline(state, key), layout: key.layout }] as const
    }),
  )
  return { ...(Object.fromEntries(compiled) as Record<StepName | 'gram', Kernel>), lanes, window: loads === 'window' }
}

/**
 * Invocations per workgroup of the matrix product. A CPU runs eight at a time, even those beyond the edge of a matrix, so
 * more would waste time there. A GPU runs 32 or 64 in step.
 */
function productLanes(state: DeviceState): number {
  return isCpuAdapter(state.device) ? 8 : 32
}

/** How the matrix product loads its left operand: through a uniform window wherever the device has room for one. */
function productLoads(state: DeviceState): keyof typeof productKeys {
  if (sharesLoads(state)) return 'shared'
  return state.device.limits.maxUniformBufferBindingSize < WINDOW_BYTES ? 'storage' : 'window'
}

/**
 * Whether the matrix product shares the loaded values between the invocations of a subgroup, which are then the whole
 * workgroup. This is only useful on a CPU, where a load costs several multiplications; a GPU has caches for it.
 */
function sharesLoads(state: DeviceState): boolean {
  const { device } = state
  const least = (adapterInfoOf(device) as { subgroupMinSize?: number } | undefined)?.subgroupMinSize ?? 0
  return isCpuAdapter(device) && device.features.has('subgroups') && least >= productLanes(state)
}
