import { refuseUnknownKeys, show, WeightInitError } from '../core/errors.js'
import type { ConfigOf, InitializerName } from '../initializers/names.js'
import type { RecipeRule } from './types.js'

type Match = RecipeRule['match']

/** Makes the rules of one recipe, all with the same citation. */
export type RuleWriter = <Name extends InitializerName>(
  match: Match,
  initializer: Name,
  config?: ConfigOf<Name>,
) => RecipeRule

export function ruleWriter(citation: string): RuleWriter {
  return (match, initializer, config) =>
    ({ match, initializer, ...(config === undefined ? {} : { config }), citation }) as RecipeRule
}

/** The rules that nearly every network needs: norm scales are 1, norm biases and biases are 0. */
export function plainRules(rule: RuleWriter): RecipeRule[] {
  return [rule({ role: 'norm-scale' }, 'ones'), rule({ role: 'norm-bias' }, 'zeros'), rule({ role: 'bias' }, 'zeros')]
}

/** The initial values of PyTorch's BatchNorm buffers. */
export function runningStatistics(rule: RuleWriter): RecipeRule[] {
  return [rule('*running_var', 'ones'), rule('*running_mean', 'zeros'), rule('*num_batches_tracked', 'zeros')]
}

/** Checks a recipe's settings. The constructor refuses unknown keys, and each method checks and returns one setting. */
export class RecipeSettings {
  readonly #values: Readonly<Record<string, unknown>>
  readonly #recipe: string

  constructor(recipe: string, settings: object, known: readonly string[]) {
    refuseUnknownKeys(settings, known, recipe)
    this.#recipe = recipe
    this.#values = settings as Readonly<Record<string, unknown>>
  }

  /** A finite number, >= 0 or > 0. */
  number(key: string, fallback?: number, least: 'zero' | 'above zero' = 'zero'): number {
    const value = this.#values[key] === undefined ? fallback : this.#values[key]
    const fits = typeof value === 'number' && Number.isFinite(value) && (least === 'zero' ? value >= 0 : value > 0)
    if (fits) return value
    return this.#refuse(key, value, `a finite number ${least === 'zero' ? '>= 0' : '> 0'}`)
  }

  /** A finite number of any sign. */
  finite(key: string, fallback: number): number {
    const value = this.#values[key] === undefined ? fallback : this.#values[key]
    return typeof value === 'number' && Number.isFinite(value) ? value : this.#refuse(key, value, 'a finite number')
  }

  /** A positive integer. */
  count(key: string, fallback?: number): number {
    const value = this.#values[key] === undefined ? fallback : this.#values[key]
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value
    return this.#refuse(key, value, 'a positive integer')
  }

  flag(key: string, fallback: boolean): boolean {
    const value = this.#values[key] === undefined ? fallback : this.#values[key]
    return typeof value === 'boolean' ? value : this.#refuse(key, value, 'true or false')
  }

  /** A glob over parameter names. */
  glob(key: string, fallback: string): string {
    const value = this.#values[key] === undefined ? fallback : this.#values[key]
    return typeof value === 'string' && value.length > 0
      ? value
      : this.#refuse(key, value, 'a glob, a non-empty string')
  }

  choice<T extends string | number>(key: string, known: readonly T[], fallback: T): T {
    const value = this.#values[key] === undefined ? fallback : this.#values[key]
    return (known as readonly unknown[]).includes(value)
      ? (value as T)
      : this.#refuse(key, value, `one of ${known.join(', ')}`)
  }

  #refuse(key: string, value: unknown, what: string): never {
    throw new WeightInitError('INVALID_ARGUMENT', `${this.#recipe}: ${key} must be ${what}, but found ${show(value)}.`)
  }
}
