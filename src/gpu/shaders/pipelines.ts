import { WeightInitError } from '../../core/errors.js'
import { customSamplerModule } from '../../distributions/custom.js'
import { adapterInfoOf, isCpuAdapter } from '../device/adapter-info.js'
import { type DeviceState, untilLost } from '../device/device-state.js'
import { jobLayout, MOST_SHARING } from '../fill/job-layout.js'
import { orthogonalPartLayout, partLayout } from '../fill/part-layout.js'
import { EDGE_TABLE_BYTES, MEASURE_JOB_BYTES } from '../statistics/measure-layout.js'
import { linkShader } from './link.js'
import type { PipelineKey } from './pipeline-key.js'

/** Invocations per workgroup of the fill shaders: 64 is no worse than 256 on any device measured (bench/results.md). */
export const WORKGROUP_INVOCATIONS = 64

/** On a CPU, turns that an invocation takes where there are enough for LEAST_WORKGROUPS: what it does once is then little. */
const CPU_TURNS = 32
const LEAST_WORKGROUPS = 16

/**
 * Workgroups of the fill shaders for so many turns of their loop. More than 2048 bring nothing: the shaders stride. Well under
 * the limit of 65535. A GPU is better filled by many invocations of a turn each, a CPU by few of many turns.
 * @param rows jobs that share the dispatch, so many workgroups each
 */
export function workgroupsFor(state: DeviceState, turns: number, rows = 1): number {
  const most = Math.min(2048, Math.ceil(turns / WORKGROUP_INVOCATIONS))
  if (!isCpuAdapter(state.device)) return most
  const least = Math.ceil(LEAST_WORKGROUPS / rows)
  return Math.min(most, Math.max(least, Math.ceil(turns / WORKGROUP_INVOCATIONS / CPU_TURNS)))
}

/**
 * Invocations per workgroup of the matrix product. A CPU runs eight at a time, those beyond a matrix's edge too, so more are
 * waste there; a GPU has 32 or 64 in step.
 */
export function productLanes(state: DeviceState): number {
  return isCpuAdapter(state.device) ? 8 : 32
}

/**
 * Whether the matrix product shares what it loads between the invocations of a subgroup, which are a workgroup's then. Only on
 * a CPU, whose loads cost several multiplications each: hardware has caches for it.
 */
export function sharesLoads(state: DeviceState): boolean {
  const { device } = state
  const least = (adapterInfoOf(device) as { subgroupMinSize?: number } | undefined)?.subgroupMinSize ?? 0
  return isCpuAdapter(device) && device.features.has('subgroups') && least >= productLanes(state)
}

const storage = (binding: number, type: GPUBufferBindingType): GPUBindGroupLayoutEntry => ({
  binding,
  visibility: 4, // GPUShaderStage.COMPUTE
  buffer: { type },
})
const uniform = (binding: number, minBindingSize: number): GPUBindGroupLayoutEntry => ({
  binding,
  visibility: 4,
  buffer: { type: 'uniform', hasDynamicOffset: true, minBindingSize },
})

/** A function, so that a bundle without shaders drops the table. */
function layoutEntries(name: PipelineKey['layout']): GPUBindGroupLayoutEntry[] {
  const output = [storage(0, 'storage'), uniform(1, jobLayout.byteLength)]
  const entries: Readonly<Record<PipelineKey['layout'], GPUBindGroupLayoutEntry[]>> = {
    fill: output,
    'fill-part': [...output, uniform(2, partLayout.byteLength)],
    'fill-sharing': [storage(0, 'storage'), uniform(1, MOST_SHARING * jobLayout.byteLength)],
    'host words': [...output, storage(2, 'read-only-storage')],
    'orthogonal part': [
      storage(0, 'storage'),
      uniform(1, orthogonalPartLayout.byteLength),
      storage(2, 'read-only-storage'),
    ],
    measure: [
      storage(0, 'read-only-storage'),
      uniform(1, MEASURE_JOB_BYTES),
      uniform(2, EDGE_TABLE_BYTES),
      storage(3, 'storage'),
      storage(4, 'storage'),
      storage(5, 'storage'),
    ],
    'measure merge': [storage(0, 'read-only-storage'), storage(1, 'storage'), storage(2, 'read-only-storage')],
    'measure repeats': [storage(0, 'read-only-storage'), storage(1, 'storage'), storage(2, 'storage')],
    linalg: [...output, storage(2, 'read-only-storage'), storage(3, 'read-only-storage')],
    // With a second output.
    'linalg twice': [
      ...output,
      storage(2, 'read-only-storage'),
      storage(3, 'read-only-storage'),
      storage(4, 'storage'),
    ],
    // Where the matrices' left operand comes through a uniform window.
    'linalg window': [
      ...output,
      { binding: 2, visibility: 4, buffer: { type: 'uniform', minBindingSize: 65536 } },
      storage(3, 'read-only-storage'),
    ],
  }
  return entries[name]
}

export function bindGroupLayout(state: DeviceState, name: PipelineKey['layout']): GPUBindGroupLayout {
  let layout = state.layouts.get(name)
  if (layout === undefined) {
    const entries = layoutEntries(name)
    layout = state.device.createBindGroupLayout({ label: `webgpu-init ${name} layout`, entries })
    state.layouts.set(name, layout)
  }
  return layout
}

/**
 * The pipeline for a key, compiled once per device; calls at the same time share one compile. Parameters are uniforms,
 * so a device needs a handful of pipelines whatever the model.
 * @throws WeightInitError `SHADER` with the file and line of the compiler's first message
 */
export function pipeline(state: DeviceState, key: PipelineKey): Promise<GPUComputePipeline> {
  const name = pipelineName(key)
  const known = state.pipelines.get(name)
  if (known !== undefined) return known
  const compiled = untilLost(state, compile(state, key))
  state.pipelines.set(name, compiled)
  compiled.catch(() => state.pipelines.delete(name))
  return compiled
}

/** Cache key and label. Two custom samplers may share a name: their text tells them apart. */
export function pipelineName({ entry, slots = {}, custom }: PipelineKey): string {
  const parts = [entry, ...Object.entries(slots).map(([slot, module]) => `${slot}=${module}`)]
  return custom === undefined ? parts.join(' ') : `${parts.join(' ')}\n${customSamplerModule(custom)}\n${custom.wgsl}`
}

/** Every slot of a key's shader: a dispatch has one job unless the key says that it has many. */
export const slotsOf = ({ slots }: Pick<PipelineKey, 'slots'>): Readonly<Record<string, string>> => ({
  job: 'core/job',
  ...slots,
})

async function compile(state: DeviceState, key: PipelineKey): Promise<GPUComputePipeline> {
  const { device } = state
  const { custom } = key
  const name = [key.entry, ...Object.values(key.slots ?? {})].join(' ')
  // What the state has wins: tests put faulty ones there.
  const known = key.modules === undefined ? state.modules : { ...key.modules, ...state.modules }
  const modules =
    custom === undefined
      ? known
      : {
          ...known,
          [`custom/${custom.name}`]: custom.wgsl,
          [`custom/${custom.name} adapter`]: customSamplerModule(custom),
        }
  const shader = linkShader(key.entry, modules, slotsOf(key))
  device.pushErrorScope('validation')
  const module = device.createShaderModule({ label: `webgpu-init ${name}`, code: shader.code })
  const scope = device.popErrorScope()
  const info = await module.getCompilationInfo()
  await scope
  const problem = info.messages.find(({ type }) => type === 'error')
  if (problem !== undefined) {
    const { module: found, line } = shader.locate(problem.lineNum)
    const file = found.startsWith('custom/') ? found : `shaders/${found}`
    const text = (modules as Record<string, string>)[found]?.split('\n')[line - 1]?.trim()
    throw new WeightInitError(
      'SHADER',
      `Shader ${name} does not compile: ${file}.wgsl:${line}:${problem.linePos}: ${problem.message}\n  ${line} | ${text}`,
    )
  }
  try {
    return await device.createComputePipelineAsync({
      label: `webgpu-init ${name}`,
      layout: device.createPipelineLayout({
        label: `webgpu-init ${key.layout} layout`,
        bindGroupLayouts: [bindGroupLayout(state, key.layout)],
      }),
      compute: {
        module,
        entryPoint: 'main',
        ...(key.entry === 'orthogonal/gram'
          ? { constants: { LANES: productLanes(state) } }
          : key.layout.startsWith('measure') || key.layout.startsWith('linalg')
            ? {}
            : { constants: { WORKGROUP_INVOCATIONS } }),
      },
    })
  } catch (cause) {
    throw new WeightInitError('SHADER', `Pipeline ${name} cannot be made: ${(cause as Error).message}`, { cause })
  }
}
