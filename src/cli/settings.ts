// The flags of --init NAME: one for every setting of any initializer, derived from the schemas of the initializers.
import { allSettings, kindOf, rangeOf } from '../initializers/help.js'
import type { Setting } from '../initializers/schema.js'
import type { Arguments, Flag, Flags } from './arguments.js'
import { UsageError } from './usage.js'

/** The flag for a setting: `maxTimescale` becomes `max-timescale`. */
export const flagName = (key: string): string => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

/** Every setting with its flag, in the order of the initializers. */
export const settingFlags: Flags = Object.fromEntries(
  [...allSettings()].map(([key, users]) => {
    // Classes with the same description of a setting share a line.
    const byHelp = new Map<string, string[]>()
    for (const { family, setting, help } of users) {
      const text = `${help}${remark(setting)}`
      byHelp.set(text, [...(byHelp.get(text) ?? []), Object.keys(family.names)[0]!])
    }
    const help = [...byHelp].map(([text, names]) => `of ${names.join(', ')}: ${text}`).join('; ')
    const value = { number: 'X', integer: 'N', choice: 'NAME', boolean: undefined }[kindOf(users[0]!.setting)]
    const flag: Flag = { help, ...(value === undefined ? {} : { value }) }
    return [flagName(key), flag]
  }),
)

function remark(setting: Setting): string {
  const kind = kindOf(setting)
  const range = kind === 'choice' || rangeOf(setting) !== 'a number' ? rangeOf(setting) : ''
  const parts = [
    ...(kind === 'boolean' || range === '' ? [] : [range]),
    ...(setting.default === undefined || kind === 'boolean' ? [] : [`default ${setting.default}`]),
  ]
  return parts.length === 0 ? '' : ` (${parts.join('; ')})`
}

/** The config from the flags on the command line. The initializer itself checks the values. */
export function readSettings(args: Arguments): Record<string, unknown> {
  const config: Record<string, unknown> = {}
  for (const [key, users] of allSettings()) {
    const name = flagName(key)
    if (!args.has(name)) continue
    const kind = kindOf(users[0]!.setting)
    config[key] = kind === 'boolean' ? true : kind === 'choice' ? args.text(name) : args.number(name)
  }
  return config
}

/** @throws UsageError for settings together with the model's own recipe, which takes none */
export function refuseSettingsOfRecipe(init: string, config: Readonly<Record<string, unknown>>): void {
  const [key] = Object.keys(config)
  if (init !== 'recipe' || key === undefined) return
  throw new UsageError(`--${flagName(key)} is a setting of --init NAME; the model's own recipe takes none.`)
}
