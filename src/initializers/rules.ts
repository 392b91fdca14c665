import type { ParameterMatch } from '../model/match.js'
import type { Initializer } from './initializer.js'

/** One line of a rule list: the first rule that matches a parameter initialises it. */
export interface InitializerRule {
  readonly match: ParameterMatch
  /** A name, an instance, or 'skip' to leave the parameter out. */
  readonly initializer: string | Initializer
  /** Settings of a named initializer. */
  readonly config?: Readonly<Record<string, unknown>>
  /** Where the rule comes from, for readers and for the plan. */
  readonly citation?: string
}

/** What `initializeModel` and `planModel` take: one initializer for the weights, or rules. */
export type InitializerArgument = string | Initializer | readonly InitializerRule[]
