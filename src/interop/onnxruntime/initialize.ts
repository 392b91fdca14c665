import { refuse, show, WeightInitError } from '../../core/errors.js'
import type { Initializer } from '../../initializers/initializer.js'
import type { InitializerName } from '../../initializers/names.js'
import type { InitializerArgument, InitializerRule } from '../../initializers/rules.js'
import type { DeviceOption } from '../../ir/device.js'
import type { Model } from '../../ir/parameter.js'
import type { InitializationPlan } from '../../ir/plan.js'
import {
  type ConfigOrOptions,
  type InstanceArguments,
  type LooseArguments,
  splitArguments,
} from '../../plan/arguments.js'
import { type InitializeOptions, resolveOptions } from '../../plan/options.js'
import { planResolved } from '../../plan/plan.js'
import { InitializedModel } from '../../weights/initialized-model.js'
import { materialize } from '../../weights/materialize.js'
import { checkBindingSize } from '../whole-buffer.js'
import { sessionDevice } from './device.js'
import { checkOrtDType, ORT_BUFFER_ALIGNMENT, toFeeds } from './tensors.js'
import type { OrtModule, OrtSession, OrtTensor } from './types.js'
/**
 * Initialises inputs of an ONNX graph on the session's own device. This is for weights that were exported as graph inputs
 * instead of ONNX initializers. The names of the parameters are those of the inputs; their shapes and dtypes are checked
 * against the session. ONNX does not say what an input is for, so the caller has to give layouts and roles: the weight of a
 * Gemm with transB = 1 or of a Conv is 'out-in', that of a MatMul 'in-out'.
 *
 * @param ort the module, as `import * as ort from 'onnxruntime-web'`
 * @param session a session that was created with `executionProviders: ['webgpu']`
 * @param options as for `initializeModel`. With the default build `device` may be left out; with the builds '/webgpu' and
 *   '/jspi' it is the device of the session's options
 * @returns the feeds for `session.run({ ...feeds, x })`, and the weights, whose `destroy()` frees the buffers
 * @throws WeightInitError before any GPU work: what `initializeModel` throws, `INVALID_MODEL` for a name, shape or dtype that
 *   the session does not have, and what `toTensor` throws
 * @example
 * const { feeds } = await initializeInputs(ort, session, linear(784, 256), 'kaiming', {}, { seed: 42 })
 */
export function initializeInputs<M extends OrtModule, Device extends DeviceOption = GPUDevice>(
  ort: M,
  session: OrtSession,
  model: Model,
  initializer: Initializer | readonly InitializerRule[],
  ...rest: InstanceArguments<InitializeOptions<Device>>
): Promise<SessionInputs<M, Device>>
export function initializeInputs<
  M extends OrtModule,
  Given extends InitializerName | Initializer,
  Device extends DeviceOption = GPUDevice,
>(
  ort: M,
  session: OrtSession,
  model: Model,
  initializer: Given | readonly InitializerRule[],
  config?: ConfigOrOptions<Given, InitializeOptions<Device>>,
  options?: InitializeOptions<Device>,
): Promise<SessionInputs<M, Device>>
export async function initializeInputs<M extends OrtModule>(
  ort: M,
  session: OrtSession,
  model: Model,
  initializer: InitializerArgument,
  ...rest: LooseArguments
): Promise<{ readonly weights: InitializedModel; readonly feeds: Record<string, OrtTensor<M>> }> {
  const { config, options } = splitArguments(initializer, rest)
  refuseOptions(options)
  const asked = options.device ?? 'auto'
  const device = asked === 'auto' ? await sessionDevice(ort) : asked
  const resolved = resolveOptions({ ...options, device, bufferAlignment: ORT_BUFFER_ALIGNMENT })
  const plan = planResolved(model, initializer, config, resolved)
  checkPlan(plan, session, device)
  const weights = InitializedModel.of(plan, await materialize(plan, resolved))
  try {
    return { weights, feeds: toFeeds(ort, weights) }
  } catch (error) {
    weights.destroy()
    throw error
  }
}

/** The weights, and the feeds that use their memory: on the session's GPU, unless `device` is 'cpu'. */
export interface SessionInputs<M extends OrtModule, Device extends DeviceOption = GPUDevice> {
  readonly weights: InitializedModel<Device extends 'cpu' ? 'cpu' : 'webgpu'>
  readonly feeds: Record<string, OrtTensor<M>>
}

/** Refuses options whose result cannot be a graph input. */
function refuseOptions(options: InitializeOptions): void {
  const fixed = { buffers: 'separate', segments: false, bufferAlignment: ORT_BUFFER_ALIGNMENT } as const
  for (const [key, only] of Object.entries(fixed)) {
    const value = options?.[key as keyof typeof fixed]
    if (value === undefined || value === only) continue
    throw new WeightInitError(
      'INVALID_ARGUMENT',
      `initializeInputs: option ${key} can only be ${show(only)} with ONNX Runtime Web, but found ${show(value)}.`,
    )
  }
}

function checkPlan({ parameters }: InitializationPlan, session: OrtSession, device: GPUDevice | 'cpu'): void {
  const fail = refuse('INVALID_MODEL')
  const metadata = new Map(session.inputMetadata?.map((input) => [input.name, input]))
  for (const { name, shape, dtype, action, byteLength } of parameters) {
    if (action === 'skip') continue
    if (!session.inputNames.includes(name)) {
      fail(
        `Parameter ${show(name)} is not an input of the session. The inputs are ${session.inputNames.map(show).join(', ')}. ` +
          'Export the weights as graph inputs, and not as initializers.',
      )
    }
    checkOrtDType(name, dtype, device === 'cpu' ? 'cpu' : 'webgpu')
    if (device !== 'cpu') checkBindingSize(name, byteLength, device, 'ONNX Runtime Web')
    const input = metadata.get(name)
    if (input?.isTensor !== true) continue
    if (input.type !== undefined && input.type !== dtype) {
      fail(`Parameter ${show(name)} is ${dtype}, but the session's input is ${input.type}. Initialise with that dtype.`)
    }
    const expected = input.shape ?? []
    // A symbolic dimension is a string or -1. If the session does not know the shape, the list is empty.
    const fits =
      expected.length === 0 ||
      (expected.length === shape.length &&
        expected.every((length, axis) => typeof length !== 'number' || length < 0 || length === shape[axis]))
    if (!fits) fail(`Parameter ${show(name)} has shape ${show(shape)}, but the session's input has ${show(expected)}.`)
  }
}
