import { checkDistribution, type Distribution, expectedMoments } from './distributions.js'
import { byteWidth, checkDType, type DType } from './dtype.js'
import { refuseUnknownKeys, show, WeightInitError } from './errors.js'
import { type ParameterRole, parameterRoles } from './model/types.js'
import { validateShape } from './model/validate.js'
import { type GeneratorName, generators } from './options.js'
import { checkPart, partShape } from './parts/cut.js'
import type { ParameterPart } from './parts/types.js'
import { assemblePlan, type InitializationPlan, type PlannedParameter } from './plan.js'
import { parameterStream } from './random/keys.js'

/** Enough to make the same weights again, as JSON. */
export interface InitializationManifest {
  readonly format: 'webgpu-init-manifest'
  readonly version: 1
  readonly valueContract: 1
  readonly generator: string
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
}

export function manifestOf(plan: InitializationPlan): InitializationManifest {
  return {
    format: 'webgpu-init-manifest',
    version: 1,
    valueContract: plan.valueContract,
    generator: plan.generator,
    seed: String(plan.seed),
    parameters: plan.parameters
      .filter(({ action }) => action !== 'skip')
      .map(({ name, shape, part, dtype, role, rule, distribution, tiedTo }) => ({
        name,
        shape,
        ...(part === undefined ? {} : { part }),
        dtype,
        role,
        initializer: rule.initializer,
        config: rule.config,
        distribution,
        ...(tiedTo === undefined ? {} : { tiedTo }),
      })),
  }
}

/** The numbers of every law. A new kind of law has to be added here before this compiles. */
const lawKeys: Readonly<Record<Distribution['kind'], readonly string[]>> = {
  constant: ['value'],
  uniform: ['low', 'high'],
  normal: ['mean', 'std'],
}

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
  const table = record(parsed, 'it', ['format', 'version', 'valueContract', 'generator', 'seed', 'parameters'])
  const { format, version, valueContract, generator, seed, parameters } = table
  if (format !== 'webgpu-init-manifest') fail(`format must be "webgpu-init-manifest", but found ${show(format)}.`)
  if (version !== 1 || valueContract !== 1) {
    fail(
      `version ${show(version)} with value contract ${show(valueContract)} was not made by this release, which knows ` +
        'version 1 with contract 1. Use the release that wrote it.',
    )
  }
  if (!(generators as readonly unknown[]).includes(generator)) {
    fail(`unknown generator ${show(generator)}; known: ${generators.join(', ')}.`)
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
    generator: generator as GeneratorName,
  }
  const byName = new Map<string, PlannedParameter>()
  for (const [index, entry] of parameters.entries()) {
    const planned = plannedParameter(entry, index, options.seed)
    if (byName.has(planned.name)) fail(`two parameters are called ${show(planned.name)}.`)
    byName.set(planned.name, planned)
  }
  for (const planned of byName.values()) checkTie(planned, byName)
  return assemblePlan(options, [...byName.values()])
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new WeightInitError('INVALID_FILE', `Manifest: not valid JSON: ${(cause as Error).message}.`, { cause })
  }
}

const entryKeys = ['name', 'shape', 'part', 'dtype', 'role', 'initializer', 'config', 'distribution', 'tiedTo']

function plannedParameter(value: unknown, index: number, seed: number | bigint): PlannedParameter {
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
  const distribution = checkedLaw(entry.distribution, dtype, where)
  const part = entry.part === undefined ? undefined : checkedPart(entry.part, shape, where)
  return {
    name,
    shape,
    ...(part === undefined ? {} : { part }),
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
  }
}

function checkedLaw(value: unknown, dtype: DType, where: string): Distribution {
  const kind: unknown = (value as { kind?: unknown } | null | undefined)?.kind
  if (typeof kind !== 'string' || !Object.hasOwn(lawKeys, kind)) {
    return fail(`${where}: unknown distribution ${show(value)}; known kinds: ${Object.keys(lawKeys).join(', ')}.`)
  }
  const keys = lawKeys[kind as Distribution['kind']]
  const law = record(value, `${where}: distribution`, ['kind', ...keys])
  for (const key of keys) {
    if (typeof law[key] !== 'number')
      fail(`${where}: distribution.${key} must be a number, but found ${show(law[key])}.`)
  }
  return checkDistribution(law as unknown as Distribution, dtype, where)
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
