import { refuse, refuseUnknownKeys, show, WeightInitError } from '../core/errors.js'
import type { InitializerRule } from '../initializers/rules.js'
import type { Model, ParameterSpec } from '../ir/parameter.js'
import { defineModel } from '../model/define.js'
import { validateModel } from '../model/validate.js'
import { resolveSignalOptions, signalOptionKeys } from '../signal/options.js'
import type { SignalOptions } from '../signal/types.js'
import { readLayers } from './model-json-layers.js'
import { factsOf } from './module-facts.js'

/** A model, and the rules that came with it. */
export interface ModelJson {
  readonly model: Model
  readonly rules?: readonly InitializerRule[]
  /** How `propagateSignal` is to measure the model; only with layers. */
  readonly signal?: SignalOptions
}

const fail = /* @__PURE__ */ refuse('INVALID_FILE', 'Model JSON: ')

/**
 * Reads a model from JSON, parsed or as text:
 * - `{ "layers": [...], "rules": [...], "signal": {...} }`: layers one after the other, as `sequential` takes them
 * - a layer is what its function is called with: `["linear", 784, 256]`, `["conv2d", 3, 64, 3, { "padding": 1 }]`, `"relu"`,
 *   `["residual", [body ...], [shortcut ...]]`; an object in place of a list names the layers
 * - signal are options of `propagateSignal`: `{ "inputShape": [3, 32, 32], "batch", "seed", "healthyFactor" }`
 * - `{ "parameters": [...], "rules": [...] }`, or the list of parameters alone; `modelToJson` writes it
 * - a parameter is a ParameterSpec, `{ "name", "shape", ... }`, or `[name, shape]`, or either with the PyTorch class of its
 *   module, from which role and layout follow: `[name, shape, "ConvTranspose2d"]`, `{ "name", "shape", "module" }`
 * - rules are `{ "match": glob or { "role" }, "initializer", "config"?, "source"? }`
 *
 * In Python: `json.dumps([(n, list(p.shape)) for n, p in model.named_parameters()])`.
 *
 * @throws WeightInitError `INVALID_FILE`, or the code of the fault of a parameter, layer or option, naming it and the value
 */
export function readModelJson(json: unknown): ModelJson {
  const value = typeof json === 'string' ? parse(json) : json
  const table = Array.isArray(value) ? { parameters: value } : value
  if (typeof table !== 'object' || table === null) {
    return fail(
      `it must be { layers: [...] }, { parameters: [...] } or a list of parameters, but found ${show(value)}.`,
    )
  }
  const keys = ['layers', 'signal', 'parameters', 'rules', 'format', 'version', '_meta']
  refuseUnknownKeys(table, keys, 'model JSON', 'INVALID_FILE')
  const { layers, signal, parameters, rules, format, version } = table as Record<string, unknown>
  if ((format ?? FORMAT) !== FORMAT || (version ?? 1) !== 1) {
    fail(`format ${show(format)} version ${show(version)} is not ${show(FORMAT)} version 1, which this release reads.`)
  }
  if (rules !== undefined && !Array.isArray(rules)) fail(`rules must be a list, but found ${show(rules)}.`)
  const own = rules === undefined ? {} : { rules: rules as InitializerRule[] }
  if (layers !== undefined) {
    if (parameters !== undefined) fail('layers and parameters exclude each other; layers have their parameters.')
    const model = readLayers(layers)
    validateModel(model)
    return { model, ...own, ...(signal === undefined ? {} : { signal: readSignal(signal) }) }
  }
  if (signal !== undefined) fail('signal is about layers, and there are none; describe the model with layers.')
  if (!Array.isArray(parameters)) return fail(`parameters must be a list, but found ${show(parameters)}.`)
  return { model: defineModel({ parameters: Array.from(parameters as unknown[], readParameter) }), ...own }
}

function readSignal(value: unknown): SignalOptions {
  const keys = signalOptionKeys.filter((key) => key !== 'signal')
  refuseUnknownKeys(value, keys, 'model JSON: signal', 'INVALID_FILE')
  resolveSignalOptions(value as SignalOptions)
  return value as SignalOptions
}

const FORMAT = 'webgpu-init-model'

/** The JSON of a model's parameters, and of rules that are data: what `readModelJson` reads. Layers are not written. */
export function modelToJson(model: Model, rules?: readonly InitializerRule[]): Record<string, unknown> {
  return { format: FORMAT, version: 1, parameters: model.parameters, ...(rules === undefined ? {} : { rules }) }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new WeightInitError('INVALID_FILE', `Model JSON: not valid JSON: ${(cause as Error).message}.`, { cause })
  }
}

function readParameter(entry: unknown, index: number): ParameterSpec {
  const listed = Array.isArray(entry)
  if (listed && entry.length !== 2 && entry.length !== 3) {
    fail(`parameter ${index} must be [name, shape] or [name, shape, module], but found ${show(entry)}.`)
  }
  if (!listed && (typeof entry !== 'object' || entry === null)) {
    fail(`parameter ${index} must be an object or a list, but found ${show(entry)}.`)
  }
  const { module, ...spec } = (
    listed ? { name: entry[0], shape: entry[1], ...(entry[2] === undefined ? {} : { module: entry[2] }) } : entry
  ) as Record<string, unknown>
  if (module === undefined) return spec as unknown as ParameterSpec
  if (typeof module !== 'string') fail(`parameter ${index}: module must be a class name, but found ${show(module)}.`)
  return {
    ...factsOf(module as string, typeof spec.name === 'string' ? spec.name : ''),
    ...spec,
    module,
  } as unknown as ParameterSpec
}
