import { initializerNames } from '../src/index.js'
import { helpOf, isChoice, kindOf, type NamedSetting, rangeOf, settingsOf } from '../src/initializers/help.js'

/** One setting of an initializer, as a form field. */
export interface Knob {
  readonly name: string
  readonly kind: 'number' | 'choice' | 'flag'
  /** What a field starts with; '' for an empty one, of a setting that may be left out. */
  readonly start: string | boolean
  /** Of a choice. */
  readonly choices: readonly string[]
  readonly optional: boolean
  /** For a tooltip: what it is, and which values it takes. */
  readonly help: string
}

/** The initializers that the page offers: all of them. */
export const initializers: readonly string[] = initializerNames

/** One line about an initializer. */
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

/** The default; of a setting that has none the middle of its range. */
function startOf({ setting, initial }: NamedSetting): string | number | boolean {
  if (initial !== undefined) return initial
  if (isChoice(setting) || setting.optional) return ''
  return ((setting.min ?? 0) + (setting.max ?? 1)) / 2
}

export type Config = Readonly<Record<string, string | number | boolean>>

/** What the fields hold, as an initializer's config: a text for each knob, or whether it is ticked. An empty field is left out. */
export function configOf(name: string, fields: ReadonlyMap<string, string | boolean>): Config {
  return Object.fromEntries(
    knobsOf(name).flatMap((knob) => {
      const value = fields.get(knob.name) ?? knob.start
      if (value === '') return []
      return [[knob.name, knob.kind === 'number' ? Number(value) : value]]
    }),
  )
}

/** The settings that a program has to give: all but those at their default. */
export function changedSettings(name: string, config: Config): Config {
  const defaults = new Map(settingsOf(name).map(({ key, initial }) => [key, initial]))
  return Object.fromEntries(Object.entries(config).filter(([key, value]) => defaults.get(key) !== value))
}
