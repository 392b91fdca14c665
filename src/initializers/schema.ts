// The settings of an initializer as data. The checks, the TypeScript types, the flags of the command line, the fields of the
// page and the tables of docs/initializers.md are all derived from them.
import { refuseUnknownKeys, show, WeightInitError } from '../core/errors.js'

// A schema is compact, because every initializer adds its schema to a bundle. The type of a setting follows from its choices or
// its default. Texts for people are in `FamilyHelp`, which only the command line, the page and the docs import.

/** A finite number. It is required unless it has a default or is optional. */
export interface NumberSetting {
  readonly default?: number
  /** The setting may be left out. It then has no value, and the initializer computes one. */
  readonly optional?: true
  readonly integer?: true
  /** The smallest allowed value. */
  readonly min?: number
  /** An exclusive lower bound: allowed values are greater. */
  readonly above?: number
  /** The largest allowed value. */
  readonly max?: number
  /**
   * The message for a number out of range, in which % stands for the number. If PyTorch or Keras has a message, it is used, so
   * that a search for it finds both. Every setting with a range has one.
   */
  readonly refusal?: string
  readonly choices?: undefined
}

/** One of several words, or one of true and false. */
export interface ChoiceSetting {
  readonly choices: readonly (string | boolean)[]
  readonly default: string | boolean
  /** The message for another value, for which % stands. The choices are listed after the message. */
  readonly refusal?: string
}

export type Setting = NumberSetting | ChoiceSetting

/** The same with every key of both, for code that reads a setting without knowing its kind. */
type AnySetting = Omit<NumberSetting, 'default' | 'choices'> & {
  readonly default?: unknown
  readonly choices?: readonly unknown[]
}

/** An initializer's settings by name, in the order in which they are listed everywhere. */
export type Settings = Readonly<Record<string, Setting>>

type SettingValue<T> = T extends { readonly choices: readonly (infer Choice)[] } ? Choice : number

type RequiredKeys<S> = {
  [Key in keyof S]: S[Key] extends { readonly default: unknown } | { readonly optional: true } ? never : Key
}[keyof S]
// Mapped types over keys of S preserve the comments on the settings, as Pick does, so that editors show them for a config.
type Required<S, Keys extends keyof S> = { readonly [Key in Keys]: SettingValue<S[Key]> }
type Optional<S, Keys extends keyof S> = { readonly [Key in Keys]?: SettingValue<S[Key]> }

declare const none: unique symbol
/** The config of an initializer without settings: `{}`. */
export interface NoSettings {
  /** This key cannot be given. Its presence makes the compiler refuse every other key. */
  readonly [none]?: never
}

/**
 * A second base of every config interface. The compiler's messages would call an interface that has only one base, and no
 * members of its own, by the name of that base. With two bases they say 'KaimingConfig'.
 */
export type InitializerConfig = Readonly<Record<never, never>>

/** The config type of a schema, as in `interface XavierConfig extends ConfigFrom<...>, InitializerConfig {}`. */
export type ConfigFrom<S> = Required<S, RequiredKeys<S>> & Optional<S, Exclude<keyof S, RequiredKeys<S>>>

/** A config after checking, with every default filled in. */
export type ReadConfig<S> = {
  readonly [Key in keyof S]: SettingValue<S[Key]> | (S[Key] extends { readonly optional: true } ? undefined : never)
}

/**
 * Checks a config against a schema and fills in the defaults. A setting that is undefined counts as left out; null does not.
 * @throws WeightInitError `INVALID_CONFIG`; the message names the initializer, the setting and the value
 */
export function readConfig<const S extends Settings>(initializer: string, settings: S, config: unknown): ReadConfig<S> {
  const keys = Object.keys(settings)
  refuseUnknownKeys(config, keys, `${initializer} config`, 'INVALID_CONFIG')
  const read: Record<string, unknown> = {}
  for (const key of keys) {
    const { default: fallback, optional, choices, integer, min, above, max, refusal } = settings[key] as AnySetting
    // The value may have any type. It is typed as a number because the comparisons below are reached only by numbers.
    const { [key]: value = fallback as number } = config as Readonly<Record<string, number>>
    if (value === undefined && optional) continue
    const words = refusal?.replace('%', () => (typeof value === 'string' ? value : show(value)))
    let mistake: string | undefined
    if (choices) {
      if (!choices.includes(value))
        mistake = `${words ?? `unknown ${key} ${show(value)}`}; known: ${choices.join(', ')}.`
    } else if (!Number.isFinite(value)) {
      mistake = `${key} must be a finite number, but found ${show(value)}.`
    } else if ((integer && value % 1) || value < min! || value <= above! || value > max!) {
      // A comparison with an undefined limit is false, so it refuses nothing.
      mistake = words
    }
    if (mistake) throw new WeightInitError('INVALID_CONFIG', `${initializer}: ${mistake}`)
    read[key] = value
  }
  return Object.freeze(read) as ReadConfig<S>
}

/** The static description of an initializer's class. */
export interface InitializerFamily {
  /**
   * The strings that name the initializer, each with the settings that the name fixes; a config must not contain those. The
   * first string is the `name` of the instances.
   */
  readonly names: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** For names that come from another library: that library's defaults. */
  readonly defaults?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly settings: Settings
  /** Whether the distribution depends on the fan_in and fan_out that the option `fans` chooses. */
  readonly usesFans: boolean
}

/** The text about an initializer in the command line's help, on the page and in docs/initializers.md. */
export interface FamilyHelp<Family extends InitializerFamily = InitializerFamily> {
  readonly family: Family
  /** One sentence. */
  readonly summary: string
  /** The distribution as a formula, with n_in and n_out for fan_in and fan_out. */
  readonly distribution: string
  /** The paper, and the equivalent functions of other libraries. */
  readonly citation: string
  /** A short text for every setting. */
  readonly settings: Readonly<Record<keyof Family['settings'], string>>
}
