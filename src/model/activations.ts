import type { Model } from '../ir/parameter.js'
import {
  elu,
  gelu,
  hardswish,
  leakyRelu,
  mish,
  relu,
  reluSquared,
  selu,
  sigmoid,
  silu,
  softplus,
  tanh,
} from './layers.js'

/** The activations that `propagateSignal` knows. src/signal/activations.ts has a record of each. */
export type ActivationKind =
  | 'relu'
  | 'leakyRelu'
  | 'gelu'
  | 'silu'
  | 'mish'
  | 'elu'
  | 'selu'
  | 'softplus'
  | 'tanh'
  | 'sigmoid'
  | 'hardswish'
  | 'reluSquared'

/** The layer of each. A function, so that a bundle without it drops the layers. */
export const activationLayers = (): Readonly<Record<ActivationKind, () => Model>> => ({
  relu,
  leakyRelu,
  gelu,
  silu,
  mish,
  elu,
  selu,
  softplus,
  tanh,
  sigmoid,
  hardswish,
  reluSquared,
})
