import type { ParameterSpec } from '../../ir/parameter.js'

/** What a weight is. If `keeps` is true, the weight keeps its value unless a rule names it. */
export type WeightDescription = Pick<ParameterSpec, 'role' | 'layout' | 'fan'> & { readonly keeps?: boolean }

const product = (lengths: readonly number[]): number => lengths.reduce((a, b) => a * b, 1)

const gates: Readonly<Record<string, number>> = { LSTMCell: 4, ConvLSTM2DCell: 4, GRUCell: 3 }

/**
 * What a weight is, from its layer's class and its own name. The layouts are those of Keras, from the documentation of
 * tf.layers and the shapes that its layers build.
 */
export function weightOf(
  className: string,
  weight: string,
  shape: readonly number[],
  layer: object,
): WeightDescription {
  switch (weight) {
    case 'bias':
      // The forget gate of an LSTM starts open, with a bias of 1, which must not become 0.
      return {
        role: 'bias',
        ...((layer as { unitForgetBias?: unknown }).unitForgetBias === true ? { keeps: true } : {}),
      }
    case 'gamma':
      return { role: 'norm-scale' }
    case 'beta':
      return { role: 'norm-bias' }
    case 'moving_mean':
    case 'moving_variance':
      return { role: 'buffer' }
    case 'embeddings':
      return { role: 'embedding', layout: 'in-out' }
    case 'depthwise_kernel': {
      // The shape is [...kernel, in, multiplier]: each input channel has filters of its own.
      const field = product(shape.slice(0, -2))
      return { role: 'weight', layout: 'in-out', fan: { in: field, out: field * shape.at(-1)! } }
    }
    case 'kernel':
      if (/^Conv\dDTranspose$/.test(className)) {
        // The shape is [...kernel, out, in].
        const field = product(shape.slice(0, -2))
        return { role: 'weight', layout: 'in-out', fan: { in: field * shape.at(-1)!, out: field * shape.at(-2)! } }
      }
      return { role: 'weight', layout: 'in-out', ...gateFan(className, shape) }
    case 'recurrent_kernel':
      return { role: 'weight', layout: 'in-out', ...gateFan(className, shape) }
    case 'alpha':
      if (className === 'PReLU') return { role: 'bias' }
  }
  return shape.length >= 2 ? { role: 'weight', layout: 'in-out' } : { role: 'buffer', keeps: true }
}

/**
 * The fans of one gate; the gates are next to each other along the last axis. This uses fans instead of `blocks`, because an
 * orthogonal recurrent kernel is one matrix over all gates, as in Keras.
 */
function gateFan(className: string, shape: readonly number[]): Pick<ParameterSpec, 'fan'> {
  const count = gates[className]
  if (count === undefined) return {}
  const field = product(shape.slice(0, -2))
  return { fan: { in: field * shape.at(-2)!, out: (field * shape.at(-1)!) / count } }
}
