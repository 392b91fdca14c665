import { type DType, type FloatDType, floatDTypes, isFloatDType } from '../core/dtype.js'
import { refuse, refuseUnknownKeys, show, WeightInitError } from '../core/errors.js'
import { resolveGenerator } from '../generators/settings.js'
import type { DeviceOption } from '../ir/device.js'
import { type FanConvention, fanConventions } from '../ir/fans.js'
import type { GeneratorName, GeneratorOption, GeneratorSettings } from '../ir/generator.js'
import { createMatcher, type Matcher, type ParameterMatch } from '../model/match.js'
import { randomSeed, seedKey } from '../random/keys.js'
import { type PartOptions, resolveParts } from './parts/options.js'
import type { ShardOption, SliceOption } from './parts/part-options.js'

/** A place in the caller's own memory: a GPUBuffer, or an ArrayBuffer or view of one on the CPU backend. */
export interface TargetBuffer {
  readonly buffer: GPUBuffer | ArrayBuffer | ArrayBufferView
  /** Multiple of 4. Default 0. */
  readonly byteOffset?: number
  readonly segments?: never
}

/** A part of a parameter that is held in several of the caller's buffers. */
export interface TargetSegment {
  readonly buffer: GPUBuffer | ArrayBuffer | ArrayBufferView
  /** Multiple of 4. Default 0. */
  readonly byteOffset?: number
  /**
   * Bytes of the parameter that it holds: whole 32-bit words and whole elements in all but the last. Default: what the
   * buffer has room for from `byteOffset` on, or what is left of the parameter.
   */
  readonly byteLength?: number
}

/**
 * One place for a parameter, or, for one larger than a buffer may be, several, in order, which together hold exactly its
 * bytes. The `segments` of a result may be given as they are.
 */
export type TargetRegion = TargetBuffer | { readonly segments: readonly TargetSegment[]; readonly buffer?: never }

export interface InitializationProgress {
  /** The parameter that was finished last. */
  readonly parameter: string
  readonly bytesDone: number
  readonly bytesTotal: number
}

/** @typeParam Device of the option `device`: it tells whether the buffers of the result are GPUBuffers or ArrayBuffers */
export interface InitializeOptions<Device extends DeviceOption = DeviceOption> {
  /** A GPUDevice, 'cpu', or 'auto' (the default): WebGPU where there is one, else the CPU; `backend` says which. */
  readonly device?: Device
  /** Any integer, taken mod 2^64. Drawn at random when absent, and reported in the result either way. */
  readonly seed?: number | bigint
  /** dtype of every floating parameter. Default: the model's own. */
  readonly dtype?: FloatDType
  /** Fans from the layer's true geometry ('layout', the default), or PyTorch's from the shape alone ('torch'). */
  readonly fans?: FanConvention
  /** Default 'philox'; or another library's, by name or as an object with its settings: docs/compatibility.md. */
  readonly generator?: GeneratorOption
  /** Parameters to leave out altogether: no memory, no values. */
  readonly skip?: ParameterMatch | readonly ParameterMatch[]
  /** Leave out every parameter that matches none of these: a checkpoint's new head alone. `skip` is taken off it. */
  readonly only?: ParameterMatch | readonly ParameterMatch[]
  /**
   * A rectangular part of some parameters, by name: `{ 'wte.weight': { start: [0, 128], end: [1000, 256] } }`. Bit-equal to
   * that part of the whole, without making the whole.
   */
  readonly slice?: SliceOption
  /**
   * One piece of every parameter along an axis, `{ axis: 0, index: 2, count: 8 }`, or rules `[{ match, axis, index, count }]`.
   * A parameter without that axis, or that no rule matches, stays whole on every shard. See docs/sharding.md.
   */
  readonly shard?: ShardOption
  /**
   * The caller's own memory for some parameters, by name: `{ buffer, byteOffset }`, or `{ segments: [...] }` for one in several
   * buffers. It is written, never destroyed.
   */
  readonly into?: Readonly<Record<string, TargetRegion>> | ReadonlyMap<string, TargetRegion>
  /**
   * One buffer per parameter ('separate', the default), or as few as the device allows, 256-byte aligned ('packed'): many small
   * parameters of one buffer share dispatches, so thousands of them are filled several times faster.
   */
  readonly buffers?: 'separate' | 'packed'
  /**
   * Lets a parameter larger than the device's maxBufferSize live in several buffers, listed in its `segments`; without
   * this it is refused. Default false.
   */
  readonly segments?: boolean
  /**
   * Every buffer made here is a multiple of this many bytes long: 4 (the default), or 16 as ONNX Runtime Web needs.
   */
  readonly bufferAlignment?: 4 | 16
  /** GPUBufferUsage flags to add to STORAGE | COPY_SRC | COPY_DST on buffers made here. */
  readonly usage?: number
  /** Stops between submits; the call then rejects with the signal's reason (an AbortError) and frees what it made. */
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: InitializationProgress) => void
}

/** Every option of `initializeModel`. */
export const optionKeys: readonly string[] = [
  'device',
  'seed',
  'dtype',
  'generator',
  'fans',
  'skip',
  'only',
  'slice',
  'shard',
  'into',
  'buffers',
  'segments',
  'bufferAlignment',
  'usage',
  'signal',
  'onProgress',
]

/** Options after checking, with every default filled in. */
export interface ResolvedOptions {
  readonly device: DeviceOption
  readonly seed: number | bigint
  readonly dtype?: FloatDType
  readonly generator: GeneratorName
  readonly fans: FanConvention
  readonly generatorSettings: GeneratorSettings
  readonly skip: readonly Matcher[]
  readonly only?: readonly Matcher[]
  readonly into: ReadonlyMap<string, TargetRegion>
  readonly parts: PartOptions
  readonly buffers: 'separate' | 'packed'
  readonly segments: boolean
  readonly bufferAlignment: 4 | 16
  readonly usage: number
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: InitializationProgress) => void
}

/** @throws WeightInitError `INVALID_ARGUMENT`, `UNSUPPORTED_DTYPE` or `UNSUPPORTED_GENERATOR` */
export function resolveOptions(options: InitializeOptions = {}): ResolvedOptions {
  const fail = refuse('INVALID_ARGUMENT')
  if (typeof options !== 'object' || options === null) fail(`options must be an object, but found ${show(options)}.`)
  refuseUnknownKeys(options, optionKeys, 'option')
  const {
    device = 'auto',
    dtype,
    generator = 'philox',
    fans = 'layout',
    skip = [],
    into = {},
    buffers = 'separate',
    segments = false,
    bufferAlignment = 4,
    usage = 0,
  } = options
  const { signal, onProgress } = options
  if (
    device !== 'cpu' &&
    device !== 'auto' &&
    typeof (device as GPUDevice | null)?.createComputePipelineAsync !== 'function'
  ) {
    fail(`device must be a GPUDevice, 'cpu' or 'auto', but found ${show(device)}.`)
  }
  if (dtype !== undefined && !floatDTypes.includes(dtype)) {
    throw new WeightInitError(
      'UNSUPPORTED_DTYPE',
      `option dtype: unknown dtype ${show(dtype)}; known: ${floatDTypes.join(', ')}.`,
    )
  }
  const generatorSettings = resolveGenerator(generator)
  if (!fanConventions.includes(fans)) fail(`fans must be one of ${fanConventions.join(', ')}, but found ${show(fans)}.`)
  if (buffers !== 'separate' && buffers !== 'packed')
    fail(`buffers must be 'separate' or 'packed', but found ${show(buffers)}.`)
  if (typeof segments !== 'boolean') fail(`segments must be true or false, but found ${show(segments)}.`)
  if (bufferAlignment !== 4 && bufferAlignment !== 16)
    fail(`bufferAlignment must be 4 or 16, but found ${show(bufferAlignment)}.`)
  if (typeof usage !== 'number' || !Number.isInteger(usage) || usage < 0) {
    fail(`usage must be GPUBufferUsage flags, but found ${show(usage)}.`)
  }
  if (signal !== undefined && typeof signal?.throwIfAborted !== 'function')
    fail(`signal must be an AbortSignal, but found ${show(signal)}.`)
  if (onProgress !== undefined && typeof onProgress !== 'function')
    fail(`onProgress must be a function, but found ${show(onProgress)}.`)
  const seed = options.seed === undefined ? randomSeed() : options.seed
  seedKey(seed)
  if (typeof into !== 'object' || into === null)
    fail(`into must map names to { buffer, byteOffset } or { segments }, but found ${show(into)}.`)
  const regions = into instanceof Map ? into : new Map(Object.entries(into as Record<string, TargetRegion>))
  const matchers = (option: 'skip' | 'only', given: ParameterMatch | readonly ParameterMatch[]): Matcher[] => {
    const list = Array.isArray(given) ? (given as readonly ParameterMatch[]) : [given as ParameterMatch]
    return list.map((match) => createMatcher(match, `option ${option}`))
  }
  return {
    device,
    seed,
    ...(dtype === undefined ? {} : { dtype }),
    generator: generatorSettings.name,
    generatorSettings,
    fans,
    skip: matchers('skip', skip),
    ...(options.only === undefined ? {} : { only: matchers('only', options.only) }),
    parts: resolveParts(options.slice, options.shard),
    into: regions,
    buffers,
    segments,
    bufferAlignment,
    usage,
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress }),
  }
}

/** The dtype a parameter gets: the option's for floating parameters, its own otherwise. */
export function effectiveDType(own: DType, option: FloatDType | undefined): DType {
  return option !== undefined && isFloatDType(own) ? option : own
}
