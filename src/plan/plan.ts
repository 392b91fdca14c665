import { show, WeightInitError } from '../core/errors.js'
import { sourcePlanner } from '../generators/sources.js'
import type { Initializer } from '../initializers/initializer.js'
import type { InitializerName } from '../initializers/names.js'
import type { InitializerArgument, InitializerRule } from '../initializers/rules.js'
import type { Model } from '../ir/parameter.js'
import type { InitializationPlan } from '../ir/plan.js'
import { validateModel } from '../model/validate.js'
import { type ConfigOrOptions, type InstanceArguments, type LooseArguments, splitArguments } from './arguments.js'
import { assemblePlan } from './assemble.js'
import { type Choice, choiceFor, chooser, UNMATCHED } from './choose-initializer.js'
import { type InitializeOptions, type ResolvedOptions, resolveOptions } from './options.js'
import { cutParameters } from './parts/cut.js'
import { planParameter } from './plan-parameter.js'

/**
 * Says what `initializeModel` would do with the same arguments, without a GPU and without values: the dry run.
 * Pure, but for the seed that is drawn when none is given.
 *
 * @throws WeightInitError for every mistake in the arguments, before anything is allocated
 */
export function planModel(
  model: Model,
  initializer: Initializer | readonly InitializerRule[],
  ...rest: InstanceArguments
): InitializationPlan
export function planModel<Given extends InitializerName | Initializer>(
  model: Model,
  initializer: Given | readonly InitializerRule[],
  config?: ConfigOrOptions<Given>,
  options?: InitializeOptions,
): InitializationPlan
// The first overload is for rules: beside a string, a rule's `match` would take its type from String.prototype.match.
export function planModel(model: Model, initializer: InitializerArgument, ...rest: LooseArguments): InitializationPlan {
  const { config, options } = splitArguments(initializer, rest)
  return planResolved(model, initializer, config, resolveOptions(options))
}

/** @param onUnmatched what to do about parameters that no rule initialises */
export function planResolved(
  model: Model,
  initializer: InitializerArgument,
  config: Readonly<Record<string, unknown>>,
  options: ResolvedOptions,
  onUnmatched: 'throw' | 'skip' = 'throw',
): InitializationPlan {
  const choose = chooser(initializer, config)
  const parameters = validateModel(model)
  const byName = new Map(parameters.map((parameter) => [parameter.name, parameter]))
  const sourceOf = sourcePlanner(options.generatorSettings, options.seed)
  const whole = parameters.map((parameter) => {
    const planned = (choice: Choice) => planParameter(parameter, byName, choice, options, sourceOf)
    try {
      return planned(choiceFor(parameter, choose, options, onUnmatched))
    } catch (error) {
      // An initializer for every role may also have no rule for a parameter.
      const unmatched = error instanceof WeightInitError && error.code === 'UNMATCHED_PARAMETER'
      if (onUnmatched === 'throw' || !unmatched) throw error
      return planned({ initializer: 'skip', because: `${UNMATCHED}: ${error.message}` })
    }
  })
  const skipped = new Set(whole.filter(({ action }) => action === 'skip').map(({ name }) => name))
  for (const { name, action, tiedTo } of whole) {
    if (action === 'tied' && skipped.has(tiedTo ?? '')) {
      throw new WeightInitError(
        'INVALID_MODEL',
        `Parameter ${show(name)} is tied to ${show(tiedTo)}, which is skipped; skip both or neither.`,
      )
    }
  }
  // Each parameter's source has what it needs of a program.
  const { program: _, ...generatorSettings } = { program: undefined, ...options.generatorSettings }
  return assemblePlan({ ...options, generatorSettings }, cutParameters(whole, parameters, options.parts))
}
