/** Mean, variance and mean square of a layer's outputs, or of the gradients at its outputs, over the batch and all units. */
export interface SignalMoments {
  readonly mean: number
  /** Population variance. Values below 1e-308 are 0 here; use `log10Variance` for them. */
  readonly variance: number
  readonly meanSquare: number
  /** log10 of the variance; -Infinity for a constant. It is correct even where float32 and float64 underflow or overflow. */
  readonly log10Variance: number
  readonly log10MeanSquare: number
  /** The number of elements that are NaN or infinite. The moments are over the others. */
  readonly nonFiniteCount: number
}

/** One layer of the model. Layers are listed in the order of the forward pass. */
export interface SignalLayer {
  /** The name as in parameter names: '0', '2.body.1'; '' for a model that is a single layer. */
  readonly name: string
  readonly kind: string
  /** The shape of its output for one example. */
  readonly shape: readonly number[]
  /** Whether the trends use this layer: weight layers and residual sums outside of other residual blocks are measured. */
  readonly measured: boolean
  /**
   * Only for measured layers. 'healthy' if the mean square of the activations is within `healthyFactor` of that at the start
   * of the forward trend, and the mean square of the gradients within that of the backward trend. If both are unhealthy, it
   * is the verdict for the activations.
   */
  readonly verdict?: SignalVerdict
  readonly activations: SignalMoments
  /** Moments of d<cotangent, network(x)> / d(output of this layer). */
  readonly gradients: SignalMoments
  /**
   * The share of dead units (features, or channels of a convolution), in [0, 1]. A unit is dead if its output is 0 for every
   * example and position of the batch, or, in an activation, if the slope there is at most 1e-3. A saturated tanh is dead.
   */
  readonly deadUnitShare: number
}

export type SignalVerdict = 'healthy' | 'vanishing' | 'exploding'

/** How the signal's mean square changes from one end of the network to the other. */
export interface SignalTrend {
  /** The names of the first and the last layer compared, in the direction of travel; 'input' is the network's input. */
  readonly from: string
  readonly to: string
  /** Mean square at `to` / mean square at `from`. NaN, with the verdict 'exploding', if a layer has non-finite elements. */
  readonly ratio: number
  readonly log10Ratio: number
  /** The factor per step: the geometric mean of the ratio over the `steps` between the two layers. */
  readonly perStep: number
  readonly steps: number
  readonly verdict: SignalVerdict
}

/** The gain of the weight layers that follow a kind of activation, and the gain that would keep the signal's strength. */
export interface SignalGain {
  /** 'relu', 'tanh', ...; 'linear' if no activation, or a normalisation, comes before. */
  readonly activation: string
  /** The number of weight layers in this group. */
  readonly layerCount: number
  /** Geometric mean of rms(output) / rms(input) of the layers. It measures std * sqrt(fan_in) of the weights. */
  readonly gain: number
  /** 1 / sqrt(E[f(z)^2]) for z ~ N(0, 1), as in `activationGain`: this gain keeps the mean square of pre-activations. */
  readonly centredGain: number
  /** centredGain / gain: multiply the std of the weights, or the gain of their initializer, by this number. */
  readonly factor: number
  /**
   * The same factor for gradients: the inverse of the geometric mean of rms(gradient at the output of the previous weight
   * layer) / rms(gradient at the output of this one). For relu it is about `factor`. Where f saturates, it is only a first
   * step, because the slopes of f depend on the signal. NaN if no weight layer comes before.
   */
  readonly gradientFactor: number
}

export interface SignalReport {
  readonly backend: 'webgpu' | 'cpu'
  readonly batch: number
  readonly seed: number | bigint
  readonly inputShape: readonly number[]
  /** 'vanishing' or 'exploding' if either direction is. If both are, it is the verdict of the forward direction. */
  readonly verdict: SignalVerdict
  /** Activations, from the output of the first weight layer to that of the last. */
  readonly forward: SignalTrend
  /** Gradients, from the output of the last weight layer to that of the first. */
  readonly backward: SignalTrend
  /** A trend is healthy when its ratio is within [1 / healthyFactor, healthyFactor]. */
  readonly healthyFactor: number
  readonly layers: readonly SignalLayer[]
  readonly gains: readonly SignalGain[]
  /** Sentences that say what is wrong and which gain would correct it. Empty if nothing is wrong. */
  readonly advice: readonly string[]
}

export interface SignalOptions {
  /** The number of examples, which are drawn from N(0, 1). A positive integer, 64 by default. */
  readonly batch?: number
  /** The seed of the input and the cotangent: any integer, 0 by default. */
  readonly seed?: number | bigint
  /**
   * Shape of one example, such as [features], [channels, height, width] or [tokens, features]. It is required if the first
   * layer does not determine it.
   */
  readonly inputShape?: readonly number[]
  /** In a healthy network, ratios of mean squares lie in [1 / healthyFactor, healthyFactor]. Must be > 1; 1000 by default. */
  readonly healthyFactor?: number
  readonly signal?: AbortSignal
}
