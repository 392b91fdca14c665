import { refuseUnknownKeys, show, WeightInitError } from '../core/errors.js'
import type { Initializer } from '../initializers/initializer.js'
import type { InitializerName } from '../initializers/names.js'
import type { InitializerArgument, InitializerRule } from '../initializers/rules.js'
import type { Model } from '../ir/parameter.js'
import type { InitializationPlan, PlannedParameter } from '../ir/plan.js'
import { type ConfigOrOptions, type InstanceArguments, type LooseArguments, splitArguments } from '../plan/arguments.js'
import { assemblePlan } from '../plan/assemble.js'
import { manifestOf } from '../plan/manifest/write.js'
import { type InitializeOptions, optionKeys, type ResolvedOptions, resolveOptions } from '../plan/options.js'
import { planResolved } from '../plan/plan.js'
import type { ParameterStatistics } from '../statistics/report.js'
import type { CheckReport } from '../weights/check.js'
import { InitializedModel } from '../weights/initialized-model.js'
import { materialize } from '../weights/materialize.js'
import { type VerificationReport, verificationReport } from '../weights/verification.js'
import { CheckpointReader } from './checkpoint-reader.js'
import { mergeCheckpoint } from './merge-checkpoint.js'
import type { NamedPath } from './paths.js'
import { type CheckpointWriter, type StoredTensor, storedTensor } from './writers/checkpoint-writer.js'
import { createWriter, type WriterOptions } from './writers/create-writer.js'
import { splitByBytes } from './writers/shards.js'

/** The default of `maxDeviceBytes`: 1 GiB. */
const DEFAULT_DEVICE_BYTES = 2 ** 30

/** The steps for each part of the model, in this order. */
export type FilePhase = 'initialise' | 'verify' | 'write'

export interface FileProgress {
  readonly phase: FilePhase
  /** Bytes done and bytes in total, of the whole model and not only of the current part. */
  readonly bytesDone: number
  readonly bytesTotal: number
}

export interface InitializeFileOptions
  extends Pick<InitializeOptions, (typeof fileInitializeKeys)[number]>,
    WriterOptions {
  /** A .safetensors file or a model.safetensors.index.json. Tensors that are not initialised are copied from it unchanged. */
  readonly from?: string
  /**
   * The model is made, compared and written in parts of at most this many bytes, or of one larger parameter. The memory that
   * device and host need does therefore not grow with the model. An integer >= 1; the default is 2^30.
   */
  readonly maxDeviceBytes?: number
  /** How many elements to compare with the CPU: 'all' (the default), or an integer >= 0, the limit for the whole model. */
  readonly verify?: 'all' | number
  /** Called with the weights of each part while they are on the device, before they are written. Return false to stop. */
  readonly onWeights?: (weights: InitializedModel) => unknown
  readonly onProgress?: (progress: FileProgress) => void
}

/** The result of `initializeFile`. */
export interface FileReport {
  readonly plan: InitializationPlan
  readonly backend: 'webgpu' | 'cpu'
  /** The files that were written. Empty if the device's values differ from the CPU's, or if `onWeights` returned false. */
  readonly files: readonly string[]
  /** Measured and expected statistics, by parameter name. */
  readonly statistics: ReadonlyMap<string, ParameterStatistics>
  readonly verification?: VerificationReport
  /** The tensors that were copied from the file `from`. */
  readonly copied: readonly StoredTensor[]
  /** Seconds that the initialisation took, including compilation. */
  readonly initializeSeconds: number
}

/** Further options for the command line. */
export interface FileJobOptions extends InitializeFileOptions {
  /** Whether to test the weights against their distributions, with the whole model at once. A failure stops the writing. */
  readonly check?: boolean
  /** Other files that the run reads or writes: the model's files and the report. None of them may be an output. */
  readonly otherPaths?: readonly NamedPath[]
}

export interface FileJobReport extends FileReport {
  readonly check?: CheckReport
}

/** The options that are passed on to `initializeModel`. */
const fileInitializeKeys = [
  'seed',
  'dtype',
  'fans',
  'generator',
  'skip',
  'only',
  'segments',
  'signal',
  'device',
] as const

const fileOptionKeys = [
  ...fileInitializeKeys,
  'format',
  'maxShardBytes',
  'fileShard',
  'metadata',
  'force',
  'from',
  'maxDeviceBytes',
  'verify',
  'onWeights',
  'onProgress',
]

/** A planned job with its output files open. The caller must always call `discard`. */
export class FileJob {
  readonly plan: InitializationPlan
  /** The tensors that will be copied instead of initialised. */
  readonly copied: readonly StoredTensor[]
  readonly paths: readonly string[]
  readonly #own: readonly PlannedParameter[]
  readonly #writer: CheckpointWriter
  readonly #base: CheckpointReader | undefined
  readonly #resolved: ResolvedOptions
  readonly #options: FileJobOptions

  private constructor(
    plan: InitializationPlan,
    writer: CheckpointWriter,
    tensors: { readonly own: readonly PlannedParameter[]; readonly copied: readonly StoredTensor[] },
    base: CheckpointReader | undefined,
    resolved: ResolvedOptions,
    options: FileJobOptions,
  ) {
    this.plan = plan
    this.copied = tensors.copied
    this.paths = writer.paths
    this.#own = tensors.own
    this.#writer = writer
    this.#base = base
    this.#resolved = resolved
    this.#options = options
  }

  /** Plans, opens the base checkpoint and the output files. Every wrong argument is found here, before any device work. */
  static async prepare(
    path: string,
    model: Model,
    initializer: InitializerArgument,
    config: Readonly<Record<string, unknown>>,
    options: FileJobOptions,
  ): Promise<FileJob> {
    const { maxDeviceBytes = DEFAULT_DEVICE_BYTES, verify = 'all' } = options
    requireCount('maxDeviceBytes', maxDeviceBytes, 1)
    if (verify !== 'all') requireCount('verify', verify, 0)
    const shared = fileInitializeKeys.filter((key) => options[key] !== undefined).map((key) => [key, options[key]])
    const resolved = resolveOptions(Object.fromEntries(shared))
    const plan = planResolved(model, initializer, config, resolved)
    const base = options.from === undefined ? undefined : await CheckpointReader.open(options.from)
    let writer: CheckpointWriter | undefined
    try {
      const tensors = base === undefined ? own(plan).map(storedTensor) : mergeCheckpoint(plan, base)
      if (tensors.length === 0) {
        throw new WeightInitError(
          'INVALID_ARGUMENT',
          'Nothing is left to write: skip and only leave out every parameter.',
        )
      }
      const fresh = new Map(own(plan).map((parameter) => [parameter.name, parameter]))
      const metadata = {
        format: 'pt',
        ...Object.fromEntries(base?.metadata ?? []),
        ...options.metadata,
      }
      const manifest = (names: ReadonlySet<string>): Record<string, string> =>
        manifestMetadata(
          assemblePlan(
            plan,
            plan.parameters.filter((p) => names.has(p.tiedTo ?? p.name) && p.action !== 'skip'),
          ),
        )
      const inputs = [
        ...(base?.files ?? []).map((file) => ({ path: file.path, what: 'the checkpoint' })),
        ...(options.from === undefined ? [] : [{ path: options.from, what: 'the checkpoint' }]),
        ...(options.otherPaths ?? []),
      ]
      const written = await createWriter(path, tensors, metadata, manifest, options, inputs)
      writer = written.writer
      const mine = new Set(written.tensors.map(({ name }) => name))
      return new FileJob(
        plan,
        writer,
        {
          own: [...fresh.values()].filter(({ name }) => mine.has(name)),
          copied: written.tensors.filter(({ name }) => !fresh.has(name)),
        },
        base,
        resolved,
        options,
      )
    } catch (error) {
      await writer?.discard()
      await base?.close()
      throw error
    }
  }

  /** The plan of the parameters that this job makes: all of them, or those of one file. */
  get ownPlan(): InitializationPlan {
    return assemblePlan(this.plan, this.#own)
  }

  get totals(): InitializationPlan['totals'] {
    return this.ownPlan.totals
  }

  /**
   * Processes the parts one after another: initialise, measure, compare with the CPU, write. When a part differs from the
   * CPU's values, nothing more is written, the report says so, and no file gets its final name.
   */
  async run(device: GPUDevice | 'cpu' | 'auto'): Promise<FileJobReport> {
    const { onProgress, onWeights, signal } = this.#options
    const maxDeviceBytes = this.#options.check
      ? Number.MAX_SAFE_INTEGER
      : (this.#options.maxDeviceBytes ?? DEFAULT_DEVICE_BYTES)
    const { totals } = this
    const copiedBytes = this.copied.reduce((sum, { byteLength }) => sum + byteLength, 0)
    const statistics = new Map<string, ParameterStatistics>()
    const reports: VerificationReport[] = []
    let check: CheckReport | undefined
    const done: Record<FilePhase, number> = { initialise: 0, verify: 0, write: 0 }
    const report = (phase: FilePhase, bytes: number): void =>
      onProgress?.({
        phase,
        bytesDone: done[phase] + bytes,
        bytesTotal: totals.byteLength + (phase === 'write' ? copiedBytes : 0),
      })
    let milliseconds = 0
    let backend: 'webgpu' | 'cpu' = device === 'cpu' ? 'cpu' : 'webgpu'
    let ok = true
    for (const part of splitByBytes(this.#own, maxDeviceBytes)) {
      const plan = assemblePlan(this.plan, part)
      const { byteLength, elementCount } = plan.totals
      const started = performance.now()
      const store = await materialize(plan, {
        ...this.#resolved,
        device,
        onProgress: ({ bytesDone }) => report('initialise', bytesDone),
      })
      const weights = InitializedModel.of(plan, store)
      try {
        backend = weights.backend
        milliseconds += performance.now() - started
        done.initialise += byteLength
        if (this.#options.check) {
          check = await weights.check(signal === undefined ? {} : { signal })
          for (const tested of check.parameters) statistics.set(tested.name, tested.statistics)
          ok &&= check.ok
        } else {
          for (const [name, measured] of await weights.statistics()) statistics.set(name, measured)
        }
        const elements = this.#share(elementCount, totals.elementCount)
        if (elements !== 0) {
          const compared = await weights.verify({
            elements,
            ...(signal === undefined ? {} : { signal }),
            onProgress: ({ elementsDone, elementsTotal }) =>
              report('verify', (byteLength * elementsDone) / elementsTotal),
          })
          reports.push(compared)
          ok &&= compared.ok
          done.verify += byteLength
        }
        if ((await onWeights?.(weights)) === false) ok = false
        if (ok) {
          for (const { name, byteLength } of part) {
            await this.#writer.write(name, (start, length) => weights.readBytes(name, start, length), {
              signal,
              onBytes: (bytes) => report('write', bytes),
            })
            done.write += byteLength
          }
        }
      } finally {
        weights.destroy()
      }
    }
    if (ok) {
      for (const { name, byteLength } of this.copied) {
        await this.#writer.write(name, (start, length) => this.#base!.read(name, start, length), {
          signal,
          onBytes: (bytes) => report('write', bytes),
        })
        done.write += byteLength
      }
      await this.#writer.finish()
    }
    return {
      plan: this.plan,
      backend,
      files: ok ? this.paths : [],
      statistics,
      ...(reports.length === 0
        ? {}
        : { verification: verificationReport(reports.flatMap(({ parameters }) => parameters)) }),
      ...(check === undefined ? {} : { check }),
      copied: this.copied,
      initializeSeconds: milliseconds / 1000,
    }
  }

  /** The number of elements of a part to compare. */
  #share(elementCount: number, total: number): 'all' | number {
    const { verify = 'all' } = this.#options
    if (verify === 'all' || verify === 0) return verify
    return Math.max(1, Math.floor((verify * elementCount) / total))
  }

  /** Closes all files and removes those that are not complete. */
  async discard(): Promise<void> {
    await this.#writer.discard()
    await this.#base?.close()
  }
}

/**
 * Initialises a model directly into a file, part by part. Device and host hold at most `maxDeviceBytes` of the model at a
 * time, each part is compared with the CPU before it is written, and the file gets its final name only when everything is
 * done. With the option `from`, the parameters that `skip` and `only` leave out are copied from a checkpoint, for example for
 * a new head on a trained body. If the initializer is an instance or a list of rules, the options may take the place of the
 * config, as in `initializeModel`.
 *
 * @param path the file, or the folder for the format 'npy'
 * @returns the plan, the paths of the files, the statistics, and the result of the comparison with the CPU
 * @throws WeightInitError for every wrong argument, before any device work; `DEVICE_MISCOMPUTES` when a bit differs from the
 *   CPU's. A failed or aborted call leaves no file under the final names.
 * @example
 * const { model, recipe } = readHuggingFaceConfig(config)
 * await initializeFile('model.safetensors', model, recipe, { device, seed: 42, dtype: 'bfloat16' })
 */
export function initializeFile(
  path: string,
  model: Model,
  initializer: Initializer | readonly InitializerRule[],
  ...rest: InstanceArguments<InitializeFileOptions>
): Promise<FileReport>
export function initializeFile<Given extends InitializerName | Initializer>(
  path: string,
  model: Model,
  initializer: Given | readonly InitializerRule[],
  config?: ConfigOrOptions<Given, InitializeFileOptions>,
  options?: InitializeFileOptions,
): Promise<FileReport>
export async function initializeFile(
  path: string,
  model: Model,
  initializer: InitializerArgument,
  ...rest: LooseArguments
): Promise<FileReport> {
  const { config, options } = splitArguments<InitializeFileOptions>(initializer, rest, [
    ...optionKeys,
    ...fileOptionKeys,
  ])
  refuseUnknownKeys(options, fileOptionKeys, 'initializeFile option')
  const job = await FileJob.prepare(path, model, initializer, config, options)
  try {
    const report = await job.run(options.device ?? 'auto')
    if (report.verification?.ok === false) {
      const { mismatchCount, comparedCount, withinBound, parameters } = report.verification
      const first = parameters.find((p) => !p.ok)
      const bounded =
        withinBound === undefined
          ? ''
          : `, and ${withinBound.beyondCount} of ${withinBound.count} elements of orthogonal matrices by more than their bound`
      throw new WeightInitError(
        'DEVICE_MISCOMPUTES',
        `${mismatchCount} of ${comparedCount} elements differ from the CPU's${bounded}, first in parameter ${show(first?.name)}; ` +
          `nothing was written. Initialise with device: 'cpu', and report the device.`,
      )
    }
    return report
  } finally {
    await job.discard()
  }
}

const own = (plan: InitializationPlan): PlannedParameter[] =>
  plan.parameters.filter(({ action }) => action === 'initialize')

/** The manifest as metadata of a file. Empty if the file has only copied tensors. */
function manifestMetadata(plan: InitializationPlan): Record<string, string> {
  return own(plan).length === 0 ? {} : { 'webgpu-init': JSON.stringify(manifestOf(plan)) }
}

function requireCount(name: string, value: unknown, least: number): void {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return
  throw new WeightInitError(
    'INVALID_ARGUMENT',
    `option ${name} must be an integer >= ${least}, but found ${show(value)}.`,
  )
}
