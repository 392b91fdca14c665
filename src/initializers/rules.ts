import type { ParameterMatch } from '../model/match.js'
import type { Initializer } from './initializer.js'
import type { ConfigOf, InitializerName } from './names.js'

interface AnyRule {
  readonly match: ParameterMatch
  /** The source of the rule, such as a paper. The plan shows it. */
  readonly citation?: string
}

/** A rule with the initializer of this name and, optionally, settings for it. */
export interface RuleFor<Name extends InitializerName> extends AnyRule {
  readonly initializer: Name
  readonly config?: ConfigOf<Name>
}

/** A rule with a named initializer. */
export type NamedRule = { readonly [Name in InitializerName]: RuleFor<Name> }[InitializerName]

/** A rule with an instance, or 'skip' to leave the parameter out. */
export interface InstanceRule extends AnyRule {
  readonly initializer: Initializer | 'skip'
  /** Only a rule with a named initializer takes a config. */
  readonly config?: undefined
}

/**
 * One entry of a rule list: the first rule that matches a parameter initialises it. A list that is stored in a variable first
 * needs `as const` or `satisfies InitializerRule[]`, so that TypeScript does not widen its names to `string`.
 */
export type InitializerRule = NamedRule | InstanceRule

/** The initializer argument of `initializeModel` and `planModel`: one initializer for the weights, or a list of rules. */
export type InitializerArgument = InitializerName | Initializer | readonly InitializerRule[]
