import type { InitializerName } from '../initializers/names.js'
import type { RuleFor } from '../initializers/rules.js'
import type { ParameterRole } from '../ir/parameter.js'

interface RecipeRuleFor<Name extends InitializerName> extends RuleFor<Name> {
  readonly match: string | { readonly role: ParameterRole }
  /** Where the rule comes from: the paper or the library's function. */
  readonly citation: string
}

/** A rule that is data: it prints as JSON, and reads back. */
export type RecipeRule = { readonly [Name in InitializerName]: RecipeRuleFor<Name> }[InitializerName]
