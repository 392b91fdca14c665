/** Mean, variance and mean square of a layer's outputs, or of the gradient that reaches them; over batch and units. */
export interface SignalMoments {
  readonly mean: number
  /** Population variance. A number below 1e-308 is 0 here; its logarithm is not lost. */
  readonly variance: number
  readonly meanSquare: number
  /** log10 of the variance; -Infinity for a constant. Right also where float32 and float64 underflow or overflow. */
  readonly log10Variance: number
  readonly log10MeanSquare: number
  /** Elements that are NaN or infinite; the moments are over the others. */
  readonly nonFiniteCount: number
}

/** One layer of the model, in the order in which the signal passes. */
export interface SignalLayer {
  /** As in parameter names: '0', '2.body.1'; '' for a model that is one layer. */
  readonly name: string
  readonly kind: string
  /** Of its output, for one example. */
  readonly shape: readonly number[]
  /** Whether the trends look at it: weight layers and residual sums outside other residual blocks. */
  readonly measured: boolean
  /**
   * Of measured layers: whether the mean square of activations here is within the healthy factor of where the forward trend
   * begins, and that of gradients of where the backward one does; activations come first.
   */
  readonly verdict?: SignalVerdict
  readonly activations: SignalMoments
  /** Of d<cotangent, network(x)> / d(this layer's output). */
  readonly gradients: SignalMoments
  /**
   * Share of units (features, or channels of a convolution) that are dead: for no example and place of the batch is the
   * output other than 0, or, in an activation, the slope of more than 1e-3. A saturated tanh counts.
   */
  readonly deadUnitShare: number
}

export type SignalVerdict = 'healthy' | 'vanishing' | 'exploding'

/** How the signal's mean square changes from one end of the network to the other. */
export interface SignalTrend {
  /** The layers compared, in the direction of travel; 'input' for the network's input. */
  readonly from: string
  readonly to: string
  /** Mean square at `to` over mean square at `from`; NaN where a layer has elements that are not finite, which is 'exploding'. */
  readonly ratio: number
  readonly log10Ratio: number
  /** The ratio's geometric mean over the steps between them. */
  readonly perStep: number
  readonly steps: number
  readonly verdict: SignalVerdict
}

/** What the weights that an activation feeds do to the signal, and what would centre it. */
export interface SignalGain {
  /** 'relu', 'tanh', ...; 'linear' where nothing, or a normalisation, comes before. */
  readonly activation: string
  /** How many weight layers it is about. */
  readonly layerCount: number
  /** rms of a layer's output over rms of its input, geometric mean: std * sqrt(fan_in) of the weights, as measured. */
  readonly gain: number
  /** 1 / sqrt(E[f(z)^2]), z ~ N(0, 1): keeps the mean square of pre-activations. `activationGain`. */
  readonly centredGain: number
  /** Multiply the std of the weights, or the gain of their initializer, by this: centredGain / gain. */
  readonly factor: number
  /**
   * The same for gradients: 1 / rms of how they change from the output of such a layer to that of the weight layer before
   * its activation. For relu it is about `factor`; where f saturates a first step, as f's slopes depend on the signal.
   * NaN where no weight layer comes before.
   */
  readonly gradientFactor: number
}

export interface SignalReport {
  readonly backend: 'webgpu' | 'cpu'
  readonly batch: number
  readonly seed: number | bigint
  readonly inputShape: readonly number[]
  /** 'vanishing' or 'exploding' where either direction is: forward's first. */
  readonly verdict: SignalVerdict
  /** Activations from the first weight layer's output to the last one's. */
  readonly forward: SignalTrend
  /** Gradients from the last weight layer's output to the first one's. */
  readonly backward: SignalTrend
  /** A trend is healthy when its ratio is within [1 / healthyFactor, healthyFactor]. */
  readonly healthyFactor: number
  readonly layers: readonly SignalLayer[]
  readonly gains: readonly SignalGain[]
  /** Sentences for people: what is wrong and which gain would mend it. Empty when nothing is. */
  readonly advice: readonly string[]
}

export interface SignalOptions {
  /** Examples, N(0, 1) each. Default 64. */
  readonly batch?: number
  /** Of the input and the cotangent, any integer. Default 0. */
  readonly seed?: number | bigint
  /** Shape of one example: [features], [channels, height, width], [tokens, features]. Needed where the first layer does not tell. */
  readonly inputShape?: readonly number[]
  /** How far a ratio of mean squares may be from 1, either way, in a healthy network. Default 1000. */
  readonly healthyFactor?: number
  readonly signal?: AbortSignal
}
