import { dtypes } from '../../core/dtype.js'
import { refuse, show, WeightInitError } from '../../core/errors.js'
import type { Model, ParameterSpec } from '../../ir/parameter.js'
import { weightOf } from './layer-weights.js'
import type { LayersModelLike, LayerVariableLike } from './types.js'

/** One weight of a LayersModel: its variable, its description, and whether it keeps its value unless a rule names it. */
export interface LayerWeight {
  readonly variable: LayerVariableLike
  readonly spec: ParameterSpec
  readonly keeps: boolean
}

/** The used parts of a layer. */
interface LayerLike {
  readonly name: string
  readonly weights: readonly LayerVariableLike[]
  getClassName(): string
}

/**
 * Reads the parameters of a built `tf.LayersModel`, in the order of `model.weights`, as a model for `planModel`.
 *
 * - Names are `layer/weight`, as in Keras: `dense/kernel`, `dense_1/bias`, `bidirectional/forward/recurrent_kernel`. A layer
 *   without a name of its own is named by its class and its number in this model. TensorFlow.js counts all layers of the
 *   page instead; the number in the model is independent of other models, so a seed always gives the same weights.
 * - The layout is in-out: dense [in, out], convolutions [...kernel, in, out], embeddings [count, dimension]. Fans are the
 *   true fans of the layer, also for depthwise and transposed kernels; those of an LSTM or a GRU are the fans of one gate.
 *   An orthogonal recurrent kernel is one matrix over all gates, as in Keras.
 * - Roles: kernels are weights, `embeddings` an embedding, `gamma` a norm-scale, `beta` a norm-bias, the moving statistics
 *   buffers, `bias` and a PReLU's `alpha` biases.
 *
 * @throws WeightInitError `INVALID_MODEL` if it is not a LayersModel or not built; `UNSUPPORTED_DTYPE`
 * @example
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 256, inputShape: [784] })] })
 * const plan = planModel(readLayersModel(model), 'kaiming')
 */
export function readLayersModel(model: LayersModelLike): Model {
  return { parameters: layerWeights(model).map(({ spec }) => spec) }
}

/** Like `readLayersModel`, but together with the variables. */
export function layerWeights(model: LayersModelLike): LayerWeight[] {
  const fail = refuse('INVALID_MODEL')
  if (
    !Array.isArray(model?.layers) ||
    typeof model.getWeights !== 'function' ||
    typeof model.setWeights !== 'function'
  ) {
    fail(`A tf.LayersModel (tf.sequential, tf.model, tf.loadLayersModel) is needed, but found ${typeof model}.`)
  }
  const found = new Map<number, LayerWeight>()
  walk(model as unknown as LayerLike, [], found)
  const variables = readWeights(model, fail)
  if (variables.length === 0) {
    fail('The model has no weights yet. Give its first layer an inputShape, or call model.build([null, ...]) first.')
  }
  return variables.map(
    (variable) =>
      found.get(variable.id) ?? fail(`The layer of weight ${show(variable.originalName)} is not among the model's.`),
  )
}

function readWeights(model: LayersModelLike, fail: (message: string) => never): readonly LayerVariableLike[] {
  try {
    return model.weights
  } catch (cause) {
    return fail(
      `The model's weights cannot be read: ${(cause as Error).message} Build it first: model.build([null, ...]).`,
    )
  }
}

function walk(layer: LayerLike, path: readonly string[], found: Map<number, LayerWeight>): void {
  for (const [name, child] of sublayers(layer)) walk(child, name === '' ? path : [...path, name], found)
  // A weight that belongs to no sublayer belongs to the layer itself.
  for (const variable of isContainer(layer) ? [] : layer.weights) {
    if (found.has(variable.id)) continue
    const weight = variable.originalName.split('/').at(-1)!
    const name = [...path, weight].join('/')
    const shape = variable.shape.map(Number)
    const dtype = dtypes.find((known) => known === variable.dtype)
    if (dtype === undefined) {
      throw new WeightInitError('UNSUPPORTED_DTYPE', `Weight ${show(name)} has dtype ${show(variable.dtype)}.`)
    }
    const { keeps = false, ...rest } = weightOf(layer.getClassName(), weight, shape, layer)
    found.set(variable.id, { variable, spec: { name, shape, dtype, ...rest }, keeps })
  }
}

const isLayer = (value: unknown): value is LayerLike =>
  typeof (value as LayerLike | null)?.getClassName === 'function' && 'weights' in (value as object)

const isContainer = (layer: LayerLike): layer is LayerLike & { layers: readonly LayerLike[] } =>
  Array.isArray((layer as { layers?: unknown }).layers)

/**
 * The layers inside a layer, each with its step of the path. In a model this is the layer's name, for stacked cells their
 * number, and otherwise the property that holds the layer. The layer in a wrapper and the cell of a recurrent layer have an
 * empty step.
 */
function sublayers(layer: LayerLike): [string, LayerLike][] {
  if (isContainer(layer)) {
    const names = layerNames(layer.layers)
    return layer.layers.map((child, index) => [names[index]!, child])
  }
  return Object.entries(layer).flatMap(([key, value]): [string, LayerLike][] => {
    if (Array.isArray(value) && value.length > 0 && value.every(isLayer)) {
      return value.map((child, index) => [String(index), child])
    }
    if (!isLayer(value)) return []
    return [[key === 'layer' || key === 'cell' ? '' : key.replace(/^_/, '').replace(/Layer$/, ''), value]]
  })
}

/** The layer's own name, or its class and number in this model, as Keras would count in a new session: dense, dense_1. */
function layerNames(layers: readonly LayerLike[]): string[] {
  const generated = layers.map((layer) => {
    const match = new RegExp(`^([a-z0-9_]+)_${layer.getClassName()}\\d+$`).exec(layer.name)
    return match?.[1]
  })
  const taken = new Set(layers.filter((_, index) => generated[index] === undefined).map(({ name }) => name))
  const counts = new Map<string, number>()
  return layers.map(({ name }, index) => {
    const base = generated[index]
    if (base === undefined) return name
    for (;;) {
      const count = counts.get(base) ?? 0
      counts.set(base, count + 1)
      const candidate = count === 0 ? base : `${base}_${count}`
      if (!taken.has(candidate)) return candidate
    }
  })
}
