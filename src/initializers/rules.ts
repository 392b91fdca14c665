import type { ParameterMatch } from '../model/match.js'
import type { Initializer } from './initializer.js'
import type { ConfigOf, InitializerName } from './names.js'

interface AnyRule {
  readonly match: ParameterMatch
  /** Where the rule comes from, for readers and for the plan. */
  readonly citation?: string
}

/** A rule with an initializer of this name, and settings that it takes. */
export interface RuleFor<Name extends InitializerName> extends AnyRule {
  readonly initializer: Name
  readonly config?: ConfigOf<Name>
}

/** A rule with a named initializer. */
export type NamedRule = { readonly [Name in InitializerName]: RuleFor<Name> }[InitializerName]

/** A rule with an instance, or 'skip' to leave the parameter out. */
export interface InstanceRule extends AnyRule {
  readonly initializer: Initializer | 'skip'
  /** Only a named initializer takes one. */
  readonly config?: undefined
}

/**
 * One line of a rule list: the first rule that matches a parameter initialises it. A list that is written down before it is
 * passed needs `as const` or `satisfies InitializerRule[]`, so that its names keep their types.
 */
export type InitializerRule = NamedRule | InstanceRule

/** What `initializeModel` and `planModel` take: one initializer for the weights, or rules. */
export type InitializerArgument = InitializerName | Initializer | readonly InitializerRule[]
