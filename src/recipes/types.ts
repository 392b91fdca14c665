import type { InitializerName } from '../initializers/names.js'
import type { RuleFor } from '../initializers/rules.js'
import type { ParameterRole } from '../ir/parameter.js'

interface RecipeRuleFor<Name extends InitializerName> extends RuleFor<Name> {
  readonly match: string | { readonly role: ParameterRole }
  /** The source of the rule: a paper or a function of a library. */
  readonly citation: string
}

/** A rule that is plain data: it can be written as JSON and read back. */
export type RecipeRule = { readonly [Name in InitializerName]: RecipeRuleFor<Name> }[InitializerName]
