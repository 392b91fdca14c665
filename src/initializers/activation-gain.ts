import { show, WeightInitError } from '../core/errors.js'
import { expMinus, normalDensity, normalSf } from '../random/normal-cdf.js'

/** Activations by name, in float64 built on + - * / alone where it can be: the same gain on every JavaScript engine. */
const exp = (x: number): number => (x > 0 ? 1 / expMinus(Math.min(x, 700)) : expMinus(Math.min(-x, 700)))
const sigmoidOf = (x: number): number => 1 / (1 + exp(-x))

const activations: Readonly<Record<string, (x: number) => number>> = {
  linear: (x) => x,
  relu: (x) => Math.max(0, x),
  leaky_relu: (x) => (x > 0 ? x : 0.01 * x),
  gelu: (x) => x * (1 - normalSf(x)),
  gelu_tanh: (x) => x * sigmoidOf(2 * 0.7978845608028654 * (x + 0.044715 * x ** 3)),
  quick_gelu: (x) => x * sigmoidOf(1.702 * x),
  silu: (x) => x * sigmoidOf(x),
  mish: (x) => {
    // tanh(ln(1 + e^x)) = (n^2 + 2n) / (n^2 + 2n + 2), n = e^x
    const n = exp(x)
    return x > 30 ? x : (x * (n * n + 2 * n)) / (n * n + 2 * n + 2)
  },
  elu: (x) => (x > 0 ? x : exp(x) - 1),
  selu: (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * (exp(x) - 1)),
  sigmoid: sigmoidOf,
  tanh: (x) => 2 * sigmoidOf(2 * x) - 1,
  softsign: (x) => x / (1 + Math.abs(x)),
  hardswish: (x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6,
  relu_squared: (x) => Math.max(0, x) ** 2,
}

/** Names that `activationGain` knows. */
export const activationNames: readonly string[] = /* @__PURE__ */ Object.keys(activations)

/**
 * The gain that keeps the second moment of a signal through an activation: 1 / sqrt(E[f(z)^2]), z ~ N(0, 1).
 * By the trapezoidal rule on [-12, 12], which converges geometrically for smooth f; error below 1e-6 for the named ones.
 *
 * It is the principle of He et al. 2015 for any activation: relu gives sqrt(2). PyTorch's table (`calculateGain`) has other
 * numbers for tanh (5/3), sigmoid (1) and selu (3/4), and none for gelu, silu, mish, elu.
 *
 * @param activation a name of `activationNames`, or a function
 * @throws WeightInitError `INVALID_CONFIG` for an unknown name, or a function whose second moment is 0 or not finite
 */
export function activationGain(activation: string | ((x: number) => number)): number {
  const f =
    typeof activation === 'function'
      ? activation
      : Object.hasOwn(activations, activation)
        ? activations[activation]
        : undefined
  if (typeof f !== 'function') {
    throw new WeightInitError(
      'INVALID_CONFIG',
      `Unknown activation ${show(activation)}; known: ${activationNames.join(', ')}. A function works too.`,
    )
  }
  const steps = 48000
  const h = 24 / steps
  let sum = 0
  for (let i = 0; i <= steps; i++) {
    const z = -12 + i * h
    sum += f(z) ** 2 * normalDensity(z)
  }
  const moment = sum * h
  if (!Number.isFinite(moment) || moment <= 0) {
    throw new WeightInitError(
      'INVALID_CONFIG',
      `The activation ${show(activation)} has E[f(z)^2] = ${moment} for z ~ N(0, 1): there is no gain that keeps it.`,
    )
  }
  // Twelve digits: what a function of the user's computes may differ between engines in the last ones.
  return Number((1 / Math.sqrt(moment)).toPrecision(12))
}
