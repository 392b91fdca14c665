import { show, WeightInitError } from '../core/errors.js'
import { type Parameter, type ParameterRole, parameterRoles } from '../ir/parameter.js'

/**
 * Which parameters a rule applies to:
 * - a glob that must match the whole name: `*` is any run of characters, `?` one character, `{a,b}` alternatives
 * - a RegExp, tested against the name
 * - a role: its name as a string, or `{ role }`
 * - a function of the parameter
 */
export type ParameterMatch = string | RegExp | { readonly role: ParameterRole } | ((parameter: Parameter) => boolean)

export interface Matcher {
  readonly text: string
  matches(parameter: Parameter): boolean
}

/** @throws WeightInitError `INVALID_ARGUMENT` for a value that is none of the four, or an empty glob */
export function createMatcher(match: ParameterMatch, where: string): Matcher {
  if (typeof match === 'string') {
    if (match.length === 0)
      throw new WeightInitError('INVALID_ARGUMENT', `${where}: an empty glob matches nothing; use "*" for everything.`)
    const pattern = globToRegExp(match)
    const isRole = (parameterRoles as readonly string[]).includes(match)
    return {
      text: match,
      matches: (parameter) => pattern.test(parameter.name) || (isRole && parameter.role === match),
    }
  }
  if (match instanceof RegExp) {
    // A copy without the flags g and y, because with them a RegExp has state between calls.
    const pattern = new RegExp(match.source, match.flags.replace(/[gy]/g, ''))
    return { text: String(match), matches: (parameter) => pattern.test(parameter.name) }
  }
  if (typeof match === 'function') {
    return { text: `function ${match.name || '(anonymous)'}`, matches: (parameter) => Boolean(match(parameter)) }
  }
  const role: unknown = (match as { role?: unknown } | null | undefined)?.role
  if ((parameterRoles as readonly unknown[]).includes(role)) {
    return { text: `role ${role}`, matches: (parameter) => parameter.role === role }
  }
  throw new WeightInitError(
    'INVALID_ARGUMENT',
    `${where}: match must be a glob, a RegExp, a role (${parameterRoles.join(', ')}) or a function, but found ${show(match)}.`,
  )
}

function globToRegExp(glob: string): RegExp {
  let depth = 0
  let source = ''
  for (const character of glob) {
    if (character === '*') source += '.*'
    else if (character === '?') source += '.'
    else if (character === '{') {
      depth++
      source += '(?:'
    } else if (character === '}' && depth > 0) {
      depth--
      source += ')'
    } else if (character === ',' && depth > 0) source += '|'
    else source += character.replace(/[\\^$+.()|[\]{}]/g, '\\$&')
  }
  return new RegExp(`^${source}${')'.repeat(depth)}$`, 's')
}
