// The settings of an initializer as data. From them follow the checks, the TypeScript types, the flags of the command line, the
// fields of the page and the tables of docs/initializers.md.
import { refuseUnknownKeys, show, WeightInitError } from '../core/errors.js'

// A schema is compact, since every initializer carries its own into a bundle: the type of a setting follows from its choices or
// its default, and sentences for people are in `FamilyHelp`, which only the command line, the page and the docs import.

/** A finite number. Without a default it must be given, unless it is optional. */
export interface NumberSetting {
  readonly default?: number
  /** It may be left out and then has no value: the initializer computes one. */
  readonly optional?: true
  readonly integer?: true
  /** The least value, included. */
  readonly min?: number
  /** All values are greater than this one. */
  readonly above?: number
  /** The greatest value, included. */
  readonly max?: number
  /**
   * The message for a number out of range, with % in the place of the number. PyTorch's or Keras's own words where they have
   * some, so that a search for them finds both. Every setting with a range has one.
   */
  readonly refusal?: string
  readonly choices?: undefined
}

/** One of several words; or true and false. */
export interface ChoiceSetting {
  readonly choices: readonly (string | boolean)[]
  readonly default: string | boolean
  /** The message for another value, with % in its place; the choices are listed after it. */
  readonly refusal?: string
}

export type Setting = NumberSetting | ChoiceSetting

/** The same with every key, for reading. */
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
// Two mapped types over keys of S: like Pick they carry the comments of the settings to the config's keys.
type Required<S, Keys extends keyof S> = { readonly [Key in Keys]: SettingValue<S[Key]> }
type Optional<S, Keys extends keyof S> = { readonly [Key in Keys]?: SettingValue<S[Key]> }

declare const none: unique symbol
/** The config of an initializer without settings: `{}`. */
export interface NoSettings {
  /** Never there: it makes every other key an error of the compiler. */
  readonly [none]?: never
}

/**
 * A second base of every config. An interface with one base and no members of its own goes by its base's name in the compiler's
 * messages; with two the messages say 'KaimingConfig'.
 */
export type InitializerConfig = Readonly<Record<never, never>>

/** What a schema says of a config: `interface XavierConfig extends ConfigFrom<...>, InitializerConfig {}`. */
export type ConfigFrom<S> = Required<S, RequiredKeys<S>> & Optional<S, Exclude<keyof S, RequiredKeys<S>>>

/** A config after checking, with every default filled in. */
export type ReadConfig<S> = {
  readonly [Key in keyof S]: SettingValue<S[Key]> | (S[Key] extends { readonly optional: true } ? undefined : never)
}

/**
 * Checks a config against a schema and fills in the defaults. A setting that is undefined counts as left out; null does not.
 * @throws WeightInitError `INVALID_CONFIG` that names the initializer, the setting and the value
 */
export function readConfig<const S extends Settings>(initializer: string, settings: S, config: unknown): ReadConfig<S> {
  const keys = Object.keys(settings)
  refuseUnknownKeys(config, keys, `${initializer} config`, 'INVALID_CONFIG')
  const read: Record<string, unknown> = {}
  for (const key of keys) {
    const { default: fallback, optional, choices, integer, min, above, max, refusal } = settings[key] as AnySetting
    // A number, as far as the comparisons below go; they are made with numbers only.
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
      // A limit that is undefined refuses nothing: comparing with it is false.
      mistake = words
    }
    if (mistake) throw new WeightInitError('INVALID_CONFIG', `${initializer}: ${mistake}`)
    read[key] = value
  }
  return Object.freeze(read) as ReadConfig<S>
}

/** What an initializer's class says about itself, beside what its instances do. */
export interface InitializerFamily {
  /**
   * The strings that name it, with the settings that are part of the name: giving them in the config is an error. The first one
   * is the name of its instances.
   */
  readonly names: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** Another library's defaults, of that library's names. */
  readonly defaults?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly settings: Settings
  /** Whether the distribution depends on fan_in and fan_out. */
  readonly usesFans: boolean
}

/** What people read about an initializer: in the help of the command line, on the page, in docs/initializers.md. */
export interface FamilyHelp<Family extends InitializerFamily = InitializerFamily> {
  readonly family: Family
  /** One line. */
  readonly summary: string
  /** The distribution, with n_in and n_out for fan_in and fan_out. */
  readonly distribution: string
  /** The paper, and the functions of other libraries that it equals. */
  readonly citation: string
  /** A line for every setting. */
  readonly settings: Readonly<Record<keyof Family['settings'], string>>
}
