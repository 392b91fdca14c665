/// <reference lib="esnext.disposable" preserve="true" />
import { decodeFloat32 } from './decode.js'
import type { Distribution, ExpectedMoments } from './distributions.js'
import type { DType } from './dtype.js'
import { show, WeightInitError } from './errors.js'
import type { GeneratorSettings, GeneratorSource } from './generators/types.js'
import type { InitializationPlan, PlannedParameter } from './plan.js'
import { type ParameterStatistics, parameterStatistics } from './statistics/report.js'
import type { WeightStore } from './store.js'
import { type VerificationReport, type VerifyOptions, verifyStore } from './verify.js'

/** An initialised parameter: where it is and what it holds. */
export interface InitializedParameter {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype: DType
  readonly elementCount: number
  /** A GPUBuffer on the 'webgpu' backend, an ArrayBuffer on the 'cpu' backend. */
  readonly buffer: GPUBuffer | ArrayBuffer
  readonly byteOffset: number
  readonly byteLength: number
  readonly distribution: Distribution
  readonly expected: ExpectedMoments
  readonly tiedTo?: string
}

/** A parameter of a result on the 'webgpu' backend. */
export interface GpuInitializedParameter extends InitializedParameter {
  readonly buffer: GPUBuffer
}

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
  readonly parameters: readonly {
    readonly name: string
    readonly shape: readonly number[]
    readonly dtype: DType
    readonly role: string
    readonly initializer: string
    readonly config: Readonly<Record<string, unknown>>
    readonly distribution: Distribution
    readonly tiedTo?: string
    /** Where its words come from with a generator other than 'philox'. */
    readonly source?: GeneratorSource
  }[]
}

/** What `initializeModel` gives: the weights and everything known about them. */
export class InitializedModel implements Disposable {
  readonly backend: 'webgpu' | 'cpu'
  /** The seed as it was given, or the one that was drawn. */
  readonly seed: number | bigint
  readonly plan: InitializationPlan
  /** By name, in the model's order; skipped parameters are not here. */
  readonly parameters: ReadonlyMap<string, InitializedParameter>
  readonly #store: WeightStore
  readonly #planned: ReadonlyMap<string, PlannedParameter>
  #destroyed = false

  /** Made by `initializeModel`. */
  constructor(plan: InitializationPlan, store: WeightStore) {
    this.plan = plan
    this.seed = plan.seed
    this.backend = store.backend
    this.#store = store
    this.#planned = new Map(plan.parameters.map((p) => [p.name, p]))
    const present = plan.parameters.filter(({ action }) => action !== 'skip')
    this.parameters = new Map(present.map((p) => [p.name, this.#describe(p)]))
  }

  #describe(planned: PlannedParameter): InitializedParameter {
    const holder = this.#holder(planned)
    const { name, shape, elementCount, dtype, byteLength, tiedTo } = planned
    return {
      name,
      shape,
      dtype,
      elementCount,
      ...this.#store.region(holder.name),
      byteLength,
      distribution: holder.distribution,
      expected: holder.expected,
      ...(tiedTo === undefined ? {} : { tiedTo }),
    }
  }

  /** The parameter that owns the memory: itself, or the one it is tied to. */
  #holder(planned: PlannedParameter): PlannedParameter {
    return planned.tiedTo === undefined ? planned : this.#planned.get(planned.tiedTo)!
  }

  #find(name: string): PlannedParameter {
    this.#requireAlive()
    this.get(name)
    return this.#holder(this.#planned.get(name)!)
  }

  #requireAlive(): void {
    if (this.#destroyed) {
      throw new WeightInitError(
        'DESTROYED',
        'This InitializedModel was destroyed; its weights are gone. Initialise again with the same seed.',
      )
    }
  }

  /**
   * A parameter by name. On the 'webgpu' backend its buffer is a GPUBuffer.
   * @throws WeightInitError `UNKNOWN_PARAMETER`
   */
  get(name: string): GpuInitializedParameter {
    const parameter = this.parameters.get(name)
    if (parameter === undefined) {
      const names = [...this.parameters.keys()]
      const list = names.slice(0, 8).map(show).join(', ')
      throw new WeightInitError(
        'UNKNOWN_PARAMETER',
        `There is no initialised parameter ${show(name)}; there are ${list}${names.length > 8 ? `, ... (${names.length})` : ''}.`,
      )
    }
    return parameter as GpuInitializedParameter
  }

  /** A parameter's values as float32, whatever its dtype; exact. Row-major. */
  async read(name: string): Promise<Float32Array> {
    const parameter = this.#find(name)
    return decodeFloat32(await this.readBytes(name), parameter.dtype)
  }

  /** A parameter's bytes as they are in the buffer, little-endian. `start` (a multiple of 4) and `length` pick a part. */
  async readBytes(name: string, start = 0, length?: number): Promise<Uint8Array> {
    const parameter = this.#find(name)
    const count = length ?? parameter.byteLength - start
    if (
      !Number.isInteger(start) ||
      start % 4 !== 0 ||
      start < 0 ||
      !Number.isInteger(count) ||
      count < 0 ||
      start + count > parameter.byteLength
    ) {
      throw new WeightInitError(
        'INVALID_ARGUMENT',
        `readBytes(${show(name)}): start ${start} (a multiple of 4) and length ${count} must lie within its ${parameter.byteLength} bytes.`,
      )
    }
    return this.#store.readRange(parameter, start, count)
  }

  /**
   * Count, mean, std, extremes and non-finite elements of every parameter, reduced where the weights are, beside what
   * each distribution promises. By name, in the model's order; tied parameters appear once, under their owner.
   */
  async statistics(): Promise<Map<string, ParameterStatistics>> {
    this.#requireAlive()
    const own = this.#own()
    const moments = await this.#store.moments(own)
    return new Map(own.map((p, index) => [p.name, parameterStatistics(p, moments[index]!)]))
  }

  /** Compares the weights with the CPU's, bit by bit: every element, or a stated sample of a large model. */
  async verify(options: VerifyOptions = {}): Promise<VerificationReport> {
    this.#requireAlive()
    return verifyStore(this.#store, this.#own(), options)
  }

  #own(): PlannedParameter[] {
    return this.plan.parameters.filter(({ action }) => action === 'initialize')
  }

  /** The few bytes that make the same weights again, as plain JSON. */
  manifest(): InitializationManifest {
    return {
      format: 'webgpu-init-manifest',
      version: 1,
      valueContract: this.plan.valueContract,
      generator: this.plan.generator,
      ...(this.plan.generator === 'philox' ? {} : { generatorSettings: this.plan.generatorSettings }),
      seed: String(this.seed),
      parameters: this.plan.parameters
        .filter(({ action }) => action !== 'skip')
        .map(({ name, shape, dtype, role, rule, distribution, tiedTo, source }) => ({
          name,
          shape,
          dtype,
          role,
          initializer: rule.initializer,
          config: rule.config,
          distribution,
          ...(tiedTo === undefined ? {} : { tiedTo }),
          ...(source === undefined ? {} : { source }),
        })),
    }
  }

  /** Frees the buffers made here; the caller's own (`into`) stay. Safe to call twice. */
  destroy(): void {
    if (this.#destroyed) return
    this.#destroyed = true
    this.#store.destroy()
  }

  [Symbol.dispose](): void {
    this.destroy()
  }
}
