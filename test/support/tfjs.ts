// TensorFlow.js beside WebGPU, for Node and the page alike: what a user would write.
import type * as Tfjs from '@tensorflow/tfjs-core'
import type * as TfjsLayers from '@tensorflow/tfjs-layers'
import type * as Interop from '../../src/interop/tfjs.js'

export interface Libraries {
  readonly tf: typeof Tfjs
  readonly tfl: typeof TfjsLayers
  readonly interop: typeof Interop
}

export interface Training {
  readonly device: boolean
  /** Bytes of every weight as TensorFlow.js reads them back, beside what was made. */
  readonly weights: readonly {
    readonly name: string
    readonly shape: readonly number[]
    readonly ours: number[]
    readonly theirs: number[]
  }[]
  readonly losses: readonly number[]
  readonly tensorsLeft: number
  readonly okAfterTraining: boolean
  readonly kernelMoved: boolean
}

/** A dense network for y = x0 - 2 x1, initialised on TensorFlow.js's device, then trained by TensorFlow.js. */
export async function trainDense({ tf, tfl, interop }: Libraries, seed: number): Promise<Training> {
  const model = tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 16, inputShape: [2], activation: 'relu', kernelInitializer: 'zeros' }),
      tfl.layers.dense({ units: 1, kernelInitializer: 'zeros' }),
    ],
  })
  const before = tf.memory().numTensors
  const weights = await interop.initializeLayersModel(tf, model, 'kaiming', { nonlinearity: 'relu' }, { seed })
  const tensorsLeft = tf.memory().numTensors - before
  const read = [...weights.parameters.values()].map(async ({ name, shape }, index) => ({
    name,
    shape,
    ours: [...(await weights.read(name))],
    theirs: [...(await model.getWeights()[index]!.data())],
  }))
  const measured = await Promise.all(read)
  model.compile({ optimizer: tf.train.sgd(0.05), loss: 'meanSquaredError' })
  const points = Array.from({ length: 64 }, (_, i) => [Math.sin(i), Math.cos(3 * i)] as const)
  const x = tf.tensor2d(points.map(([a, b]) => [a, b]))
  const y = tf.tensor2d(points.map(([a, b]) => [a - 2 * b]))
  const { history } = await model.fit(x, y, { epochs: 6, batchSize: 64, shuffle: false, verbose: 0 })
  const trained = [...(await model.getWeights()[0]!.data())]
  // What we made is as we made it: TensorFlow.js trains in buffers of its own.
  const { ok } = await weights.verify()
  model.dispose()
  tf.dispose([x, y])
  weights.destroy()
  return {
    device: weights.device === (tf.backend() as { device?: GPUDevice }).device && weights.backend === 'webgpu',
    weights: measured,
    losses: history.loss as number[],
    tensorsLeft,
    okAfterTraining: ok,
    kernelMoved: trained.some((value, i) => value !== measured[0]!.ours[i]),
  }
}
