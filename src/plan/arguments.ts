import { show, WeightInitError } from '../core/errors.js'
import { Initializer } from '../initializers/initializer.js'
import type { InitializerConfigs } from '../initializers/names.js'
import type { InitializerArgument } from '../initializers/rules.js'
import type { NoSettings } from '../initializers/schema.js'
import { type InitializeOptions, optionKeys } from './options.js'

/** What follows an instance or rules: the options, with or without an empty config before them. */
export type InstanceArguments<Options = InitializeOptions> =
  | [options?: Options]
  | [config: NoSettings | undefined, options?: Options]

/** The argument after the initializer: the config of a name; with an instance or rules, options may take its place. */
export type ConfigOrOptions<Given, Options = InitializeOptions> = [Given] extends [keyof InitializerConfigs]
  ? InitializerConfigs[Given]
  : Options

/** Config and options as they were given, for checks at run time. */
export type LooseArguments = readonly [config?: unknown, options?: unknown]

/**
 * Tells config and options apart. An instance and rules have no config: what stands in its place are the options.
 *
 * @param known keys of the call's options
 * @throws WeightInitError `INVALID_CONFIG` for options in the config's place, and for a config that nothing takes
 */
export function splitArguments<Options extends object = InitializeOptions>(
  initializer: InitializerArgument,
  [third, fourth]: LooseArguments,
  known: readonly string[] = optionKeys,
): { config: Readonly<Record<string, unknown>>; options: Options } {
  if (typeof initializer === 'string') {
    refuseOptions(third, known, `the config of ${show(initializer)}`, `${show(initializer)}, {}, `)
    return { config: (third ?? {}) as Readonly<Record<string, unknown>>, options: (fourth ?? {}) as Options }
  }
  if (fourth === undefined) return { config: {}, options: (third ?? {}) as Options }
  if (third !== undefined && third !== null && Object.keys(third).length > 0) {
    refuseOptions(third, known, "the config's place, with other options after it", 'initializer, ')
    throw new WeightInitError(
      'INVALID_CONFIG',
      `config ${show(third)} belongs to an initializer given by name; settings of an instance go into its constructor, of a rule into the rule.`,
    )
  }
  return { config: {}, options: fourth as Options }
}

/** @throws WeightInitError `INVALID_CONFIG` for a rule with an option of the call, beside its config or in it */
export function refuseOptionsInRule(rule: object, where: string): void {
  refuseOptions(rule, optionKeys, where, 'rules, ')
  const { config, initializer } = rule as { readonly config?: unknown; readonly initializer?: unknown }
  if (!(initializer instanceof Initializer)) refuseOptions(config, optionKeys, `${where}.config`, 'rules, ')
}

/** No initializer has a setting of an option's name, so such a key is an option at the wrong place. */
function refuseOptions(value: unknown, known: readonly string[], where: string, before: string): void {
  if (typeof value !== 'object' || value === null) return
  const key = Object.keys(value).find((name) => known.includes(name))
  if (key === undefined) return
  throw new WeightInitError(
    'INVALID_CONFIG',
    `${show(key)} is an option of the call, but was found in ${where}. Options are the last argument: (..., ${before}{ ${key}: ... }).`,
  )
}
