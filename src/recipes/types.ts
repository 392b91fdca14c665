import type { ParameterRole } from '../model/types.js'
import type { InitializerRule } from '../plan.js'

/** A rule that is data: it prints as JSON, and reads back. */
export interface RecipeRule extends InitializerRule {
  readonly match: string | { readonly role: ParameterRole }
  readonly initializer: string
  /** Where the rule comes from: the paper or the library's function. */
  readonly source: string
}
