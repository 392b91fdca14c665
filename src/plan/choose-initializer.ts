import { refuse, refuseUnknownKeys, show, WeightInitError } from '../core/errors.js'
import { ConstantInitializer } from '../initializers/families/constant.js'
import { Initializer } from '../initializers/initializer.js'
import { createInitializer } from '../initializers/registry.js'
import type { InitializerArgument, InitializerRule } from '../initializers/rules.js'
import type { Parameter } from '../ir/parameter.js'
import { createMatcher, type Matcher } from '../model/match.js'
import { initialStatistic } from '../model/validate.js'
import { refuseOptionsInRule } from './arguments.js'
import type { ResolvedOptions } from './options.js'

const fail = /* @__PURE__ */ refuse('INVALID_ARGUMENT')

/** What initializes a parameter, and why. */
export interface Choice {
  readonly initializer: Initializer | 'skip' | 'tied'
  readonly because: string
  readonly citation?: string
}

/** Nothing initializes it, and why. */
interface Unmatched {
  readonly unmatched: string
}

export type Chooser = (parameter: Parameter) => Choice | Unmatched

/** Why a parameter is skipped that `planModel` would refuse; the reason follows. */
export const UNMATCHED = 'no rule matches it'

/**
 * The choice for one parameter. Options leave it out whatever the rules say; one that is tied is not initialised itself,
 * so rules can only skip it.
 * @param onUnmatched what to do about a parameter that no rule initialises
 * @throws WeightInitError `UNMATCHED_PARAMETER`
 */
export function choiceFor(
  parameter: Parameter,
  choose: Chooser,
  options: Pick<ResolvedOptions, 'skip' | 'only'>,
  onUnmatched: 'throw' | 'skip',
): Choice {
  const { name, role, shape, tiedTo } = parameter
  const skipped = skippedBy(parameter, options)
  if (skipped !== undefined) return { initializer: 'skip', because: skipped }
  const choice = choose(parameter)
  if (tiedTo !== undefined && !('initializer' in choice && choice.initializer === 'skip')) {
    return { initializer: 'tied', because: `tied to ${tiedTo}` }
  }
  if ('initializer' in choice) return choice
  if (onUnmatched === 'skip') return { initializer: 'skip', because: `${UNMATCHED}: ${choice.unmatched}` }
  throw new WeightInitError(
    'UNMATCHED_PARAMETER',
    `No rule initialises parameter ${show(name)} (role ${role}, shape ${show(shape)}). ${choice.unmatched} ` +
      "Add a rule for it, such as { match: '*', initializer: 'zeros' }, or skip it.",
  )
}

/** Which option leaves a parameter out, if one does. */
function skippedBy(parameter: Parameter, { skip, only }: Pick<ResolvedOptions, 'skip' | 'only'>): string | undefined {
  const skipper = skip.find((matcher) => matcher.matches(parameter))
  if (skipper !== undefined) return `option skip: ${skipper.text}`
  if (only === undefined || only.some((matcher) => matcher.matches(parameter))) return undefined
  return `option only: ${only.map(({ text }) => text).join(', ')}`
}

/** Which initializer each parameter gets: the first rule that matches it, or the model's, or its role's default. */
export function chooser(initializer: InitializerArgument, config: Readonly<Record<string, unknown>>): Chooser {
  if (typeof initializer === 'string' || initializer instanceof Initializer) {
    const instance = typeof initializer === 'string' ? createInitializer(initializer, config) : initializer
    return (parameter) =>
      parameter.role === 'weight' ||
      parameter.role === 'embedding' ||
      (instance.appliesToEveryRole && parameter.role !== 'buffer')
        ? { initializer: instance, because: `the model's initializer, role ${parameter.role}` }
        : (defaultChoice(parameter) ?? {
            unmatched: `Its role has no default${parameter.role === 'unknown' ? ', since neither name nor shape says what it is' : ''}.`,
          })
  }
  if (!Array.isArray(initializer)) {
    return fail(`initializer must be a name, an Initializer or a list of rules, but found ${show(initializer)}.`)
  }
  const rules = initializer.map(compileRule)
  return (parameter) => {
    const rule = rules.find(({ matcher }) => matcher.matches(parameter))
    if (rule !== undefined) return rule.choice
    return (
      (parameter.role === 'weight' || parameter.role === 'embedding' ? undefined : defaultChoice(parameter)) ?? {
        unmatched: `None of the ${rules.length} rules matches it.`,
      }
    )
  }
}

function compileRule(rule: unknown, index: number): { matcher: Matcher; choice: Choice } {
  const where = `rules[${index}]`
  if (typeof rule !== 'object' || rule === null || Array.isArray(rule)) {
    fail(`${where} must be { match, initializer }, but found ${show(rule)}.`)
  }
  refuseOptionsInRule(rule as object, where)
  refuseUnknownKeys(rule, ['match', 'initializer', 'config', 'citation'], where)
  const { match, initializer, config, citation } = rule as Omit<InitializerRule, 'config'> & {
    readonly config?: Readonly<Record<string, unknown>>
  }
  const matcher = createMatcher(match, where)
  if (initializer instanceof Initializer) {
    if (config !== undefined) {
      throw new WeightInitError('INVALID_CONFIG', `${where}: config belongs to an initializer given by name.`)
    }
  } else if (typeof initializer !== 'string') {
    fail(`${where}: initializer must be a name, an Initializer or 'skip', but found ${show(initializer)}.`)
  }
  if (citation !== undefined && typeof citation !== 'string') {
    fail(`${where}: citation must be a string, but found ${show(citation)}.`)
  }
  const chosen =
    initializer === 'skip' || typeof initializer !== 'string'
      ? initializer
      : createInitializer(initializer, config ?? {})
  const because = `${where}: ${matcher.text}`
  return { matcher, choice: { initializer: chosen, because, ...(citation === undefined ? {} : { citation }) } }
}

/**
 * Biases and norm biases 0, norm scales 1, the running statistics of a batch norm as PyTorch, Keras and Flax start them; of
 * any other parameter the constant that the model gives.
 */
function defaultChoice({ role, name, initial }: Parameter): Choice | undefined {
  const value = (v: number): Choice => ({
    initializer: new ConstantInitializer({ value: v }),
    because: `default of role ${role}`,
  })
  if (role === 'bias' || role === 'norm-bias') return value(0)
  if (role === 'norm-scale') return value(1)
  const constant = role === 'buffer' ? initialStatistic(name) : initial
  return constant === undefined ? undefined : value(constant)
}
