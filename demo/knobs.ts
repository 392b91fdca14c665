import { initializerNames } from '../src/index.js'
import { helpOf, isChoice, kindOf, type NamedSetting, rangeOf, settingsOf } from '../src/initializers/help.js'

/** One setting of an initializer, as a form field. */
export interface Knob {
  readonly name: string
  readonly kind: 'number' | 'choice' | 'flag'
  /** The initial value. '' is an empty field, for a setting that may be left out. */
  readonly start: string | boolean
  /** The choices, if the setting is one. */
  readonly choices: readonly string[]
  readonly optional: boolean
  /** The text for a tooltip: a description, and the allowed values. */
  readonly help: string
}

/** The initializers that the page offers, which are all that exist. */
export const initializers: readonly string[] = initializerNames

/** A description of an initializer in one line. */
export const summaryOf = (name: string): string => helpOf(name).summary

/** The settings of an initializer as fields, in the order of its schema. */
export function knobsOf(name: string): readonly Knob[] {
  return settingsOf(name).map((named) => {
    const { key, setting, help } = named
    const kind = kindOf(setting)
    const start = startOf(named)
    return {
      name: key,
      kind: kind === 'boolean' ? 'flag' : kind === 'choice' ? 'choice' : 'number',
      start: typeof start === 'boolean' ? start : String(start),
      choices: isChoice(setting) ? setting.choices.map(String) : [],
      optional: 'optional' in setting,
      help: kind === 'boolean' ? help : `${help}: ${rangeOf(setting)}`,
    }
  })
}

/** The default. For a setting without a default, it is the middle of its range. */
function startOf({ setting, initial }: NamedSetting): string | number | boolean {
  if (initial !== undefined) return initial
  if (isChoice(setting) || setting.optional) return ''
  return ((setting.min ?? 0) + (setting.max ?? 1)) / 2
}

export type Config = Readonly<Record<string, string | number | boolean>>

/** An initializer's config from the values of the fields: text, or whether a box is ticked. Empty fields are left out. */
export function configOf(name: string, fields: ReadonlyMap<string, string | boolean>): Config {
  return Object.fromEntries(
    knobsOf(name).flatMap((knob) => {
      const value = fields.get(knob.name) ?? knob.start
      if (value === '') return []
      return [[knob.name, knob.kind === 'number' ? Number(value) : value]]
    }),
  )
}

/** The settings that a program has to give, because they differ from the defaults. */
export function changedSettings(name: string, config: Config): Config {
  const defaults = new Map(settingsOf(name).map(({ key, initial }) => [key, initial]))
  return Object.fromEntries(Object.entries(config).filter(([key, value]) => defaults.get(key) !== value))
}
