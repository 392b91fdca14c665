/** One setting of an initializer, as a form field. */
export type Knob =
  | {
      readonly name: string
      readonly type: 'number'
      readonly value: number
      readonly step?: number
      readonly optional?: true
    }
  | { readonly name: string; readonly type: 'choice'; readonly value: string; readonly choices: readonly string[] }
  | { readonly name: string; readonly type: 'flag'; readonly value: boolean }

const number = (name: string, value: number, step = 0.01): Knob => ({ name, type: 'number', value, step })
const choice = (name: string, ...choices: string[]): Knob => ({ name, type: 'choice', value: choices[0]!, choices })
const nonlinearity: Knob = choice('nonlinearity', 'relu', 'leaky_relu', 'tanh', 'sigmoid', 'selu', 'linear')

/** The initializers that the page offers, with their settings and defaults. */
export const initializers: Readonly<Record<string, readonly Knob[]>> = {
  kaiming: [choice('mode', 'fan_in', 'fan_out'), nonlinearity, choice('distribution', 'normal', 'uniform')],
  xavier: [number('gain', 1, 0.05), choice('distribution', 'uniform', 'normal')],
  lecun_normal: [],
  he_normal: [],
  glorot_uniform: [],
  variance_scaling: [
    number('scale', 1, 0.1),
    choice('mode', 'fan_in', 'fan_out', 'fan_avg', 'fan_geo_avg'),
    choice('distribution', 'truncated_normal', 'normal', 'uniform'),
  ],
  normal: [number('mean', 0), number('std', 0.02, 0.005)],
  uniform: [number('a', -0.05), number('b', 0.05)],
  trunc_normal: [number('mean', 0), number('std', 0.02, 0.005), number('a', -2, 0.1), number('b', 2, 0.1)],
  truncated_normal: [number('mean', 0), number('std', 0.02, 0.005), number('lower', -2, 0.1), number('upper', 2, 0.1)],
  orthogonal: [number('gain', 1, 0.05)],
  sparse: [number('sparsity', 0.9, 0.05), number('std', 0.01)],
  siren: [number('omega', 30, 1), { name: 'first', type: 'flag', value: false }],
  torch_default: [],
  eye: [number('gain', 1, 0.05)],
  constant: [number('value', 0, 0.1)],
}

export type Config = Readonly<Record<string, string | number | boolean>>

/** What of `config` differs from the initializer's defaults on this page is left; the rest is left out. */
export function changedSettings(name: string, config: Config): Config {
  const defaults = new Map((initializers[name] ?? []).map((knob) => [knob.name, knob.value]))
  // Defaults of the page that are not the library's own must be said.
  const own = new Set(['normal', 'uniform', 'trunc_normal', 'truncated_normal', 'sparse'])
  return Object.fromEntries(
    Object.entries(config).filter(([key, value]) => own.has(name) || defaults.get(key) !== value),
  )
}
