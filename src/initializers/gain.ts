import { show, WeightInitError } from '../core/errors.js'

/** The names that `calculateGain` accepts, which are PyTorch's. */
export type Nonlinearity =
  | 'linear'
  | 'conv1d'
  | 'conv2d'
  | 'conv3d'
  | 'conv_transpose1d'
  | 'conv_transpose2d'
  | 'conv_transpose3d'
  | 'sigmoid'
  | 'tanh'
  | 'relu'
  | 'leaky_relu'
  | 'selu'

export const nonlinearities: readonly Nonlinearity[] = [
  'linear',
  'conv1d',
  'conv2d',
  'conv3d',
  'conv_transpose1d',
  'conv_transpose2d',
  'conv_transpose3d',
  'sigmoid',
  'tanh',
  'relu',
  'leaky_relu',
  'selu',
]

/**
 * The recommended gain of a nonlinearity, from PyTorch's table (`torch.nn.init.calculate_gain`); the float64 numbers are the
 * same. linear, conv* and sigmoid: 1; tanh: 5/3; relu: sqrt(2); leaky_relu: sqrt(2 / (1 + slope^2)); selu: 3/4.
 *
 * @param parameter the negative slope of leaky_relu, 0.01 by default; other nonlinearities ignore it, as in PyTorch
 * @example
 * calculateGain('leaky_relu', 0.2) // 1.3867504905630728
 * @throws WeightInitError `INVALID_CONFIG`, with PyTorch's message, for an unknown nonlinearity or a slope that is not a
 *   finite number
 */
export function calculateGain(nonlinearity: Nonlinearity, parameter?: number): number {
  switch (nonlinearity) {
    case 'tanh':
      return 5 / 3
    case 'relu':
      return Math.sqrt(2)
    case 'selu':
      return 3 / 4
    case 'leaky_relu': {
      const slope: unknown = parameter ?? 0.01
      if (typeof slope !== 'number' || !Number.isFinite(slope)) {
        throw new WeightInitError(
          'INVALID_CONFIG',
          `negative_slope ${pythonText(slope)} not a valid number. Pass a finite number as a.`,
        )
      }
      return Math.sqrt(2 / (1 + slope ** 2))
    }
    default:
      if ((nonlinearities as readonly unknown[]).includes(nonlinearity)) return 1
      throw new WeightInitError(
        'INVALID_CONFIG',
        `Unsupported nonlinearity ${typeof nonlinearity === 'string' ? nonlinearity : show(nonlinearity)}; ` +
          `known: ${nonlinearities.join(', ')}. For another activation pass its gain as a number: activationGain('gelu').`,
      )
  }
}

/** True and False as PyTorch prints them, so that its messages stay searchable. */
function pythonText(value: unknown): string {
  if (value === true) return 'True'
  if (value === false) return 'False'
  return typeof value === 'string' ? value : show(value)
}
