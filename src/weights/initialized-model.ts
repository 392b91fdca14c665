/// <reference lib="esnext.disposable" preserve="true" />

import { decodeFloat32 } from '../core/decode.js'
import type { DType } from '../core/dtype.js'
import { show, WeightInitError } from '../core/errors.js'
import type { Backend, BackendOf, DeviceOption } from '../ir/device.js'
import type { Distribution, ExpectedMoments } from '../ir/distribution.js'
import type { ParameterPart } from '../ir/part.js'
import type { InitializationPlan, PlannedParameter } from '../ir/plan.js'
import type { InitializationManifest } from '../plan/manifest/types.js'
import { manifestOf } from '../plan/manifest/write.js'
import { type InitializeOptions, resolveOptions } from '../plan/options.js'
import { measuredTensorsOf } from '../statistics/measured-tensor.js'
import { type ParameterStatistics, parameterStatistics } from '../statistics/report.js'
import type { ParameterSegment, WeightStore } from '../store/weight-store.js'
import { type CheckOptions, type CheckReport, checkStore } from './check.js'
import { materialize } from './materialize.js'
import type { VerificationReport } from './verification.js'
import { type VerifyOptions, verifyStore } from './verify.js'

/** An initialised parameter: where it is and what it holds. */
export interface InitializedParameter {
  readonly name: string
  /** Of what is held: the part's where `slice` or `shard` cut it. */
  readonly shape: readonly number[]
  /** Only of a part: which one, and the full shape. */
  readonly part?: ParameterPart
  readonly dtype: DType
  readonly elementCount: number
  /**
   * A GPUBuffer on the 'webgpu' backend, an ArrayBuffer on the 'cpu' backend.
   * Throws `LIMIT_EXCEEDED` for a parameter in several segments, which no one buffer holds.
   */
  readonly buffer: GPUBuffer | ArrayBuffer
  readonly byteOffset: number
  readonly byteLength: number
  readonly distribution: Distribution
  readonly expected: ExpectedMoments
  readonly tiedTo?: string
  /**
   * Where the elements are, in order: one segment; several with the option `segments` and a tensor over maxBufferSize, or
   * where `into` gave several.
   */
  readonly segments: readonly ParameterSegment[]
}

/** A parameter of a result on the 'webgpu' backend. */
export interface GpuInitializedParameter extends InitializedParameter {
  readonly buffer: GPUBuffer
  readonly segments: readonly (ParameterSegment & { readonly buffer: GPUBuffer })[]
}

/** A parameter of a result on the 'cpu' backend. */
export interface CpuInitializedParameter extends InitializedParameter {
  readonly buffer: ArrayBuffer
  readonly segments: readonly (ParameterSegment & { readonly buffer: ArrayBuffer })[]
}

/** A parameter of a result on this backend. */
export type ParameterOn<Where extends Backend> = Where extends 'webgpu'
  ? GpuInitializedParameter
  : CpuInitializedParameter

/**
 * The result of `initializeModel` on this backend. Of 'auto' it is one of two, and `backend` tells which:
 * `if (weights.backend === 'webgpu') weights.get(name).buffer` is a GPUBuffer.
 */
export type InitializedModelOf<Where extends Backend> = Where extends Backend ? InitializedModel<Where> : never

/** Where and how to make weights again; what they are is in the manifest. */
export type RematerializeOptions = Pick<
  InitializeOptions,
  'into' | 'buffers' | 'segments' | 'usage' | 'signal' | 'onProgress'
>

/**
 * What `initializeModel` gives: the weights and everything known about them.
 * @typeParam Where 'webgpu' when a GPUDevice was given: its buffers are GPUBuffers; 'cpu' when the CPU was: ArrayBuffers
 */
export class InitializedModel<Where extends Backend = Backend> implements Disposable {
  readonly backend: Where
  /** The device whose buffers these are, whoever requested it; undefined on the 'cpu' backend. */
  readonly device: Where extends 'webgpu' ? GPUDevice : undefined
  /** The seed as it was given, or the one that was drawn. */
  readonly seed: number | bigint
  readonly plan: InitializationPlan
  /** By name, in the model's order; skipped parameters are not here. */
  readonly parameters: ReadonlyMap<string, ParameterOn<Where>>
  readonly #store: WeightStore
  readonly #planned: ReadonlyMap<string, PlannedParameter>
  #destroyed = false

  /** Made by `initializeModel`. */
  private constructor(plan: InitializationPlan, store: WeightStore) {
    this.plan = plan
    this.seed = plan.seed
    this.backend = store.backend as Where
    this.device = store.device as InitializedModel<Where>['device']
    this.#store = store
    this.#planned = new Map(plan.parameters.map((p) => [p.name, p]))
    const present = plan.parameters.filter(({ action }) => action !== 'skip')
    this.parameters = new Map(present.map((p) => [p.name, this.#describe(p)]))
  }

  /** @internal What a plan's weights become once a store holds them. */
  static of(plan: InitializationPlan, store: WeightStore): InitializedModelOf<Backend> {
    return new InitializedModel(plan, store) as InitializedModelOf<Backend>
  }

  #describe(planned: PlannedParameter): ParameterOn<Where> {
    const holder = this.#holder(planned)
    const { name, shape, part, elementCount, dtype, byteLength, tiedTo } = planned
    const { buffer, byteOffset, segments } = this.#store.region(holder.name)
    const described = {
      name,
      shape,
      ...(part === undefined ? {} : { part }),
      dtype,
      elementCount,
      buffer,
      byteOffset,
      byteLength,
      distribution: holder.distribution,
      expected: holder.expected,
      ...(tiedTo === undefined ? {} : { tiedTo }),
      segments: segments ?? [{ buffer, byteOffset, byteLength, firstElement: 0, elementCount }],
    }
    return (segments === undefined ? described : withoutBuffer(described)) as ParameterOn<Where>
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

  /** Whether `destroy()` was called. */
  get destroyed(): boolean {
    return this.#destroyed
  }

  /**
   * The parameter whose memory holds this one: itself, or the one it is tied to.
   * @internal For what this package computes with the weights where they are.
   */
  held(name: string): PlannedParameter {
    return this.#find(name)
  }

  /** @internal As `held`. */
  get store(): WeightStore {
    this.#requireAlive()
    return this.#store
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
   * A parameter by name. On the 'webgpu' backend its buffer is a GPUBuffer, on the 'cpu' backend an ArrayBuffer.
   * @throws WeightInitError `UNKNOWN_PARAMETER`
   */
  get(name: string): ParameterOn<Where> {
    const parameter = this.parameters.get(name)
    if (parameter === undefined) {
      const names = [...this.parameters.keys()]
      const list = names.slice(0, 8).map(show).join(', ')
      throw new WeightInitError(
        'UNKNOWN_PARAMETER',
        `There is no initialised parameter ${show(name)}; there are ${list}${names.length > 8 ? `, ... (${names.length})` : ''}.`,
      )
    }
    return parameter
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
   * Moments, extremes, zeros, non-finite elements, histogram and correlations of every parameter, reduced where the weights
   * are in one pass, beside what each distribution promises. By name, in the model's order; tied parameters appear once, under their owner.
   */
  async statistics(): Promise<Map<string, ParameterStatistics>> {
    this.#requireAlive()
    const tensors = measuredTensorsOf(this.#own())
    const { measurements } = await this.#store.measure(tensors, { repeats: false })
    return new Map(
      tensors.map((tensor, index) => [tensor.parameter.name, parameterStatistics(tensor, measurements[index]!)]),
    )
  }

  /**
   * Tests the weights against their distributions: moments, extremes, bins, correlations, copies, in one pass where the weights are.
   * Weights that are right fail with a probability of at most `falseAlarmRate` (default 1e-6) for the whole model, whatever
   * its size. `checkTensors` does the same for any buffer; docs/verification.md says how.
   * @throws WeightInitError `INVALID_ARGUMENT`; DeviceLostError, OutOfMemoryError
   */
  async check(options: CheckOptions = {}): Promise<CheckReport> {
    this.#requireAlive()
    return checkStore(this.#store, this.#own(), options)
  }

  /** Compares the weights with the CPU's, bit by bit: every element, or a stated sample of a large model. */
  async verify(options: VerifyOptions = {}): Promise<VerificationReport> {
    this.#requireAlive()
    return verifyStore(this.#store, this.#own(), options)
  }

  #own(): PlannedParameter[] {
    return this.plan.parameters.filter(({ action }) => action === 'initialize')
  }

  /** The few bytes that make the same weights again, as plain JSON. Works after `destroy()` and after a lost device. */
  manifest(): InitializationManifest {
    return manifestOf(this.plan)
  }

  /**
   * Makes the same bits again on a new device, from the plan: the way back after a lost device. The function
   * `rematerialize` does it from a manifest, elsewhere. This result stays as it is; destroy it when you no longer need it.
   * @throws DeviceLostError, OutOfMemoryError and what `initializeModel` throws for its options
   */
  async rematerialize<Device extends DeviceOption = 'auto'>(
    device: Device = 'auto' as Device,
    options: RematerializeOptions = {},
  ): Promise<InitializedModelOf<BackendOf<Device>>> {
    const resolved = resolveOptions({ ...options, device, seed: this.seed })
    return InitializedModel.of(this.plan, await materialize(this.plan, resolved)) as InitializedModelOf<
      BackendOf<Device>
    >
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

/** The first segment's buffer would pass for the whole: asking for it is an error. */
function withoutBuffer(parameter: InitializedParameter): InitializedParameter {
  return Object.defineProperty({ ...parameter }, 'buffer', {
    enumerable: true,
    get(): never {
      throw new WeightInitError(
        'LIMIT_EXCEEDED',
        `Parameter ${show(parameter.name)} of ${parameter.byteLength} bytes lives in ${parameter.segments.length} buffers, ` +
          'of which none is the whole; use its segments.',
      )
    },
  })
}
