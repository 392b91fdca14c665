import { activationGain } from '../initializers/activation-gain.js'
import { normalDensity, normalSf } from '../random/normal-cdf.js'

/** CPU reference of shaders/signal/activations.wgsl: f and its derivative in float64. PyTorch's functions, and derivatives at kinks. */
export interface Activation {
  /** Of `activationKinds`. */
  readonly kind: string
  /** Only of leakyRelu. */
  readonly negativeSlope: number
}

interface ActivationFacts {
  readonly value: (x: number, negativeSlope: number) => number
  readonly slope: (x: number, negativeSlope: number) => number
  /** Slopes left and right of 0 where f(0) = 0: what f is for tiny x. */
  readonly small?: (negativeSlope: number) => readonly [number, number]
  /** Slopes towards -infinity and infinity, unless f is bounded: what f is for huge x, relative to x. */
  readonly large?: (negativeSlope: number) => readonly [number, number]
}

export const SELU_SCALE = 1.0507009873554805
export const SELU_ALPHA = 1.6732632423543772

const { exp } = Math
const sigmoid = (x: number): number => 1 / (1 + exp(-x))
/** tanh(ln(1 + e^x)) */
const mishGate = (x: number): number => {
  const n = exp(Math.min(x, 30))
  return (n * n + 2 * n) / (n * n + 2 * n + 2)
}

/** In the order of the shader's switch. */
const facts: Readonly<Record<string, ActivationFacts>> = {
  relu: {
    value: (x) => Math.max(x, 0),
    slope: (x) => (x > 0 ? 1 : 0),
    small: () => [0, 1],
    large: () => [0, 1],
  },
  leakyRelu: {
    value: (x, negative) => (x > 0 ? x : negative * x),
    slope: (x, negative) => (x > 0 ? 1 : negative),
    small: (negative) => [negative, 1],
    large: (negative) => [negative, 1],
  },
  gelu: {
    value: (x) => x * (1 - normalSf(x)),
    slope: (x) => 1 - normalSf(x) + x * normalDensity(x),
    small: () => [0.5, 0.5],
    large: () => [0, 1],
  },
  silu: {
    value: (x) => x * sigmoid(x),
    slope: (x) => sigmoid(x) * (1 + x * sigmoid(-x)),
    small: () => [0.5, 0.5],
    large: () => [0, 1],
  },
  mish: {
    value: (x) => x * mishGate(x),
    slope: (x) => mishGate(x) + x * (1 - mishGate(x) ** 2) * sigmoid(x),
    small: () => [0.6, 0.6],
    large: () => [0, 1],
  },
  elu: {
    value: (x) => (x > 0 ? x : Math.expm1(x)),
    slope: (x) => (x > 0 ? 1 : exp(x)),
    small: () => [1, 1],
    large: () => [0, 1],
  },
  selu: {
    value: (x) => SELU_SCALE * (x > 0 ? x : SELU_ALPHA * Math.expm1(x)),
    slope: (x) => SELU_SCALE * (x > 0 ? 1 : SELU_ALPHA * exp(x)),
    small: () => [SELU_SCALE * SELU_ALPHA, SELU_SCALE],
    large: () => [0, SELU_SCALE],
  },
  softplus: {
    value: (x) => Math.max(x, 0) + Math.log1p(exp(-Math.abs(x))),
    slope: sigmoid,
    large: () => [0, 1],
  },
  tanh: {
    value: Math.tanh,
    slope: (x) => 4 / (exp(x) + exp(-x)) ** 2,
    small: () => [1, 1],
  },
  sigmoid: {
    value: sigmoid,
    slope: (x) => sigmoid(x) * sigmoid(-x),
  },
}

export const activationKinds: readonly string[] = /* @__PURE__ */ Object.keys(facts)

export const activationValue = ({ kind, negativeSlope }: Activation): ((x: number) => number) => {
  const { value } = facts[kind]!
  return (x) => value(x, negativeSlope)
}

export const activationSlope = ({ kind, negativeSlope }: Activation): ((x: number) => number) => {
  const { slope } = facts[kind]!
  return (x) => slope(x, negativeSlope)
}

/** An activation whose slope is at most this everywhere passes no signal back. */
export const DEAD_SLOPE = 1e-3

/** Beyond 2^-30 and 2^30 a smooth activation is its two slopes, to within float32's rounding. */
const REGIME = 30

/** What an activation is for a signal whose rms is 2^log2: itself, or two slopes when that is far from 1. */
export function slopesAt({ kind, negativeSlope }: Activation, log2: number): readonly [number, number] | undefined {
  const { small, large } = facts[kind]!
  // Piecewise linear: the slopes are exact at any scale.
  if (kind === 'relu' || kind === 'leakyRelu') return small!(negativeSlope)
  if (log2 < -REGIME) return small?.(negativeSlope)
  if (log2 > REGIME) return large?.(negativeSlope)
  return undefined
}

/** The gain that keeps the mean square of what comes before this activation: `activationGain` of it. */
export const centredGainOf = (activation: Activation): number => activationGain(activationValue(activation))
