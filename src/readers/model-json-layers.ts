import { show, WeightInitError } from '../core/errors.js'
import type { Model } from '../ir/parameter.js'
import { activationLayers } from '../model/activations.js'
import * as layers from '../model/layers.js'
import { residual } from '../model/residual.js'
import { sequential } from '../model/sequential.js'

type Build = (...args: never[]) => Model

const convolution = 'inChannels, outChannels, kernel, options?'
const recurrent = 'inputSize, hiddenSize, options?'

/** Layers by name: what the function of that name takes, and the function. Made on demand: a bundle may drop it. */
const builders = (): Readonly<Record<string, readonly [takes: string, build: Build]>> => ({
  linear: ['inFeatures, outFeatures, options?', layers.linear],
  conv1d: [convolution, layers.conv1d],
  conv2d: [convolution, layers.conv2d],
  conv3d: [convolution, layers.conv3d],
  convTranspose1d: [convolution, layers.convTranspose1d],
  convTranspose2d: [convolution, layers.convTranspose2d],
  convTranspose3d: [convolution, layers.convTranspose3d],
  embedding: ['count, dimension, options?', layers.embedding],
  lstm: [recurrent, layers.lstm],
  gru: [recurrent, layers.gru],
  rnn: [recurrent, layers.rnn],
  layerNorm: ['normalizedShape, options?', layers.layerNorm],
  batchNorm: ['features, options?', layers.batchNorm],
  ...Object.fromEntries(
    Object.entries({
      ...activationLayers(),
      softmax: layers.softmax,
      dropout: layers.dropout,
      flatten: layers.flatten,
      identity: layers.identityLayer,
    }).map(([name, build]) => [name, ['', build] as const]),
  ),
  leakyRelu: ['negativeSlope?', layers.leakyRelu],
})

const fail = (where: string, message: string): never => {
  throw new WeightInitError('INVALID_FILE', `Model JSON: ${where} ${message}`)
}

/**
 * Layers one after the other, as `sequential` takes them, from JSON. A layer is what its function is called with:
 * `["linear", 784, 256]`, `["conv2d", 3, 64, 3, { "padding": 1 }]`, `["relu"]` or `"relu"`; `["residual", body, shortcut?]`
 * and `["sequential", layers]` hold lists of layers. An object in place of a list gives the layers names, in its order.
 *
 * @param where for messages: the key, such as 'layers'
 * @throws WeightInitError `INVALID_FILE`, or the layer function's own code, naming the layer's place and the value
 */
export function readLayers(json: unknown, where = 'layers'): Model {
  const known = builders()
  const names = [...Object.keys(known), 'residual', 'sequential']

  function sequence(value: unknown, place: string): Model {
    if (typeof value !== 'object' || value === null) {
      return fail(place, `must be a list of layers such as [["linear", 784, 256], "relu"], but found ${show(value)}.`)
    }
    const entries: readonly (readonly [name: string, entry: unknown, place: string])[] = Array.isArray(value)
      ? value.map((entry: unknown, index) => [String(index), entry, `${place}[${index}]`])
      : Object.entries(value).map(([name, entry]) => [name, entry, `${place}[${show(name)}]`])
    if (entries.length === 0) fail(place, 'is empty; give it a layer such as ["linear", 784, 256].')
    return sequential(Object.fromEntries(entries.map(([name, entry, at]) => [name, one(entry, at)])))
  }

  function one(entry: unknown, place: string): Model {
    const [name, ...args] = (Array.isArray(entry) ? entry : [entry]) as [unknown, ...unknown[]]
    if (typeof name !== 'string') {
      return fail(place, `must be a layer such as ["linear", 784, 256] or "relu", but found ${show(entry)}.`)
    }
    if (name === 'residual' || name === 'sequential') {
      const most = name === 'residual' ? 2 : 1
      if (args.length < 1 || args.length > most) {
        const form =
          name === 'residual'
            ? '["residual", [body ...]] or ["residual", [body ...], [shortcut ...]]'
            : '["sequential", [layers ...]]'
        fail(place, `must be ${form}, each a list of layers, but found ${show(entry)}.`)
      }
      const [body, shortcut] = args.map((list, index) =>
        sequence(list, `${place}.${name === 'sequential' ? 'layers' : index === 0 ? 'body' : 'shortcut'}`),
      )
      return name === 'sequential' ? body! : residual(body!, shortcut)
    }
    if (!Object.hasOwn(known, name))
      return fail(place, `names an unknown layer ${show(name)}; known: ${names.join(', ')}.`)
    const [takes, build] = known[name]!
    const parameters = takes === '' ? [] : takes.split(', ')
    const required = parameters.filter((parameter) => !parameter.endsWith('?')).length
    if (args.length < required || args.length > parameters.length) {
      fail(
        place,
        `is ${show(entry)}, but ${name} takes (${takes}): write ${required === 0 ? `"${name}"` : `["${name}", ${takes.replace(', options?', '')}]`}.`,
      )
    }
    try {
      return build(...(args as never[]))
    } catch (error) {
      if (!(error instanceof WeightInitError)) throw error
      throw new WeightInitError(error.code, `Model JSON: ${place}: ${error.message}`, { cause: error })
    }
  }

  return sequence(json, where)
}
