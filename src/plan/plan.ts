import { byteWidth, type DType } from '../core/dtype.js'
import { refuseUnknownKeys, show, WeightInitError } from '../core/errors.js'
import { constantPattern } from '../distributions/constant.js'
import {
  checkDistribution,
  describeDistribution,
  distributionKinds,
  expectedMoments,
  isDistribution,
} from '../distributions/registry.js'
import { type SourcePlanner, sourcePlanner } from '../generators/sources.js'
import { ConstantInitializer } from '../initializers/families/constant.js'
import { calculateFans } from '../initializers/fans.js'
import { contextOf, Initializer } from '../initializers/initializer.js'
import { createInitializer } from '../initializers/registry.js'
import type { InitializerArgument, InitializerRule } from '../initializers/rules.js'
import type { Distribution } from '../ir/distribution.js'
import type { Patch } from '../ir/job.js'
import type { Model, Parameter } from '../ir/parameter.js'
import type { InitializationPlan, PlannedParameter } from '../ir/plan.js'
import { createMatcher, type Matcher } from '../model/match.js'
import { validateModel } from '../model/validate.js'
import { parameterStream } from '../random/keys.js'
import { type PlanArguments, splitArguments } from './arguments.js'
import { effectiveDType, type ResolvedOptions, resolveOptions } from './options.js'
import { cutParameters } from './parts/cut.js'
/**
 * Says what `initializeModel` would do with the same arguments, without a GPU and without values: the dry run.
 * Pure, but for the seed that is drawn when none is given.
 *
 * @throws WeightInitError for every mistake in the arguments, before anything is allocated
 */
export function planModel(
  model: Model,
  initializer: Initializer | readonly InitializerRule[],
  ...rest: PlanArguments
): InitializationPlan
export function planModel(model: Model, initializer: InitializerArgument, ...rest: PlanArguments): InitializationPlan
// The first overload is for rules: beside `string`, a rule's `match` would take its type from String.prototype.match.
export function planModel(model: Model, initializer: InitializerArgument, ...rest: PlanArguments): InitializationPlan {
  const { config, options } = splitArguments(initializer, rest)
  return planResolved(model, initializer, config, resolveOptions(options))
}

/** Why a parameter is skipped that `planModel` would refuse. */
export const UNMATCHED = 'no rule matches it'

/** @param onUnmatched what to do about parameters that no rule initialises */
export function planResolved(
  model: Model,
  initializer: InitializerArgument,
  config: Readonly<Record<string, unknown>>,
  options: ResolvedOptions,
  onUnmatched: 'throw' | 'skip' = 'throw',
): InitializationPlan {
  const choose = chooser(initializer, config)
  const validated = validateModel(model)
  const byName = new Map(validated.map((parameter) => [parameter.name, parameter]))
  const sourceOf = sourcePlanner(options.generatorSettings, options.seed)
  const whole = validated.map((parameter) => {
    try {
      return planParameter(parameter, byName, choose, options, sourceOf)
    } catch (error) {
      if (onUnmatched === 'throw' || (error as WeightInitError).code !== 'UNMATCHED_PARAMETER') throw error
      return planParameter(parameter, byName, () => ({ initializer: 'skip', because: UNMATCHED }), options, sourceOf)
    }
  })
  const skipped = new Set(whole.filter(({ action }) => action === 'skip').map(({ name }) => name))
  for (const parameter of whole) {
    if (parameter.action === 'tied' && skipped.has(parameter.tiedTo ?? '')) {
      throw new WeightInitError(
        'INVALID_MODEL',
        `Parameter ${show(parameter.name)} is tied to ${show(parameter.tiedTo)}, which is skipped; skip both or neither.`,
      )
    }
  }
  return assemblePlan(options, cutParameters(whole, validated, options.parts))
}

/** A plan from its parameters. */
export function assemblePlan(
  { seed, generatorSettings }: Pick<ResolvedOptions, 'seed' | 'generatorSettings'>,
  parameters: readonly PlannedParameter[],
): InitializationPlan {
  const own = parameters.filter(({ action }) => action === 'initialize')
  return {
    valueContract: 1,
    seed,
    generator: generatorSettings.name,
    generatorSettings,
    parameters,
    totals: {
      parameterCount: own.length,
      elementCount: own.reduce((sum, p) => sum + p.elementCount, 0),
      byteLength: own.reduce((sum, p) => sum + p.byteLength, 0),
    },
    toJSON() {
      return {
        valueContract: this.valueContract,
        seed: String(this.seed),
        generator: this.generator,
        ...(this.generator === 'philox' ? {} : { generatorSettings: this.generatorSettings }),
        totals: this.totals,
        parameters: this.parameters.map((p) => ({
          ...withoutPatches(p),
          description: describePlanned(p),
          stream: { key: String(p.stream.key), counter: String(p.stream.counter) },
        })),
      }
    },
  }
}

/** What is drawn; of an orthogonal distribution that is cut, also what is made for it. */
function describePlanned({ distribution, whole }: PlannedParameter): string {
  const description = describeDistribution(distribution)
  if (whole === undefined) return description
  const { matrixCount, rows, columns } = whole
  return `${description}, part of ${matrixCount} whole ${rows} x ${columns} ${matrixCount === 1 ? 'matrix' : 'matrices'}`
}

/** Patches follow from the rest; their bytes say nothing to a reader. */
function withoutPatches({ patches, ...rest }: PlannedParameter): Omit<PlannedParameter, 'patches'> {
  return rest
}

interface Choice {
  readonly initializer: Initializer | 'skip' | 'tied'
  readonly because: string
  readonly citation?: string
}
type Chooser = (parameter: Parameter) => Choice

function planParameter(
  parameter: Parameter,
  model: ReadonlyMap<string, Parameter>,
  choose: Chooser,
  options: ResolvedOptions,
  sourceOf: SourcePlanner,
): PlannedParameter {
  const { name, shape, elementCount, role, layout } = parameter
  const dtype = effectiveDType(parameter.dtype, options.dtype)
  const where = `Parameter ${show(name)}`
  const skipped = skippedBy(parameter, options)
  const choice: Choice =
    skipped !== undefined
      ? { initializer: 'skip', because: skipped }
      : parameter.tiedTo !== undefined
        ? tiedChoice(parameter, choose)
        : choose(parameter)
  const byteLength = elementCount * byteWidth(dtype)
  if (!Number.isSafeInteger(byteLength)) {
    throw new WeightInitError(
      'INVALID_SHAPE',
      `${where} of shape ${show(shape)} has more than 2^53 - 1 bytes, which cannot be addressed.`,
    )
  }
  const { initializer } = choice
  const absent = typeof initializer === 'string'
  const context = contextOf(parameter, model, options.fans, options.generatorSettings.name)
  const asked: Distribution =
    typeof initializer === 'string' ? { kind: 'constant', value: 0 } : distributionOf(initializer, context, where)
  const distribution = absent ? asked : checkDistribution(asked, dtype, where)
  const generatorSource = sourceOf({ name, elementCount, distribution: asked, where })
  return {
    name,
    shape,
    elementCount,
    dtype,
    byteLength,
    role,
    layout,
    action: typeof initializer === 'string' ? initializer : 'initialize',
    ...(parameter.tiedTo === undefined ? {} : { tiedTo: parameter.tiedTo }),
    rule: {
      initializer: typeof initializer === 'string' ? initializer : initializer.name,
      config: typeof initializer === 'string' ? {} : initializer.config,
      because: choice.because,
      ...(choice.citation === undefined ? {} : { citation: choice.citation }),
    },
    ...plannedFans(parameter, context),
    distribution,
    expected: expectedMoments(distribution),
    stream: parameterStream(name, options.seed),
    patches: absent ? [] : paddingPatch(parameter, distribution, dtype),
    ...(generatorSource === undefined ? {} : { generatorSource }),
  }
}

/** Which option leaves a parameter out, if one does. */
function skippedBy(parameter: Parameter, { skip, only }: ResolvedOptions): string | undefined {
  const skipper = skip.find((matcher) => matcher.matches(parameter))
  if (skipper !== undefined) return `option skip: ${skipper.text}`
  if (only === undefined || only.some((matcher) => matcher.matches(parameter))) return undefined
  return `option only: ${only.map(({ text }) => text).join(', ')}`
}

/** A tied parameter is not initialised itself; rules can only skip it. */
function tiedChoice(parameter: Parameter, choose: Chooser): Choice {
  let chosen: Choice | undefined
  try {
    chosen = choose(parameter)
  } catch {
    // No rule for it: none is needed.
  }
  return chosen?.initializer === 'skip' ? chosen : { initializer: 'tied', because: `tied to ${parameter.tiedTo}` }
}

function plannedFans(
  parameter: Parameter,
  context: ReturnType<typeof contextOf>,
): Pick<PlannedParameter, 'fans' | 'torchFans'> {
  if (parameter.shape.length < 2) return parameter.fan === undefined ? {} : { fans: context.fans() }
  const layout = calculateFans(parameter)
  const torch = calculateFans(parameter, 'torch')
  const same = layout.fanIn === torch.fanIn && layout.fanOut === torch.fanOut
  return { fans: context.fans(), ...(same ? {} : { torchFans: torch }) }
}

/** The padding row of an embedding is 0 after any random distribution, as in PyTorch's nn.Embedding. */
function paddingPatch({ name, paddingIndex, shape }: Parameter, distribution: Distribution, dtype: DType): Patch[] {
  if (paddingIndex === undefined || distribution.kind === 'constant') return []
  if (distribution.kind === 'orthogonal') {
    throw new WeightInitError(
      'INVALID_CONFIG',
      `Parameter ${show(name)}: a row of zeros (paddingIndex ${paddingIndex}) would break its orthogonality; ` +
        'leave paddingIndex out, or choose another initializer for it.',
    )
  }
  const columns = shape[1] ?? 1
  return [{ kind: 'range', first: paddingIndex * columns, count: columns, pattern: constantPattern(0, dtype) }]
}

function distributionOf(initializer: Initializer, context: ReturnType<typeof contextOf>, where: string): Distribution {
  const distribution: unknown = initializer.distribution(context)
  if (isDistribution(distribution)) return distribution
  throw new WeightInitError(
    'INVALID_CONFIG',
    `${where}: initializer ${show(initializer.name)} returned ${show(distribution)}, which is no distribution ` +
      `{ kind, ... }; known kinds: ${distributionKinds.join(', ')}.`,
  )
}

function chooser(initializer: InitializerArgument, config: Readonly<Record<string, unknown>>): Chooser {
  if (typeof initializer === 'string' || initializer instanceof Initializer) {
    const instance = typeof initializer === 'string' ? createInitializer(initializer, config) : initializer
    return (parameter) =>
      parameter.role === 'weight' ||
      parameter.role === 'embedding' ||
      (instance.appliesToEveryRole && parameter.role !== 'buffer')
        ? { initializer: instance, because: `the model's initializer, role ${parameter.role}` }
        : (defaultChoice(parameter) ?? unmatched(parameter, 'Its role has no default.'))
  }
  if (!Array.isArray(initializer)) {
    throw new WeightInitError(
      'INVALID_ARGUMENT',
      `initializer must be a name, an Initializer or a list of rules, but found ${show(initializer)}.`,
    )
  }
  const rules = initializer.map(compileRule)
  return (parameter) => {
    const rule = rules.find(({ matcher }) => matcher.matches(parameter))
    if (rule !== undefined) return rule.choice
    return (
      (parameter.role === 'weight' || parameter.role === 'embedding' ? undefined : defaultChoice(parameter)) ??
      unmatched(parameter, `None of the ${rules.length} rules matches it.`)
    )
  }
}

function compileRule(rule: unknown, index: number): { matcher: Matcher; choice: Choice } {
  const where = `rules[${index}]`
  if (typeof rule !== 'object' || rule === null || Array.isArray(rule)) {
    throw new WeightInitError('INVALID_ARGUMENT', `${where} must be { match, initializer }, but found ${show(rule)}.`)
  }
  refuseUnknownKeys(rule, ['match', 'initializer', 'config', 'citation'], where)
  const { match, initializer, config, citation } = rule as InitializerRule
  const matcher = createMatcher(match, where)
  if (initializer instanceof Initializer) {
    if (config !== undefined) {
      throw new WeightInitError('INVALID_CONFIG', `${where}: config belongs to an initializer given by name.`)
    }
  } else if (typeof initializer !== 'string') {
    throw new WeightInitError(
      'INVALID_ARGUMENT',
      `${where}: initializer must be a name, an Initializer or 'skip', but found ${show(initializer)}.`,
    )
  }
  if (citation !== undefined && typeof citation !== 'string') {
    throw new WeightInitError('INVALID_ARGUMENT', `${where}: citation must be a string, but found ${show(citation)}.`)
  }
  const chosen =
    initializer === 'skip'
      ? 'skip'
      : typeof initializer === 'string'
        ? createInitializer(initializer, config ?? {})
        : initializer
  const because = `${where}: ${matcher.text}`
  return { matcher, choice: { initializer: chosen, because, ...(citation === undefined ? {} : { citation }) } }
}

/** Biases and norm biases 0, norm scales 1, the running statistics of a batch norm as PyTorch and Keras start them. */
function defaultChoice({ role, name }: Parameter): Choice | undefined {
  const value = (v: number): Choice => ({
    initializer: new ConstantInitializer({ value: v }),
    because: `default of role ${role}`,
  })
  if (role === 'bias' || role === 'norm-bias') return value(0)
  if (role === 'norm-scale') return value(1)
  if (role === 'buffer') {
    if (/(^|[./])(running_var|moving_variance)$/.test(name)) return value(1)
    if (/(^|[./])(running_mean|moving_mean|num_batches_tracked)$/.test(name)) return value(0)
  }
  return undefined
}

function unmatched(parameter: Parameter, why: string): never {
  throw new WeightInitError(
    'UNMATCHED_PARAMETER',
    `No rule initialises parameter ${show(parameter.name)} (role ${parameter.role}, shape ${show(parameter.shape)}). ${why} ` +
      "Add a rule for it, such as { match: '*', initializer: 'zeros' }, or skip it.",
  )
}
