import { floatFormats, isFloatDType } from '../core/dtype.js'
import { isDrawn } from '../distributions/registry.js'
import type { Initializer } from '../initializers/initializer.js'
import type { InitializerName } from '../initializers/names.js'
import { familyOf } from '../initializers/registry.js'
import type { InitializerArgument, InitializerRule } from '../initializers/rules.js'
import type { Model } from '../ir/parameter.js'
import type { InitializationPlan, PlannedParameter } from '../ir/plan.js'
import { type ConfigOrOptions, type InstanceArguments, type LooseArguments, splitArguments } from './arguments.js'
import { UNMATCHED } from './choose-initializer.js'
import { type InitializeOptions, resolveOptions } from './options.js'
import { planResolved } from './plan.js'

/**
 * What may be wrong with a plan:
 * - `unmatched`: no rule initialises it
 * - `norm-scale-random`: a norm's scale is drawn at random, where it should begin at 1 (0 in a zero-initialised branch)
 * - `norm-scale-constant`: a norm's scale begins at a constant other than 0 and 1
 * - `bias-random`: a bias is drawn at random, or a norm's
 * - `weight-constant`: every element of a weight is the same number, so that all units of the layer learn the same
 * - `embedding-zero`: every token has the same embedding, 0
 * - `std-huge`: std * sqrt(fan_in) of a weight is over 10: one layer multiplies its input by more than ten
 * - `signal-explodes`, `signal-vanishes`: through the layers of the model, or those between two norms
 * - `tied-embedding-wide`: an embedding that is also the output layer has std * sqrt(width) over 10: so wide are the logits
 * - `tied-twice`: several parameters share one's memory
 * - `tie-missing`: an output layer has the shape of the embedding and is not tied to it
 * - `fans-differ`: the distribution is made from fans that PyTorch would compute otherwise
 * - `subnormal`: the dtype holds most of the values with fewer than its bits, below its smallest normal number
 * - `role-guessed`: what it is follows from no convention for certain, and its value depends on it
 * - `dtypes-differ`: the weights of the model have different floating dtypes; a note where only norms and scales differ
 */
export type PlanFindingCode =
  | 'unmatched'
  | 'norm-scale-random'
  | 'norm-scale-constant'
  | 'bias-random'
  | 'weight-constant'
  | 'embedding-zero'
  | 'std-huge'
  | 'signal-explodes'
  | 'signal-vanishes'
  | 'tied-embedding-wide'
  | 'tied-twice'
  | 'tie-missing'
  | 'fans-differ'
  | 'subnormal'
  | 'role-guessed'
  | 'dtypes-differ'

/** One thing that a look at a plan shows. Plain data. */
export interface PlanFinding {
  readonly code: PlanFindingCode
  /** error: it cannot be initialised; warning: it is most likely wrong; note: it may be meant. */
  readonly severity: 'error' | 'warning' | 'note'
  /** The parameter it is about; of several, the first. */
  readonly parameter: string
  /** What is so, with the numbers, and what to do where it is not meant. */
  readonly message: string
}

/** A layer that multiplies its input by more is flagged alone. */
const HUGE_GAIN = 10
/**
 * What an activation may take away or a norm-free design expects: from 0.5 (PyTorch's default is 1/sqrt(3)) to 5/3 (tanh's
 * gain; relu's is sqrt(2)) a layer counts as neutral.
 */
const NEUTRAL = [0.5, 5 / 3] as const
const EXPLODES = 1e3
const VANISHES = 1e-3

/**
 * Looks a plan over for what is probably not meant. It knows rules of thumb, not the model: an empty list is no proof, and
 * a note may be the author's intention (zero-initialised branches, PyTorch's random biases).
 *
 * Depth: a weight multiplies the standard deviation of its input by about std * sqrt(fan_in). Weights are taken in the
 * model's order, and a norm ends a chain; gains from 0.5 to 5/3 count as 1, others by how far they are beyond. A chain that
 * grows a thousandfold explodes. Vanishing is only looked for in models without any norm.
 *
 * @param plan from `planModel`
 * @param tied parameters that share another's memory and are not in the plan, by name: what a config's reader gives
 * @param guesses parameters of which a checkpoint's reader is not certain, and why
 */
export function diagnosePlan(
  plan: InitializationPlan,
  tied: Readonly<Record<string, string>> = {},
  guesses: readonly { readonly name: string; readonly reason: string }[] = [],
): PlanFinding[] {
  const { parameters } = plan
  const reasons = new Map(guesses.map(({ name, reason }) => [name, reason]))
  const findings: PlanFinding[] = []
  const tiedTo = new Map<string, string[]>()
  const ties = parameters.flatMap(({ name, tiedTo: owner }) => (owner === undefined ? [] : [[name, owner] as const]))
  for (const [name, owner] of [...ties, ...Object.entries(tied)]) {
    tiedTo.set(owner, [...(tiedTo.get(owner) ?? []), name])
  }
  for (const parameter of parameters) {
    const add = (code: PlanFindingCode, severity: PlanFinding['severity'], message: string): void => {
      findings.push({ code, severity, parameter: parameter.name, message })
    }
    const { action, role, rule, expected } = parameter
    const reason = reasons.get(parameter.name)
    if (action === 'skip' && rule.because.startsWith(UNMATCHED)) {
      const why = reason ?? rule.because.slice(UNMATCHED.length + 2).replace(/\.$/, '')
      add('unmatched', 'error', `No rule initialises it (role ${role}): ${why}. Add a rule for it, or skip it.`)
    }
    if (action !== 'initialize') continue
    if (reason !== undefined && (/\brole\b/.test(rule.because) || rule.initializer === 'torch_default')) {
      const value = expected.std === 0 ? `begins at ${short(expected.mean)}` : `has std ${short(expected.std)}`
      add(
        'role-guessed',
        'warning',
        `It counts as ${role} and ${value}, but ${reason}. Give it a rule or a role if it is another.`,
      )
    }
    ownFindings(parameter, add)
    tieFindings(parameter, parameters, tiedTo.get(parameter.name) ?? [], add)
  }
  return [...findings, ...dtypeFindings(parameters), ...depthFindings(parameters)]
}

/** Plans as `planModel` does, but takes parameters that no rule matches for skipped: `diagnosePlan` then lists them. */
export function planEveryParameter(
  model: Model,
  initializer: Initializer | readonly InitializerRule[],
  ...rest: InstanceArguments
): InitializationPlan
export function planEveryParameter<Given extends InitializerName | Initializer>(
  model: Model,
  initializer: Given | readonly InitializerRule[],
  config?: ConfigOrOptions<Given>,
  options?: InitializeOptions,
): InitializationPlan
export function planEveryParameter(
  model: Model,
  initializer: InitializerArgument,
  ...rest: LooseArguments
): InitializationPlan {
  const { config, options } = splitArguments(initializer, rest)
  return planResolved(model, initializer, config, resolveOptions(options), 'skip')
}

type Add = (code: PlanFindingCode, severity: PlanFinding['severity'], message: string) => void

/** Initializers that draw biases, and are meant to. */
const usualReasons: Readonly<Record<string, string>> = {
  torch_default: ", as PyTorch's layers do",
  recorded: ', as it was recorded',
}
const short = (x: number): string => String(Number(x.toPrecision(3)))

function ownFindings(
  { role, distribution, expected, rule, dtype, fans, torchFans, ...rest }: PlannedParameter,
  add: Add,
): void {
  const { std } = expected
  const constant = distribution.kind === 'constant' ? distribution.value : undefined
  const drawn = isDrawn(distribution)
  const spread = Number.isNaN(std) ? 'unknown std' : `std ${short(std)}`
  if (role === 'norm-scale') {
    if (drawn) {
      add(
        'norm-scale-random',
        'warning',
        `A norm's scale is drawn from a distribution of ${spread}; it should begin at 1.`,
      )
    } else if (constant !== undefined && constant !== 0 && constant !== 1) {
      add('norm-scale-constant', 'note', `A norm's scale begins at ${short(constant)}, not at 1.`)
    }
  }
  if ((role === 'bias' || role === 'norm-bias') && drawn) {
    const usual = usualReasons[rule.initializer] ?? ''
    add(
      'bias-random',
      usual ? 'note' : 'warning',
      `A ${role} is drawn at random, ${spread}${usual}; most recipes begin at 0.`,
    )
  }
  if (role === 'embedding' && constant === 0) {
    add('embedding-zero', 'warning', 'Every row is 0: all tokens begin the same.')
  } else if ((role === 'weight' || role === 'embedding') && constant !== undefined) {
    add(
      'weight-constant',
      constant === 0 ? 'note' : 'warning',
      `Every element is ${short(constant)}${constant === 0 ? ', as in a zero-initialised branch' : ': all units of the layer learn the same'}.`,
    )
  }
  const gain = gainOf({ role, fans, expected, ...rest })
  if (gain !== undefined && gain > HUGE_GAIN) {
    add(
      'std-huge',
      'warning',
      `std ${short(std)} with fan_in ${fans!.fanIn} multiplies the input by ${short(gain)}; about 1 is usual, std ${short(1 / Math.sqrt(fans!.fanIn))}.`,
    )
  }
  if (torchFans !== undefined && fans !== undefined && familyOf(rule.initializer)?.usesFans) {
    const same = fans.fanIn === torchFans.fanIn && fans.fanOut === torchFans.fanOut
    const used = same ? "PyTorch's fans are used" : "the layer's true fans are used"
    add(
      'fans-differ',
      'note',
      `fan_in ${fans.fanIn}, fan_out ${fans.fanOut}; PyTorch computes ${torchFans.fanIn} and ${torchFans.fanOut} from the shape: ${used}.`,
    )
  }
  if (isFloatDType(dtype) && constant === undefined && std < 2 * floatFormats[dtype].smallestNormal) {
    const { smallestNormal } = floatFormats[dtype]
    add(
      'subnormal',
      'warning',
      `std ${short(std)} is under ${dtype}'s normal range (from ${short(smallestNormal)}); use bfloat16 or float32.`,
    )
  }
}

function dtypeFindings(parameters: readonly PlannedParameter[]): PlanFinding[] {
  const firsts = (isWeight: boolean): Map<string, PlannedParameter> => {
    const found = new Map<string, PlannedParameter>()
    for (const parameter of parameters) {
      const { action, dtype, role } = parameter
      const counts = isWeight === (role === 'weight' || role === 'embedding' || role === 'bias')
      if (action === 'initialize' && isFloatDType(dtype) && counts && !found.has(dtype)) found.set(dtype, parameter)
    }
    return found
  }
  const [first, ...others] = firsts(true).values()
  const list = (all: Iterable<PlannedParameter>): string =>
    Array.from(all, ({ name, dtype }) => `${name} is ${dtype}`).join(', ')
  const finding = (severity: PlanFinding['severity'], parameter: string, message: string): PlanFinding[] => [
    { code: 'dtypes-differ', severity, parameter, message },
  ]
  if (first === undefined) return []
  if (others.length > 0) {
    return finding(
      'warning',
      others[0]!.name,
      `The weights have different dtypes: ${list([first, ...others])}. --dtype settles all.`,
    )
  }
  const rest = [...firsts(false).values()].filter(({ dtype }) => dtype !== first.dtype)
  if (rest.length === 0) return []
  return finding('note', rest[0]!.name, `Weights are ${first.dtype}, but ${list(rest)}, as is usual for norms.`)
}

/** By how much a weight multiplies the standard deviation of its input. */
function gainOf({
  role,
  fans,
  expected,
}: Pick<PlannedParameter, 'role' | 'expected'> & { fans?: PlannedParameter['fans'] | undefined }): number | undefined {
  if (role !== 'weight' || fans === undefined || expected.std === 0) return undefined
  return expected.std * Math.sqrt(fans.fanIn)
}

const outputLayer = /(^|\.)(lm_head|embed_out|output_projection|cls\.predictions\.decoder|lm_head\.decoder)\.weight$/

function tieFindings(
  parameter: PlannedParameter,
  all: readonly PlannedParameter[],
  sharers: readonly string[],
  add: Add,
): void {
  const { name, role, shape, expected } = parameter
  if (sharers.length > 1) {
    add('tied-twice', 'note', `${sharers.length} parameters share its memory: ${sharers.join(', ')}.`)
  }
  if (role === 'embedding') {
    const logits = expected.std * Math.sqrt(shape[1] ?? 1)
    if (sharers.some((sharer) => outputLayer.test(sharer)) && logits > HUGE_GAIN) {
      add(
        'tied-embedding-wide',
        'note',
        `It is also the output layer: std ${short(expected.std)} makes logits of std ${short(logits)}, unless the model scales them, as T5 does.`,
      )
    }
  } else if (outputLayer.test(name)) {
    const like = all.find(
      (p) =>
        p.role === 'embedding' &&
        p.action === 'initialize' &&
        p.shape.length === shape.length &&
        p.shape.every((n, i) => n === shape[i]),
    )
    if (like !== undefined) {
      add(
        'tie-missing',
        'note',
        `It has the shape of ${like.name} and values of its own; if the model ties them, give it tiedTo.`,
      )
    }
  }
}

interface Chain {
  readonly first: string
  last: string
  layers: number
  growth: number
  shrink: number
}

function depthFindings(parameters: readonly PlannedParameter[]): PlanFinding[] {
  const chains: Chain[] = []
  let open = false
  const hasNorm = parameters.some(({ role }) => role === 'norm-scale')
  for (const parameter of parameters) {
    if (parameter.role === 'norm-scale') open = false
    const gain = parameter.action === 'initialize' ? gainOf(parameter) : undefined
    if (gain === undefined) continue
    if (!open) chains.push({ first: parameter.name, last: parameter.name, layers: 0, growth: 1, shrink: 1 })
    open = true
    const chain = chains.at(-1)!
    chain.last = parameter.name
    chain.layers++
    if (gain > NEUTRAL[1]) chain.growth *= gain / NEUTRAL[1]
    if (gain < NEUTRAL[0]) chain.shrink *= gain / NEUTRAL[0]
  }
  const findings: PlanFinding[] = []
  const exploding = chains.filter(({ growth }) => growth > EXPLODES)
  const worst = exploding.reduce<Chain | undefined>(
    (a, b) => (a === undefined || b.growth > a.growth ? b : a),
    undefined,
  )
  if (worst !== undefined) {
    const elsewhere = exploding.length > 1 ? ` The same in ${exploding.length - 1} other runs of layers.` : ''
    findings.push({
      code: 'signal-explodes',
      severity: 'warning',
      parameter: worst.first,
      message: `The signal grows about ${worst.growth.toExponential(0)}-fold over ${worst.layers} layers, from here to ${worst.last}${hasNorm ? ', before a norm' : ''}.${elsewhere}`,
    })
  }
  const fading = hasNorm ? undefined : chains.find(({ shrink }) => shrink < VANISHES)
  if (fading !== undefined) {
    findings.push({
      code: 'signal-vanishes',
      severity: 'warning',
      parameter: fading.first,
      message: `The signal shrinks to about ${fading.shrink.toExponential(0)} of itself over ${fading.layers} layers, from here to ${fading.last}, and no norm restores it.`,
    })
  }
  return findings
}
