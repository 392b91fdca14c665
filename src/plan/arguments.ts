import { show, WeightInitError } from '../core/errors.js'
import type { InitializerArgument } from '../initializers/rules.js'
import type { InitializeOptions } from './options.js'

/** `config` goes with a named initializer; with an instance or rules, options may take its place. */
export type PlanArguments = [
  config?: Readonly<Record<string, unknown>> | InitializeOptions | undefined,
  options?: InitializeOptions,
]

export function splitArguments(
  initializer: InitializerArgument,
  [third, fourth]: PlanArguments,
): { config: Readonly<Record<string, unknown>>; options: InitializeOptions } {
  if (typeof initializer === 'string') {
    return { config: (third ?? {}) as Readonly<Record<string, unknown>>, options: fourth ?? {} }
  }
  if (fourth === undefined) return { config: {}, options: (third ?? {}) as InitializeOptions }
  if (third !== undefined && third !== null && Object.keys(third).length > 0) {
    throw new WeightInitError(
      'INVALID_CONFIG',
      `config ${show(third)} belongs to an initializer given by name; settings of an instance go into its constructor, of a rule into the rule.`,
    )
  }
  return { config: {}, options: fourth }
}
