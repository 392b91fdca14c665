import { checkDType, dtypes } from '../core/dtype.js'
import { show } from '../core/errors.js'
import { enableTorchPrograms } from '../generators/torch/program/engine.js'
import {
  fail,
  list,
  type ReadProgram,
  readProgram,
  readShape,
  record,
  text,
} from '../generators/torch/program/parse.js'
import type { ProgramTensor } from '../generators/torch/program/types.js'
import { Initializer, type InitializerContext } from '../initializers/initializer.js'
import type { InitializerRule } from '../initializers/rules.js'
import type { Distribution } from '../ir/distribution.js'
import type { Model, ParameterSpec } from '../ir/parameter.js'
import type { RecordedTensor, TorchProgram } from '../ir/program.js'
import { defineModel } from '../model/define.js'
import { parseStrictJson, type StrictJson } from './json/strict.js'
import { factsOf } from './module-facts.js'
import { follower, type Recorded, recordedDistribution, roundedReason } from './recording/distribution.js'
import { fixedDistribution } from './recording/fixed.js'
import { type Summary, summarise } from './recording/summary.js'

/** A parameter, and something that is to be known of it. */
export interface RecordedNote {
  readonly name: string
  readonly reason: string
}

/** A model that Python built, as `python/record.py` recorded it. */
export interface RecordedModel {
  /** The class: 'torchvision.models.resnet.ResNet'. */
  readonly architecture: string
  readonly model: Model
  /** The distribution of every parameter: what its last writes amount to. */
  readonly recipe: readonly InitializerRule[]
  /** Names that share another's memory, and are therefore not listed. */
  readonly tied: Readonly<Record<string, string>>
  /** For `generator: { name: 'torch-cpu', program }`: the bits of the Python program. */
  readonly program: TorchProgram
  /** Parameters that cannot be made from the recording, and why: the recipe skips them, or the model leaves them out. */
  readonly outside: readonly RecordedNote[]
  /** Parameters that the program makes within rounding of PyTorch's, and why not bit for bit. */
  readonly rounded: readonly RecordedNote[]
  /** Buffers that `state_dict()` leaves out. */
  readonly nonPersistent: readonly string[]
  /** What the recorder found worth saying. */
  readonly findings: readonly string[]
}

/** Deeper than any recording, whose source may hold a config. */
const MAX_DEPTH = 64
const recordingKeys = ['format', 'version', 'source', 'parameters', 'values', 'generators', 'program', 'findings']
const parameterKeys = ['name', 'shape', 'dtype', 'module', 'buffer', 'persistent', 'tiedTo', 'writes']
/** Findings after which the calls are not those of another seed. */
const forbidding = ['generator-state', 'depends-on-values', 'unknown-draw']

/**
 * Model, recipe and program from a recording (`python/record.py`), parsed or as JSON text. `planModel(model, recipe)` gives
 * the recorded distributions under this package's own generator; with `generator: { name: 'torch-cpu', program }`
 * `initializeModel` makes the bits of `torch.manual_seed(seed)` and the Python program.
 *
 * @example
 * const { model, recipe, program } = readRecording(json)
 * const weights = await initializeModel(model, recipe, { seed: 0, generator: { name: 'torch-cpu', program } })
 * @throws WeightInitError `INVALID_FILE` naming the place, the value and what it should be
 */
export function readRecording(json: unknown): RecordedModel {
  enableTorchPrograms()
  const parsed = typeof json === 'string' ? plain(parseStrictJson(json, 'Recording', MAX_DEPTH)) : json
  const { format, version, source, ...parts } = record(parsed, recordingKeys, 'it')
  if (format !== 'webgpu-init-recording' || version !== 1) {
    fail(
      `format ${show(format)} version ${show(version)} is not "webgpu-init-recording" version 1, which this release reads.`,
    )
  }
  const entries = list(parts.parameters, 'parameters').map(readEntry)
  const byName = new Map<string, Entry>()
  for (const entry of entries) {
    if (byName.has(entry.name)) fail(`two parameters are called ${show(entry.name)}.`)
    byName.set(entry.name, entry)
  }
  const own = entries.filter(({ tiedTo }) => tiedTo === undefined)
  const raw = {
    parameters: own.map(({ tensor }) => tensor),
    values: list(parts.values ?? [], 'values') as TorchProgram['values'],
    generators: list(parts.generators ?? [], 'generators') as TorchProgram['generators'],
    calls: list(parts.program, 'program') as TorchProgram['calls'],
  }
  const read = readProgram(raw)
  const findings = list(parts.findings ?? [], 'findings').map(readFinding)
  const specs: ParameterSpec[] = []
  const outside: RecordedNote[] = []
  const rounded: RecordedNote[] = []
  const recorded = new Map<string, Recorded>()
  const drawn = new Set<string>()
  const summaryOf = summarise(read)
  const follow = follower(read)
  /** What is recorded of a parameter, with constants as a distribution. */
  const settled = (tensor: ProgramTensor | undefined, summary: Summary | undefined): Recorded => {
    if (tensor === undefined || summary === undefined) return { kind: 'outside', reason: 'its dtype is not followed' }
    const found = recordedDistribution(tensor, summary, read, follow)
    if (found.kind !== 'fixed') return found
    const distribution = fixedDistribution(tensor, summary, read)
    return typeof distribution === 'string'
      ? { kind: 'outside', reason: distribution }
      : { kind: 'distribution', distribution }
  }
  for (const entry of own) {
    const { name } = entry
    const absent = absentReason(entry)
    if (absent !== undefined) {
      outside.push({ name, reason: absent })
      continue
    }
    const tensor = read.parameters.get(name)
    const summary = tensor && summaryOf(tensor)
    const found = settled(tensor, summary)
    recorded.set(name, found)
    specs.push({
      ...specOf(entry),
      ...(found.kind === 'distribution' && found.paddingIndex !== undefined
        ? { paddingIndex: found.paddingIndex }
        : {}),
    })
    if (found.kind === 'outside') {
      outside.push({ name, reason: found.reason })
      continue
    }
    if (summary?.drawn) drawn.add(name)
    const reason = roundedReason(summary!)
    if (reason !== undefined) rounded.push({ name, reason })
  }
  if (specs.length === 0) {
    const [first] = outside
    fail(
      `no parameter of it can be made${first === undefined ? '' : `: ${show(first.name)} is outside, since ${first.reason}`}.`,
    )
  }
  const refusal = refusalOf(read, findings)
  return {
    architecture: text(record(source, Object.keys((source ?? {}) as object), 'source').class ?? '', 'source.class'),
    model: defineModel({ parameters: specs }),
    recipe: recipeOf(recorded),
    tied: tiesOf(entries, byName),
    program: {
      format: 'webgpu-init-program',
      version: 1,
      ...raw,
      parameters: raw.parameters.filter(({ name }) => drawn.has(name)),
      ...(refusal === undefined ? {} : { refusal }),
    },
    outside,
    rounded,
    nonPersistent: entries.filter(({ persistent }) => !persistent).map(({ name }) => name),
    findings: findings.map(({ message }) => message),
  }
}

/** Objects without a prototype, in which no name means anything. */
function plain(value: StrictJson): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (!(value instanceof Map)) return value
  const object = Object.create(null) as Record<string, unknown>
  for (const [key, own] of value) object[key] = plain(own)
  return object
}

interface Entry {
  readonly name: string
  readonly tensor: RecordedTensor
  readonly elementCount: number
  readonly module: string
  readonly buffer: boolean
  readonly persistent: boolean
  readonly tiedTo?: string
}

function readEntry(value: unknown, index: number): Entry {
  const where = `parameters[${index}]`
  const { name, shape: given, dtype, module, buffer, persistent, tiedTo, writes } = record(value, parameterKeys, where)
  if (typeof name !== 'string' || name === '')
    return fail(`${where}: name must be a non-empty string, but found ${show(name)}.`)
  const { shape, elementCount } = readShape(given, `parameter ${show(name)}`)
  for (const [key, flag] of Object.entries({ buffer, persistent })) {
    if (flag !== undefined && typeof flag !== 'boolean')
      fail(`parameter ${show(name)}: ${key} must be true or false, but found ${show(flag)}.`)
  }
  const tensor = {
    name,
    shape,
    dtype: text(dtype, `parameter ${show(name)}: dtype`),
    writes: list(writes ?? [], `parameter ${show(name)}: writes`) as RecordedTensor['writes'],
  }
  return {
    name,
    tensor,
    elementCount,
    module: text(module ?? '', `parameter ${show(name)}: module`),
    buffer: buffer === true,
    persistent: persistent !== false,
    ...(tiedTo === undefined ? {} : { tiedTo: text(tiedTo, `parameter ${show(name)}: tiedTo`) }),
  }
}

/** Why a parameter is not in the model at all. */
function absentReason({ elementCount, tensor: { dtype } }: Entry): string | undefined {
  if (elementCount === 0) return 'it has no elements'
  return (dtypes as readonly string[]).includes(dtype)
    ? undefined
    : `its dtype ${dtype} is none of ${dtypes.join(', ')}`
}

function specOf({ name, module, buffer, tensor: { shape, dtype } }: Entry): ParameterSpec {
  const facts = factsOf(module.split('.').at(-1) ?? '', name)
  return {
    name,
    shape,
    dtype: checkDType(dtype, `Parameter ${show(name)}`),
    ...facts,
    ...(buffer ? { role: 'buffer' } : {}),
  }
}

/** Names that share memory, each with the one that is initialised. */
function tiesOf(entries: readonly Entry[], byName: ReadonlyMap<string, Entry>): Record<string, string> {
  const tied = Object.create(null) as Record<string, string>
  for (const { name, tiedTo, elementCount } of entries) {
    if (tiedTo === undefined) continue
    const owner = byName.get(tiedTo)
    if (owner === undefined || owner.tiedTo !== undefined || owner.elementCount !== elementCount) {
      fail(
        `parameter ${show(name)} is tied to ${show(tiedTo)}, which is no parameter of its own with as many elements.`,
      )
    }
    tied[name] = tiedTo
  }
  return tied
}

function readFinding(value: unknown, index: number): { readonly kind: string; readonly message: string } {
  const where = `findings[${index}]`
  const { kind, message } = record(value, ['kind', 'message', 'parameter', 'operation'], where)
  return { kind: text(kind, `${where}: kind`), message: text(message, `${where}: message`) }
}

/** Why the calls cannot be replayed for any seed. */
function refusalOf(
  read: ReadProgram,
  findings: readonly { readonly kind: string; readonly message: string }[],
): string | undefined {
  const found = findings.find(({ kind }) => forbidding.includes(kind))
  if (found !== undefined) return found.message
  const unknown = read.calls.findIndex(({ operation }) => operation === 'unknown')
  return unknown < 0 ? undefined : `program[${unknown}] is a random operation that is not known.`
}

/** Every parameter gets what was recorded of it, by its name. */
function recipeOf(recorded: ReadonlyMap<string, Recorded>): readonly InitializerRule[] {
  const initializer = new RecordedInitializer(recorded)
  return [
    {
      match: function outsideOfTheRecording({ name }: { readonly name: string }): boolean {
        return recorded.get(name)?.kind === 'outside'
      },
      initializer: 'skip',
      citation: 'the recording',
    },
    {
      match: function recordedParameter({ name }: { readonly name: string }): boolean {
        return recorded.has(name)
      },
      initializer,
      citation: 'the recording',
    },
  ]
}

class RecordedInitializer extends Initializer {
  readonly name = 'recorded'
  readonly config: Readonly<Record<string, unknown>> = {}
  readonly #recorded: ReadonlyMap<string, Recorded>

  constructor(recorded: ReadonlyMap<string, Recorded>) {
    super()
    this.#recorded = recorded
  }

  distribution({ parameter: { name } }: InitializerContext): Distribution {
    const found = this.#recorded.get(name)
    if (found?.kind === 'distribution') return found.distribution
    // Where no program makes it, initialising refuses it by name.
    return { kind: 'computed', operations: found?.kind === 'computed' ? found.operations : 'nothing' }
  }
}
