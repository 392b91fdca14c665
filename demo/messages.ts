// The messages between the page and its engine.
import type { Activation } from './models.ts'

export interface Place {
  readonly backend: 'webgpu' | 'cpu'
  /** The adapter's own name, or the reason why there is none. */
  readonly text: string
}

export interface Run {
  readonly place: Place
  readonly milliseconds: number
  readonly elementCount: number
  readonly byteLength: number
}

/** The network of the depth plot, as data. */
export interface DepthRequest {
  readonly layers: number
  readonly width: number
  /** A factor for each initializer's own gain. */
  readonly gain: number
  readonly activation: Activation
}

/** For one initializer: log10 of the mean square by layer, the place of the weights, the verdict and the advice. */
export interface DepthCurves {
  readonly initializer: string
  readonly forward: readonly number[]
  readonly backward: readonly number[]
  readonly verdict: string
  readonly advice: readonly string[]
}
