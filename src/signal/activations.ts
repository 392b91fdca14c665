import { activationGain } from '../initializers/activation-gain.js'
import type { ActivationKind } from '../model/activations.js'
import { normalDensity, normalSf } from '../random/normal-cdf.js'

/** CPU reference of shaders/signal/activations.wgsl: f and its derivative in float64. PyTorch's functions, and derivatives at kinks. */
export interface Activation {
  readonly kind: ActivationKind
  /** Only of leakyRelu. */
  readonly negativeSlope: number
}

/** Everything about an activation but its layer (src/model/activations.ts) and its two cases in the shader. */
interface ActivationFacts {
  /** What shaders/signal/activations.wgsl calls it. A new activation takes the next number; no number ever changes. */
  readonly code: number
  /** The module or expression of PyTorch that computes the same. */
  readonly torch: string
  readonly value: (x: number, negativeSlope: number) => number
  readonly slope: (x: number, negativeSlope: number) => number
  /** Where f(c x) = c^degree f(x) for every c > 0: f is then known at any scale. */
  readonly degree?: 1 | 2
  /** Slopes left and right of 0 where f(0) = 0: what f is for tiny x. */
  readonly small?: (negativeSlope: number) => readonly [number, number]
  /** Slopes towards -infinity and infinity, unless f is bounded or of degree 2: what f is for huge x, relative to x. */
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

const facts: Readonly<Record<ActivationKind, ActivationFacts>> = {
  relu: {
    code: 0,
    torch: 'nn.ReLU()',
    degree: 1,
    value: (x) => Math.max(x, 0),
    slope: (x) => (x > 0 ? 1 : 0),
    small: () => [0, 1],
    large: () => [0, 1],
  },
  leakyRelu: {
    code: 1,
    torch: 'nn.LeakyReLU(negativeSlope)',
    degree: 1,
    value: (x, negative) => (x > 0 ? x : negative * x),
    slope: (x, negative) => (x > 0 ? 1 : negative),
    small: (negative) => [negative, 1],
    large: (negative) => [negative, 1],
  },
  gelu: {
    code: 2,
    torch: 'nn.GELU()',
    value: (x) => x * (1 - normalSf(x)),
    slope: (x) => 1 - normalSf(x) + x * normalDensity(x),
    small: () => [0.5, 0.5],
    large: () => [0, 1],
  },
  silu: {
    code: 3,
    torch: 'nn.SiLU()',
    value: (x) => x * sigmoid(x),
    slope: (x) => sigmoid(x) * (1 + x * sigmoid(-x)),
    small: () => [0.5, 0.5],
    large: () => [0, 1],
  },
  mish: {
    code: 4,
    torch: 'nn.Mish()',
    value: (x) => x * mishGate(x),
    slope: (x) => mishGate(x) + x * (1 - mishGate(x) ** 2) * sigmoid(x),
    small: () => [0.6, 0.6],
    large: () => [0, 1],
  },
  elu: {
    code: 5,
    torch: 'nn.ELU()',
    value: (x) => (x > 0 ? x : Math.expm1(x)),
    slope: (x) => (x > 0 ? 1 : exp(x)),
    small: () => [1, 1],
    large: () => [0, 1],
  },
  selu: {
    code: 6,
    torch: 'nn.SELU()',
    value: (x) => SELU_SCALE * (x > 0 ? x : SELU_ALPHA * Math.expm1(x)),
    slope: (x) => SELU_SCALE * (x > 0 ? 1 : SELU_ALPHA * exp(x)),
    small: () => [SELU_SCALE * SELU_ALPHA, SELU_SCALE],
    large: () => [0, SELU_SCALE],
  },
  softplus: {
    code: 7,
    torch: 'nn.Softplus()',
    value: (x) => Math.max(x, 0) + Math.log1p(exp(-Math.abs(x))),
    slope: sigmoid,
    large: () => [0, 1],
  },
  tanh: {
    code: 8,
    torch: 'nn.Tanh()',
    value: Math.tanh,
    slope: (x) => 4 / (exp(x) + exp(-x)) ** 2,
    small: () => [1, 1],
  },
  sigmoid: {
    code: 9,
    torch: 'nn.Sigmoid()',
    value: sigmoid,
    slope: (x) => sigmoid(x) * sigmoid(-x),
  },
  hardswish: {
    code: 10,
    torch: 'nn.Hardswish()',
    value: (x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6,
    slope: (x) => (x <= -3 ? 0 : x < 3 ? x / 3 + 0.5 : 1),
    small: () => [0.5, 0.5],
    large: () => [0, 1],
  },
  reluSquared: {
    code: 11,
    torch: 'torch.relu(x) ** 2',
    degree: 2,
    value: (x) => Math.max(x, 0) ** 2,
    slope: (x) => 2 * Math.max(x, 0),
  },
}

export const activationKinds: readonly ActivationKind[] = /* @__PURE__ */ Object.keys(facts) as ActivationKind[]

export const isActivation = (kind: string): kind is ActivationKind => Object.hasOwn(facts, kind)

/** The shader's number of an activation. */
export const activationCode = ({ kind }: Activation): number => facts[kind].code

/** What computes the same in PyTorch. */
export const torchActivation = ({ kind }: Activation): string => facts[kind].torch

/** d where f(c x) = c^d f(x) for every c > 0; undefined where there is none. */
export const activationDegree = ({ kind }: Pick<Activation, 'kind'>): 1 | 2 | undefined => facts[kind].degree

export const activationValue = ({ kind, negativeSlope }: Activation): ((x: number) => number) => {
  const { value } = facts[kind]
  return (x) => value(x, negativeSlope)
}

export const activationSlope = ({ kind, negativeSlope }: Activation): ((x: number) => number) => {
  const { slope } = facts[kind]
  return (x) => slope(x, negativeSlope)
}

/** An activation whose slope is at most this everywhere passes no signal back. */
export const DEAD_SLOPE = 1e-3

/** Beyond 2^-30 and 2^30 a smooth activation is its two slopes, to within float32's rounding. */
const REGIME = 30

/** What an activation is for a signal whose rms is 2^log2: itself, or two slopes when that is far from 1. */
export function slopesAt({ kind, negativeSlope }: Activation, log2: number): readonly [number, number] | undefined {
  const { small, large, degree } = facts[kind]
  // Piecewise linear: the slopes are exact at any scale.
  if (degree === 1) return small?.(negativeSlope)
  if (log2 < -REGIME) return small?.(negativeSlope)
  if (log2 > REGIME) return large?.(negativeSlope)
  return undefined
}

/** The gain that keeps the mean square of what comes before this activation: `activationGain` of it. */
export const centredGainOf = (activation: Activation): number => activationGain(activationValue(activation))
