import { show, WeightInitError } from '../../core/errors.js'
import type { Initializer } from '../../initializers/initializer.js'
import type { InitializerName } from '../../initializers/names.js'
import type { InitializerArgument, InitializerRule } from '../../initializers/rules.js'
import type { BackendOf, DeviceOption } from '../../ir/device.js'
import {
  type ConfigOrOptions,
  type InstanceArguments,
  type LooseArguments,
  splitArguments,
} from '../../plan/arguments.js'
import { type InitializeOptions, type ResolvedOptions, resolveOptions } from '../../plan/options.js'
import { planResolved } from '../../plan/plan.js'
import { InitializedModel, type InitializedModelOf } from '../../weights/initialized-model.js'
import { materialize } from '../../weights/materialize.js'
import { checkBindingSize } from '../whole-buffer.js'
import { backendDevice, checkModule, requireWebGpuGlobals } from './device.js'
import { layerWeights } from './layers-model.js'
import { tfjsDType, toTensor } from './tensors.js'
import type { LayersModelLike, TfjsModule, TfjsTensor } from './types.js'
/**
 * Initialises the weights of a built `tf.LayersModel` and sets them. If TensorFlow.js runs on WebGPU, the values are made on
 * its own device and no layer copies them. On its other backends the values are made on the CPU, with the same bits. Names,
 * layouts, fans and roles are those of `readLayersModel`; the arguments are those of `initializeModel`.
 *
 * As in the rest of this package, biases become 0 and norm scales 1. Two kinds of weights keep the value that their layer
 * gave them, unless a rule names them: the bias of an LSTM with `unitForgetBias`, whose forget gate starts at 1, and vectors
 * of layers that this package does not know. TensorFlow.js applies a layer's constraint to the values, as it always does.
 *
 * TensorFlow.js never frees the buffers. They are garbage-collected when the model is disposed of or trained and nothing
 * refers to the result any more. `destroy()` of the result frees them at once; call it only when the model does not need
 * them any more.
 *
 * @param tf the module, as `import * as tf from '@tensorflow/tfjs'`; its current backend is used
 * @param model a built model: its first layer has an inputShape, or `model.build` was called
 * @returns the weights that were set: `statistics()`, `verify()` and `manifest()` refer to these initial values
 * @throws WeightInitError before any GPU work: what `initializeModel` throws, `INVALID_MODEL`, `LIMIT_EXCEEDED` for a weight
 *   over maxStorageBufferBindingSize, `UNSUPPORTED_DTYPE` for other dtypes than float32 and int32. A failed call changes no
 *   weight.
 * @example
 * const weights = await initializeLayersModel(tf, model, 'kaiming', { nonlinearity: 'relu' }, { seed: 42 })
 */
export function initializeLayersModel<T extends TfjsTensor, Device extends DeviceOption = DeviceOption>(
  tf: TfjsModule<T>,
  model: LayersModelLike<T>,
  initializer: Initializer | readonly InitializerRule[],
  ...rest: InstanceArguments<InitializeOptions<Device>>
): Promise<InitializedModelOf<BackendOf<Device>>>
export function initializeLayersModel<
  T extends TfjsTensor,
  Given extends InitializerName | Initializer,
  Device extends DeviceOption = DeviceOption,
>(
  tf: TfjsModule<T>,
  model: LayersModelLike<T>,
  initializer: Given | readonly InitializerRule[],
  config?: ConfigOrOptions<Given, InitializeOptions<Device>>,
  options?: InitializeOptions<Device>,
): Promise<InitializedModelOf<BackendOf<Device>>>
export async function initializeLayersModel<T extends TfjsTensor>(
  tf: TfjsModule<T>,
  model: LayersModelLike<T>,
  initializer: InitializerArgument,
  ...rest: LooseArguments
): Promise<InitializedModel> {
  checkModule(tf)
  const { config, options } = splitArguments(initializer, rest)
  refuseOptions(options)
  await tf.ready()
  const device = chooseDevice(tf, options.device)
  const weights = layerWeights(model)
  const preserved = new Set(weights.filter(({ keeps }) => keeps).map(({ spec }) => spec.name))
  const { rules, skip } = preserve(preserved, initializer)
  const resolved: ResolvedOptions = resolveOptions({ ...options, device, skip: [options.skip ?? [], skip].flat() })
  const plan = planResolved({ parameters: weights.map(({ spec }) => spec) }, rules, config, resolved)
  for (const { name, action, dtype, byteLength } of plan.parameters) {
    if (action !== 'initialize') continue
    tfjsDType(name, dtype)
    if (device !== 'cpu') checkBindingSize(name, byteLength, device, 'TensorFlow.js')
  }
  const result = InitializedModel.of(plan, await materialize(plan, resolved))
  const made: T[] = []
  try {
    const current = model.getWeights()
    model.setWeights(
      weights.map(({ spec }, index) => {
        if (!result.parameters.has(spec.name)) return current[index]!
        const tensor = toTensor(tf, result, spec.name)
        made.push(tensor)
        return tensor
      }),
    )
  } catch (error) {
    result.destroy()
    throw error
  } finally {
    // From here on the model's variables refer to the memory.
    for (const tensor of made) tensor.dispose()
  }
  return result
}

/** Refuses options whose result a LayersModel cannot use. */
function refuseOptions(options: InitializeOptions): void {
  for (const key of ['into', 'slice', 'shard'] as const) {
    if (options?.[key] === undefined) continue
    throw new WeightInitError(
      'INVALID_ARGUMENT',
      `initializeLayersModel takes no option ${key}: it makes every weight completely, in a buffer of its own. Use initializeModel with ` +
        'readLayersModel(model), and toTensors.',
    )
  }
  const fixed = { buffers: 'separate', segments: false, fans: 'layout', dtype: 'float32' } as const
  for (const [key, only] of Object.entries(fixed)) {
    const value = options?.[key as keyof typeof fixed]
    if (value === undefined || value === only) continue
    throw new WeightInitError(
      key === 'dtype' ? 'UNSUPPORTED_DTYPE' : 'INVALID_ARGUMENT',
      `initializeLayersModel: option ${key} can only be ${show(only)} with TensorFlow.js, but found ${show(value)}.`,
    )
  }
}

function chooseDevice(tf: TfjsModule, asked: InitializeOptions['device']): GPUDevice | 'cpu' {
  if (asked === 'cpu') return 'cpu'
  const theirs = backendDevice(tf)
  if (asked === undefined || asked === 'auto') {
    if (theirs !== undefined) requireWebGpuGlobals()
    return theirs ?? 'cpu'
  }
  if (asked === theirs) return theirs
  throw new WeightInitError(
    'INVALID_ARGUMENT',
    theirs === undefined
      ? `TensorFlow.js runs on its ${show(tf.getBackend())} backend, not on this device. Await tf.setBackend('webgpu') first, or leave device out.`
      : 'TensorFlow.js runs on another GPUDevice. Leave device out to use its own, or give it yours: await useDevice(tf, WebGPUBackend, device).',
  )
}

/** Lets the parameters with these names keep their values, unless a rule names them. */
function preserve(
  names: ReadonlySet<string>,
  initializer: InitializerArgument,
): { rules: InitializerArgument; skip: NonNullable<InitializeOptions['skip']> } {
  if (names.size === 0) return { rules: initializer, skip: [] }
  const match = ({ name }: { readonly name: string }): boolean => names.has(name)
  if (Array.isArray(initializer)) return { rules: [...initializer, { match, initializer: 'skip' }], skip: [] }
  return { rules: initializer, skip: match }
}
