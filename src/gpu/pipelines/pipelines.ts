import { WeightInitError } from '../../core/errors.js'
import { customSamplerModule } from '../../distributions/custom.js'
import { type DeviceState, untilLost } from '../device/device-state.js'
import { linkShader } from '../shaders/link.js'
import type { PipelineKey } from '../shaders/pipeline-key.js'
import { bindGroupLayout } from './bind-groups.js'

/**
 * The pipeline for a key. It is compiled once per device, and concurrent calls share one compilation. Everything that
 * depends on the parameter is a uniform, so a device needs only a handful of pipelines for any model.
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

/** Cache key and label. It contains the text of a custom sampler, because two custom samplers may have the same name. */
export function pipelineName({ entry, slots = {}, constants = {}, custom }: PipelineKey): string {
  const parts = [
    entry,
    ...[slots, constants].flatMap((o) => Object.entries(o).map(([name, value]) => `${name}=${value}`)),
  ]
  return custom === undefined ? parts.join(' ') : `${parts.join(' ')}\n${customSamplerModule(custom)}\n${custom.wgsl}`
}

/** Every slot of a key's shader. A dispatch has one job unless the key says that it has many. */
export const slotsOf = ({ slots }: Pick<PipelineKey, 'slots'>): Readonly<Record<string, string>> => ({
  job: 'core/job',
  ...slots,
})

async function compile(state: DeviceState, key: PipelineKey): Promise<GPUComputePipeline> {
  const { device } = state
  const { custom } = key
  const name = [key.entry, ...Object.values(key.slots ?? {})].join(' ')
  // The modules of the state take precedence, because tests put faulty modules there.
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
        label: `webgpu-init ${key.layout.name} layout`,
        bindGroupLayouts: [bindGroupLayout(state, key.layout)],
      }),
      compute: { module, entryPoint: 'main', constants: key.constants ?? {} },
    })
  } catch (cause) {
    throw new WeightInitError('SHADER', `Pipeline ${name} cannot be made: ${(cause as Error).message}`, { cause })
  }
}
