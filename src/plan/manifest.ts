import { byteWidth, checkDType, type DType } from '../core/dtype.js'
import { refuseUnknownKeys, show, WeightInitError } from '../core/errors.js'
import { constantPattern } from '../distributions/constant.js'
import { checkDistribution, expectedMoments } from '../distributions/registry.js'
import { generatorNames, resolveGenerator } from '../generators/settings.js'
import { checkGeneratorDistribution, fixedDistributions } from '../generators/sources.js'
import type { Distribution } from '../ir/distribution.js'
import type { GeneratorOption, GeneratorSettings, GeneratorSource } from '../ir/generator.js'
import { type ParameterRole, parameterRoles } from '../ir/parameter.js'
import type { ParameterPart } from '../ir/part.js'
import type { InitializationPlan, PlannedParameter } from '../ir/plan.js'
import { validateShape } from '../model/validate.js'
import { parameterStream } from '../random/keys.js'
import { checkPart, checkPartSource, partShape } from './parts/cut.js'
import { wholeMatrices } from './parts/whole.js'
import { assemblePlan } from './plan.js'

/** Enough to make the same weights again, as JSON. */
export interface InitializationManifest {
  readonly format: 'webgpu-init-manifest'
  readonly version: 1
  readonly valueContract: 1
  readonly generator: string
  /** Settings of a generator other than 'philox'. */
  readonly generatorSettings?: GeneratorSettings
  /** Decimal string: seeds have 64 bits. */
  readonly seed: string
  readonly parameters: readonly ManifestParameter[]
}

export interface ManifestParameter {
  readonly name: string
  /** Of what is held: the part's where there is one. */
  readonly shape: readonly number[]
  readonly part?: ParameterPart
  readonly dtype: DType
  readonly role: string
  readonly initializer: string
  readonly config: Readonly<Record<string, unknown>>
  readonly distribution: Distribution
  readonly tiedTo?: string
  /** Elements [first, first + count) of the full tensor that are 0 whatever the distribution: an embedding's padding row. */
  readonly padding?: { readonly first: number; readonly count: number }
  /** Where its words come from with a generator other than 'philox'. */
  readonly generatorSource?: GeneratorSource
}

export function manifestOf(plan: InitializationPlan): InitializationManifest {
  return {
    format: 'webgpu-init-manifest',
    version: 1,
    valueContract: plan.valueContract,
    generator: plan.generator,
    ...(plan.generator === 'philox' ? {} : { generatorSettings: plan.generatorSettings }),
    seed: String(plan.seed),
    parameters: plan.parameters
      .filter(({ action }) => action !== 'skip')
      .map(({ name, shape, part, dtype, role, rule, distribution, tiedTo, generatorSource, patches }) => ({
        name,
        shape,
        ...(part === undefined ? {} : { part }),
        dtype,
        role,
        initializer: rule.initializer,
        config: rule.config,
        distribution,
        ...(tiedTo === undefined ? {} : { tiedTo }),
        ...(patches[0] === undefined ? {} : { padding: { first: patches[0].first, count: patches[0].count } }),
        ...(generatorSource === undefined ? {} : { generatorSource }),
      })),
  }
}

/** The numbers of every distribution; a diagonal's runs are looked at beside. A sampler of the user's own is no data. */
const distributionKeys: Readonly<Record<Exclude<Distribution['kind'], 'custom'>, readonly string[]>> = {
  constant: ['value'],
  uniform: ['low', 'high'],
  normal: ['mean', 'std'],
  'truncated-normal': ['mean', 'std', 'low', 'high'],
  sparse: ['std', 'rows', 'columns', 'zeros'],
  diagonal: ['value', 'elementCount'],
  orthogonal: ['gain', 'batch', 'rows', 'columns', 'field', 'centre', 'stride'],
  sinusoid: ['rows', 'columns', 'maxTimescale'],
}
/** What is no number in a distribution. */
const otherKeys: Readonly<Record<string, readonly string[]>> = { diagonal: ['runs'], sinusoid: ['arrangement'] }

const fail = (message: string): never => {
  throw new WeightInitError('INVALID_FILE', `Manifest: ${message}`)
}

function record(value: unknown, what: string, keys: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return fail(`${what} must be an object, but found ${show(value)}.`)
  }
  refuseUnknownKeys(value, keys, `manifest: ${what}:`, 'INVALID_FILE')
  return value as Record<string, unknown>
}

/**
 * The plan that a manifest describes. The manifest may come from anywhere: every field is checked, and nothing is
 * allocated.
 *
 * @param manifest what `manifest()` gave, parsed or as JSON text
 * @throws WeightInitError `INVALID_FILE` (or the code of the parameter's fault) naming the field and the value
 */
export function planFromManifest(manifest: unknown): InitializationPlan {
  const parsed = typeof manifest === 'string' ? parseJson(manifest) : manifest
  const table = record(parsed, 'it', manifestKeys)
  const { format, version, valueContract, generator, generatorSettings, seed, parameters } = table
  if (format !== 'webgpu-init-manifest') fail(`format must be "webgpu-init-manifest", but found ${show(format)}.`)
  if (version !== 1 || valueContract !== 1) {
    fail(
      `version ${show(version)} with value contract ${show(valueContract)} was not made by this release, which knows ` +
        'version 1 with contract 1. Use the release that wrote it.',
    )
  }
  if (!(generatorNames as readonly unknown[]).includes(generator)) {
    fail(`unknown generator ${show(generator)}; known: ${generatorNames.join(', ')}.`)
  }
  if (typeof seed !== 'string' || !/^-?[0-9]{1,400}$/.test(seed)) {
    return fail(`seed must be a decimal string, but found ${show(seed)}.`)
  }
  if (!Array.isArray(parameters) || parameters.length === 0) {
    return fail(`parameters must be a list that is not empty, but found ${show(parameters)}.`)
  }
  const integer = BigInt(seed)
  const numeric = Number(seed)
  const options = {
    seed: Number.isSafeInteger(numeric) ? numeric : integer,
    generatorSettings: checkedSettings(generator as GeneratorSettings['name'], generatorSettings),
  }
  const byName = new Map<string, PlannedParameter>()
  for (const [index, entry] of parameters.entries()) {
    const planned = plannedParameter(entry, index, options)
    if (byName.has(planned.name)) fail(`two parameters are called ${show(planned.name)}.`)
    byName.set(planned.name, planned)
  }
  for (const planned of byName.values()) checkTie(planned, byName)
  return assemblePlan(options, [...byName.values()])
}

const manifestKeys = ['format', 'version', 'valueContract', 'generator', 'generatorSettings', 'seed', 'parameters']

function checkedSettings(generator: GeneratorSettings['name'], value: unknown): GeneratorSettings {
  if (value === undefined) {
    if (generator === 'philox') return { name: 'philox' }
    return fail(`generator ${generator} needs its generatorSettings.`)
  }
  const { layout, ...settings } = record(value, 'generatorSettings', [
    'name',
    'variant',
    'truncation',
    'layout',
    'threads',
    'keys',
  ])
  if (settings.name !== generator) fail(`generatorSettings are of ${show(settings.name)}, not of ${generator}.`)
  if (layout !== (generator === 'torch-cuda' ? 'torch-cuda-v1' : undefined)) {
    fail(`generatorSettings.layout ${show(layout)} was not made by this release.`)
  }
  return resolveGenerator(settings as unknown as GeneratorOption)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new WeightInitError('INVALID_FILE', `Manifest: not valid JSON: ${(cause as Error).message}.`, { cause })
  }
}

const entryKeys = [
  'name',
  'shape',
  'part',
  'dtype',
  'role',
  'initializer',
  'config',
  'distribution',
  'tiedTo',
  'padding',
  'generatorSource',
]

function plannedParameter(
  value: unknown,
  index: number,
  { seed, generatorSettings }: { seed: number | bigint; generatorSettings: GeneratorSettings },
): PlannedParameter {
  const entry = record(value, `parameters[${index}]`, entryKeys)
  const { name, role, initializer, config, tiedTo } = entry
  if (typeof name !== 'string' || name.length === 0) {
    return fail(`parameters[${index}]: name must be a non-empty string, but found ${show(name)}.`)
  }
  const where = `Parameter ${show(name)}`
  const { shape, elementCount } = validateShape(entry.shape, where)
  const dtype = checkDType(entry.dtype, where)
  if (!(parameterRoles as readonly unknown[]).includes(role)) {
    fail(`${where}: unknown role ${show(role)}; known: ${parameterRoles.join(', ')}.`)
  }
  if (typeof initializer !== 'string') fail(`${where}: initializer must be a name, but found ${show(initializer)}.`)
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    fail(`${where}: config must be an object, but found ${show(config)}.`)
  }
  if (tiedTo !== undefined && typeof tiedTo !== 'string') {
    fail(`${where}: tiedTo must be a name, but found ${show(tiedTo)}.`)
  }
  const byteLength = elementCount * byteWidth(dtype)
  if (!Number.isSafeInteger(byteLength)) fail(`${where} of shape ${show(shape)} has more than 2^53 - 1 bytes.`)
  const part = entry.part === undefined ? undefined : checkedPart(entry.part, shape, where)
  const fullCount = (part?.fullShape ?? shape).reduce((product, length) => product * length, 1)
  const distribution = checkedDistribution(entry.distribution, dtype, fullCount, where)
  const padding = entry.padding === undefined ? undefined : checkedPadding(entry.padding, fullCount, where)
  if (padding !== undefined && distribution.kind === 'orthogonal')
    fail(`${where}: an orthogonal distribution has no padding row.`)
  const whole = part === undefined ? undefined : wholeMatrices(distribution, part)
  const generatorSource = checkedSource(entry.generatorSource, {
    generatorSettings,
    distribution,
    fullCount,
    tied: tiedTo !== undefined,
    where,
  })
  const planned: PlannedParameter = {
    name,
    shape,
    ...(part === undefined ? {} : { part }),
    ...(whole === undefined ? {} : { whole }),
    elementCount,
    dtype,
    byteLength,
    role: role as ParameterRole,
    layout: 'out-in',
    action: tiedTo === undefined ? 'initialize' : 'tied',
    ...(tiedTo === undefined ? {} : { tiedTo: tiedTo as string }),
    rule: {
      initializer: initializer as string,
      config: config as Readonly<Record<string, unknown>>,
      because: 'the manifest',
    },
    distribution,
    expected: expectedMoments(distribution),
    stream: parameterStream(name, seed),
    patches: padding === undefined ? [] : [{ kind: 'range', ...padding, pattern: constantPattern(0, dtype) }],
    ...(generatorSource === undefined ? {} : { generatorSource }),
  }
  checkPartSource(planned)
  return planned
}

const isCount = (value: unknown, least: number, most: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most

function checkedPadding(value: unknown, fullCount: number, where: string): { first: number; count: number } {
  const { first, count } = record(value, `${where}: padding`, ['first', 'count'])
  if (!isCount(first, 0, fullCount - 1) || !isCount(count, 1, fullCount - first)) {
    return fail(`${where}: padding ${show(value)} is no range of its ${fullCount} elements.`)
  }
  return { first, count }
}

const sourceKeys: Readonly<Record<Exclude<GeneratorSettings['name'], 'philox'>, readonly string[]>> = {
  'torch-cpu': ['variant', 'draw', 'truncation', 'seed', 'position', 'count', 'cachedAt'],
  'torch-cuda': ['seed', 'offset', 'threads', 'count', 'position'],
  'torch-stateless': ['seed', 'offset'],
  jax: ['key', 'count'],
  'jax-legacy': ['key', 'count'],
}

/** Far beyond any model: the words after it, of many draws of the largest tensor, still have exact positions. */
const LAST_POSITION = 2 ** 52
const drawingKinds: readonly unknown[] = ['uniform', 'normal', 'truncated-normal', 'sparse', 'orthogonal']

interface SourceContext {
  readonly generatorSettings: GeneratorSettings
  readonly distribution: Distribution
  readonly fullCount: number
  readonly tied: boolean
  readonly where: string
}

function checkedSource(
  value: unknown,
  { generatorSettings, distribution, fullCount, tied, where }: SourceContext,
): GeneratorSource | undefined {
  const { name } = generatorSettings
  const { kind } = distribution
  const draws = !fixedDistributions.includes(kind)
  if (value === undefined) {
    if (name !== 'philox' && draws && !tied) fail(`${where} needs its generatorSource with generator ${name}.`)
    return undefined
  }
  if (name === 'philox') return fail(`${where}: generator philox has no generatorSource, but found ${show(value)}.`)
  if (draws) checkGeneratorDistribution(distribution, generatorSettings, where)
  const source = record(value, `${where}: generatorSource`, ['generator', ...sourceKeys[name]])
  const word = (x: unknown): boolean => isCount(x, 0, 2 ** 32 - 1)
  const decimal = (x: unknown): boolean => typeof x === 'string' && /^[0-9]{1,20}$/.test(x) && BigInt(x) < 2n ** 64n
  const checks: Readonly<Record<string, (x: unknown) => boolean>> = {
    generator: (x) => x === name,
    variant: (x) => x === 'fma' || x === 'no-contraction',
    draw: (x) => (draws ? x === kind : drawingKinds.includes(x)),
    truncation: (x) =>
      'draw' in source && source.draw === 'truncated-normal'
        ? 'truncation' in generatorSettings && x === generatorSettings.truncation
        : x === undefined,
    seed: name === 'torch-cpu' ? word : decimal,
    position: (x) => (name === 'torch-cuda' && kind !== 'sparse' ? x === undefined : isCount(x, 0, LAST_POSITION)),
    cachedAt: (x) => x === undefined || isCount(x, 0, LAST_POSITION),
    count: (x) => x === (name === 'torch-cuda' && kind !== 'truncated-normal' ? undefined : fullCount),
    offset: (x) => decimal(x) && (name !== 'torch-cuda' || BigInt(x as string) % 4n === 0n),
    threads: (x) => isCount(x, 1, 2 ** 31),
    key: (x) => Array.isArray(x) && x.length === 2 && x.every(word),
  }
  const most = name === 'torch-cuda' ? 2 ** 31 - 1 : name === 'jax-legacy' ? 2 ** 32 - 2 : Number.MAX_SAFE_INTEGER
  if (fullCount > most) fail(`${where}: generator ${name} takes at most ${most} elements, but found ${fullCount}.`)
  for (const key of ['generator', ...sourceKeys[name]]) {
    if (!checks[key]!(source[key]))
      fail(`${where}: generatorSource.${key} ${show(source[key])} is none of generator ${name}.`)
  }
  return source as unknown as GeneratorSource
}

function checkedDistribution(value: unknown, dtype: DType, fullCount: number, where: string): Distribution {
  const kind: unknown = (value as { kind?: unknown } | null | undefined)?.kind
  if (kind === 'custom') {
    return fail(
      `${where} has a sampler of its own (defineSampler), whose code is not in the manifest; call initializeModel with it ` +
        'and the same seed.',
    )
  }
  if (typeof kind !== 'string' || !Object.hasOwn(distributionKeys, kind)) {
    return fail(
      `${where}: unknown distribution ${show(value)}; known kinds: ${Object.keys(distributionKeys).join(', ')}.`,
    )
  }
  const keys = distributionKeys[kind as keyof typeof distributionKeys]
  const given = record(value, `${where}: distribution`, ['kind', ...keys, ...(otherKeys[kind] ?? [])])
  const distribution = kind === 'truncated-normal' ? withInfinities(given) : given
  for (const key of keys) {
    if (typeof distribution[key] !== 'number')
      fail(`${where}: distribution.${key} must be a number, but found ${show(distribution[key])}.`)
  }
  checkGeometry(distribution as unknown as Distribution, fullCount, where)
  return checkDistribution(distribution as unknown as Distribution, dtype, where)
}

/** JSON has no infinite numbers: a bound that is not there is null. */
function withInfinities(distribution: Record<string, unknown>): Record<string, unknown> {
  const { low, high } = distribution
  return { ...distribution, low: low ?? Number.NEGATIVE_INFINITY, high: high ?? Number.POSITIVE_INFINITY }
}

function checkGeometry(distribution: Distribution, fullCount: number, where: string): void {
  if (distribution.kind === 'sparse') {
    const { rows, columns, zeros } = distribution
    if (!isCount(rows, 1, fullCount) || !isCount(columns, 1, fullCount) || !isCount(zeros, 0, rows)) {
      fail(`${where}: ${show(distribution)} is no sparse distribution of ${fullCount} elements.`)
    }
    if (rows * columns !== fullCount) fail(`${where}: ${rows} x ${columns} are not its ${fullCount} elements.`)
  }
  if (distribution.kind === 'sinusoid' && distribution.rows * distribution.columns !== fullCount) {
    fail(`${where}: ${show(distribution)} is no table of ${fullCount} elements.`)
  }
  if (distribution.kind === 'orthogonal') {
    const { batch, rows, columns, field, centre, stride } = distribution
    const counts = [batch, rows, columns, field].every((n) => isCount(n, 1, fullCount))
    const placed = isCount(centre, 0, field - 1) && (stride === 1 || stride === field)
    if (!counts || !placed || batch * rows * columns * field !== fullCount || (field > 1 && batch > 1)) {
      fail(`${where}: ${show(distribution)} is no orthogonal distribution of ${fullCount} elements.`)
    }
  }
  if (distribution.kind === 'diagonal') {
    const runs: unknown = distribution.runs
    if (distribution.elementCount !== fullCount || !Array.isArray(runs)) {
      fail(`${where}: ${show(distribution)} is no diagonal distribution of ${fullCount} elements.`)
    }
    for (const run of runs as unknown[]) {
      const { first, stride, count } = record(run, `${where}: a run`, ['first', 'stride', 'count'])
      const fits =
        isCount(first, 0, fullCount - 1) &&
        isCount(stride, 2, Number.MAX_SAFE_INTEGER) &&
        isCount(count, 1, fullCount) &&
        (count === 1 || first + (count - 1) * stride < fullCount)
      if (!fits) fail(`${where}: the run ${show(run)} is no diagonal of ${fullCount} elements.`)
    }
  }
}

function checkedPart(value: unknown, shape: readonly number[], where: string): ParameterPart {
  const { fullShape, start, end } = record(value, `${where}: part`, ['fullShape', 'start', 'end'])
  const full = validateShape(fullShape, `${where}: part.fullShape`).shape
  for (const [name, bounds] of Object.entries({ start, end })) {
    const fits =
      Array.isArray(bounds) && bounds.length === full.length && bounds.every((b) => Number.isSafeInteger(b) && b >= 0)
    if (!fits) fail(`${where}: part.${name} must have ${full.length} integers >= 0, but found ${show(bounds)}.`)
  }
  const part = { fullShape: full, start: start as number[], end: end as number[] }
  checkPart(part, `${where}: part`)
  if (shape.length !== full.length || partShape(part).some((length, axis) => length !== shape[axis])) {
    fail(`${where}: the part has shape ${show(partShape(part))}, but the parameter ${show(shape)}.`)
  }
  return part
}

function checkTie(
  { name, tiedTo, elementCount, dtype }: PlannedParameter,
  byName: ReadonlyMap<string, PlannedParameter>,
): void {
  if (tiedTo === undefined) return
  const owner = byName.get(tiedTo)
  if (owner === undefined || owner.tiedTo !== undefined) {
    fail(`parameter ${show(name)} is tied to ${show(tiedTo)}, which is no parameter with memory of its own.`)
  } else if (owner.elementCount !== elementCount || owner.dtype !== dtype) {
    fail(`parameter ${show(name)} is tied to ${show(tiedTo)}, which has another size or dtype.`)
  }
}
