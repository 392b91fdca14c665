// What the page and its engine tell each other.
import type { Activation } from './models.ts'

export interface Place {
  readonly backend: 'webgpu' | 'cpu'
  /** The adapter's own name, or why there is none. */
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
  /** Times each initializer's own gain. */
  readonly gain: number
  readonly activation: Activation
}

/** Of one initializer: log10 of the mean square by layer, where the weights are, and what to think of it. */
export interface DepthCurves {
  readonly initializer: string
  readonly forward: readonly number[]
  readonly backward: readonly number[]
  readonly verdict: string
  readonly advice: readonly string[]
}
