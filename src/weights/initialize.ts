import type { DType } from '../core/dtype.js'
import { refuseUnknownKeys, WeightInitError } from '../core/errors.js'
import type { Initializer } from '../initializers/initializer.js'
import type { InitializerName } from '../initializers/names.js'
import type { InitializerArgument, InitializerRule } from '../initializers/rules.js'
import type { Backend, BackendOf, DeviceOption } from '../ir/device.js'
import type { Model, ParameterSpec } from '../ir/parameter.js'
import { type ConfigOrOptions, type InstanceArguments, type LooseArguments, splitArguments } from '../plan/arguments.js'
import { type InitializeOptions, resolveOptions } from '../plan/options.js'
import { planResolved } from '../plan/plan.js'
import { InitializedModel, type InitializedModelOf } from './initialized-model.js'
import { materialize } from './materialize.js'
/**
 * Initialises every parameter of a model, into GPU buffers or host memory, with values that depend on (seed, parameter
 * name, element index, distribution) alone and are the same bits on every device.
 *
 * @param model from `defineModel`, `sequential` or a layer function
 * @param initializer 'xavier', 'kaiming', ... ; an Initializer; or rules `[{ match, initializer }]`, first match wins.
 *   One initializer is for weights and embeddings: biases and norm biases get 0, norm scales 1, unless a rule says otherwise.
 * @param config settings of a named initializer
 * @param options device, seed, dtype and more; with an instance or rules they may take config's place
 * @example
 * const weights = await initializeModel(model, 'kaiming', { mode: 'fan_out' }, { device, seed: 42 })
 * @throws WeightInitError for every mistake in the arguments, before any GPU work; DeviceLostError, OutOfMemoryError.
 *   A failed call frees what it allocated.
 */
export function initializeModel<Device extends DeviceOption = DeviceOption>(
  model: Model,
  initializer: Initializer | readonly InitializerRule[],
  ...rest: InstanceArguments<InitializeOptions<Device>>
): Promise<InitializedModelOf<BackendOf<Device>>>
export function initializeModel<
  Given extends InitializerName | Initializer,
  Device extends DeviceOption = DeviceOption,
>(
  model: Model,
  initializer: Given | readonly InitializerRule[],
  config?: ConfigOrOptions<Given, InitializeOptions<Device>>,
  options?: InitializeOptions<Device>,
): Promise<InitializedModelOf<BackendOf<Device>>>
// The first overload is for rules: beside a string, a rule's `match` would take its type from String.prototype.match.
export async function initializeModel(
  model: Model,
  initializer: InitializerArgument,
  ...rest: LooseArguments
): Promise<InitializedModel> {
  return initialize(model, initializer, rest)
}

async function initialize(
  model: Model,
  initializer: InitializerArgument,
  rest: LooseArguments,
): Promise<InitializedModelOf<Backend>> {
  const { config, options } = splitArguments(initializer, rest)
  const resolved = resolveOptions(options)
  const plan = planResolved(model, initializer, config, resolved)
  return InitializedModel.of(plan, await materialize(plan, resolved))
}

/** One tensor: a model of one parameter. Its name, 'tensor' unless given, chooses the stream. */
export interface TensorSpec extends Omit<ParameterSpec, 'name' | 'tiedTo'> {
  readonly name?: string
  readonly dtype?: DType
}

/**
 * Initialises a single tensor of any role: `initializeTensor([256, 784], 'xavier', {}, { device, seed: 1 })`.
 * The result is an InitializedModel with one parameter, called 'tensor' unless the spec names it.
 * @throws as `initializeModel`
 */
export async function initializeTensor<
  Given extends InitializerName | Initializer,
  Device extends DeviceOption = DeviceOption,
>(
  tensor: readonly number[] | TensorSpec,
  initializer: Given,
  config?: ConfigOrOptions<Given, InitializeOptions<Device>>,
  options?: InitializeOptions<Device>,
): Promise<InitializedModelOf<BackendOf<Device>>> {
  if (!Array.isArray(tensor) && (typeof tensor !== 'object' || tensor === null)) {
    throw new WeightInitError(
      'INVALID_ARGUMENT',
      'initializeTensor takes a shape such as [256, 784] or { shape, dtype, layout, ... }.',
    )
  }
  const spec = Array.isArray(tensor) ? { shape: tensor as readonly number[] } : (tensor as TensorSpec)
  refuseUnknownKeys(
    spec,
    ['name', 'shape', 'dtype', 'role', 'layout', 'groups', 'blocks', 'batchAxes', 'paddingIndex', 'fan'],
    'tensor',
  )
  // A lone tensor takes the initializer it is given, whatever its rank.
  const parameter: ParameterSpec = { name: 'tensor', role: 'weight', ...spec }
  const made = await initialize({ parameters: [parameter] }, initializer, [config, options])
  return made as InitializedModelOf<BackendOf<Device>>
}

export type { InitializeOptions }
