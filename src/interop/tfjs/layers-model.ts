import { dtypes } from '../../core/dtype.js'
import { refuse, show, WeightInitError } from '../../core/errors.js'
import type { Model, ParameterSpec } from '../../ir/parameter.js'
import { weightOf } from './layer-weights.js'
import type { LayersModelLike, LayerVariableLike } from './types.js'

/** One weight of a LayersModel: its variable, what it is, and whether it keeps its value unless a rule names it. */
export interface LayerWeight {
  readonly variable: LayerVariableLike
  readonly spec: ParameterSpec
  readonly keeps: boolean
}

/** What is used of a layer. */
interface LayerLike {
  readonly name: string
  readonly weights: readonly LayerVariableLike[]
  getClassName(): string
}

/**
 * The parameters of a built `tf.LayersModel`, in the order of `model.weights`: what `planModel` takes.
 *
 * - Names are `layer/weight`, as in Keras: `dense/kernel`, `dense_1/bias`, `bidirectional/forward/recurrent_kernel`. A layer
 *   without a name of its own is called by its class and its number among those in this model, whatever models the page has
 *   made before (TensorFlow.js counts per page), so that a seed gives the same weights every time.
 * - Layout in-out: dense [in, out], convolutions [...kernel, in, out], embeddings [count, dimension]. Fans are the layer's
 *   true ones, of depthwise and transposed kernels too; those of an LSTM or a GRU are one gate's. An orthogonal recurrent
 *   kernel is one matrix over all gates, as in Keras.
 * - Roles: kernels are weights, `embeddings` an embedding, `gamma` a norm-scale, `beta` a norm-bias, the moving statistics
 *   buffers, `bias` and a PReLU's `alpha` biases.
 *
 * @throws WeightInitError `INVALID_MODEL` for something else than a LayersModel, and for one that is not built;
 *   `UNSUPPORTED_DTYPE`
 */
export function readLayersModel(model: LayersModelLike): Model {
  return { parameters: layerWeights(model).map(({ spec }) => spec) }
}

/** As `readLayersModel`, with the variables. */
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
  // What no sublayer has is the layer's own.
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
 * The layers inside a layer, with their step of the path: those of a model by name, the cells of stacked cells by number,
 * a wrapper's one layer and a recurrent layer's cell without one, any other by the property that holds it.
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

/** A layer's own name; or its class and number in this model, as Keras counts in a fresh session: dense, dense_1. */
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
