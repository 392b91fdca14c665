import type { InitializerRule } from '../initializers/rules.js'
import type { ParameterRole } from '../ir/parameter.js'

/** A rule that is data: it prints as JSON, and reads back. */
export interface RecipeRule extends InitializerRule {
  readonly match: string | { readonly role: ParameterRole }
  readonly initializer: string
  /** Where the rule comes from: the paper or the library's function. */
  readonly citation: string
}
