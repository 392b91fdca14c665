// What the command line, the page and docs/initializers.md say about every initializer. Nothing else imports this file, because
// its texts would make every bundle larger.
import * as exported from './families/index.js'
import { families } from './registry.js'
import type { ChoiceSetting, FamilyHelp, InitializerFamily, NumberSetting, Setting } from './schema.js'

const written = new Map(
  Object.values(exported)
    .filter((value): value is FamilyHelp<never> => typeof value === 'object' && 'family' in value)
    .map((help: FamilyHelp) => [help.family, help] as const),
)

/** The help of every class, in the registry's order. The file of each class exports it. */
export const familyHelp: readonly FamilyHelp[] = families.map((family) => {
  const help = written.get(family)
  if (help === undefined) throw new Error(`${Object.keys(family.names)[0]} has no help; export one beside its class.`)
  return help
})

/** A setting of an initializer, as one of the names of its class takes it. */
export interface NamedSetting {
  readonly key: string
  readonly setting: Setting
  /** A few words that say what the setting is. */
  readonly help: string
  /** The default of this name, or else of the class; undefined if there is none. */
  readonly initial: number | string | boolean | undefined
}

/** The settings that a name in snake_case takes: those of its class that the name does not fix. */
export function settingsOf(name: string): readonly NamedSetting[] {
  const { family, settings: help } = helpOf(name)
  return Object.entries(family.settings)
    .filter(([key]) => !Object.hasOwn(family.names[name] ?? {}, key))
    .map(([key, setting]) => ({
      key,
      setting,
      help: help[key]!,
      initial: (family.defaults?.[name]?.[key] as number | undefined) ?? setting.default,
    }))
}

/** @throws Error for a name that no class has */
export function helpOf(name: string): FamilyHelp {
  const help = familyHelp.find(({ family }) => Object.hasOwn(family.names, name))
  if (help === undefined) throw new Error(`No initializer is called ${name}.`)
  return help
}

/** The settings of all initializers, each listed once, with the classes that have it. */
export function allSettings(): ReadonlyMap<
  string,
  readonly { family: InitializerFamily; setting: Setting; help: string }[]
> {
  const all = new Map<string, { family: InitializerFamily; setting: Setting; help: string }[]>()
  for (const { family, settings } of familyHelp) {
    for (const [key, setting] of Object.entries(family.settings)) {
      all.set(key, [...(all.get(key) ?? []), { family, setting, help: settings[key]! }])
    }
  }
  return all
}

export type SettingKind = 'number' | 'integer' | 'choice' | 'boolean'

export function kindOf(setting: Setting): SettingKind {
  if (isChoice(setting)) return typeof setting.default === 'boolean' ? 'boolean' : 'choice'
  return setting.integer ? 'integer' : 'number'
}

export function isChoice(setting: Setting): setting is ChoiceSetting {
  return setting.choices !== undefined
}

/** The values that a setting takes, in a few words, such as 'uniform, normal' or 'a number in [0, 1]'. */
export function rangeOf(setting: Setting): string {
  if (isChoice(setting)) return setting.choices.join(', ')
  const { integer, min, above, max }: NumberSetting = setting
  const what = integer ? 'an integer' : 'a number'
  if (max !== undefined && (min ?? above) !== undefined) {
    return `${what} in ${min === undefined ? `(${above}` : `[${min}`}, ${max}]`
  }
  if (min !== undefined) return `${what} >= ${min}`
  if (above !== undefined) return `${what} > ${above}`
  return max === undefined ? what : `${what} <= ${max}`
}
