import type { Distribution } from '../distributions.js'
import { show, WeightInitError } from '../errors.js'
import { parameterStream, seedKey } from '../random/keys.js'
import { crc32, jaxFoldIn } from './jax.js'
import { advanceTorch, TORCH_BLOCK, type TorchCursor } from './torch-cpu.js'
import { cudaOffsetStep, launchThreads } from './torch-cuda.js'
import type { GeneratorSettings, GeneratorSource, RandomLaw } from './types.js'

/** A parameter that draws. */
export interface Drawing {
  readonly name: string
  readonly elementCount: number
  /** The law as the initializer asked for it: one without spread draws too, in PyTorch. */
  readonly law: Distribution
  /** What an error calls the parameter. */
  readonly where: string
}

/** Says where a parameter's words come from; called once for every initialised parameter, in the model's order. */
export type SourcePlanner = (drawing: Drawing) => GeneratorSource | undefined

/** Laws that draw nothing. */
export const fixedLaws: readonly Distribution['kind'][] = ['constant', 'diagonal', 'sinusoid']

/** Without a named GPU no tensor may be larger: from the T4 up, every GPU then gives the same values. */
export const UNNAMED_GPU_LIMIT = 40960
/** PyTorch splits larger tensors, each part with its own offset. */
const CUDA_LIMIT = 2 ** 31 - 1
/** Below this, a float32 product's error could be subnormal, which WGSL lets a device flush: see the value contract. */
const SMALLEST_STD_BESIDE_MEAN = 2 ** -36

/**
 * Assigns words to parameters: for PyTorch's sequential generators in draw order, so that constants, tied and skipped
 * parameters take nothing; for keyed generators by name.
 */
export function sourcePlanner(settings: GeneratorSettings, seed: number | bigint): SourcePlanner {
  if (settings.name === 'philox') return () => undefined
  const assign = assigner(settings, seedKey(seed))
  return (drawing) => {
    if (fixedLaws.includes(drawing.law.kind)) return undefined
    return assign(drawing, supportedLaw(drawing, settings.name))
  }
}

function assigner(
  settings: Exclude<GeneratorSettings, { name: 'philox' }>,
  seed: bigint,
): (drawing: Drawing, law: RandomLaw) => GeneratorSource {
  switch (settings.name) {
    case 'torch-cpu': {
      let cursor: TorchCursor = { position: 0 }
      return ({ elementCount: count }, law) => {
        const { position, cachedAt } = cursor
        const small = law.kind === 'normal' && count < TORCH_BLOCK
        cursor = advanceTorch(cursor, law.kind, count)
        return {
          generator: 'torch-cpu',
          variant: settings.variant,
          draw: law.kind,
          seed: Number(seed & 0xffff_ffffn),
          position,
          count,
          ...(small && cachedAt !== undefined ? { cachedAt } : {}),
        }
      }
    }
    case 'torch-cuda': {
      let offset = 0n
      return ({ elementCount: count, where }) => {
        checkCudaSize(count, settings.threads, where)
        const threads = launchThreads(count, settings.threads)
        const source = { generator: 'torch-cuda', seed: String(seed), offset: String(offset), threads } as const
        offset += cudaOffsetStep(count, threads)
        return source
      }
    }
    case 'torch-stateless':
      return ({ name }) => {
        const stream = parameterStream(name, seed)
        return { generator: 'torch-stateless', seed: String(stream.seed), offset: String(stream.offset) }
      }
    case 'jax':
    case 'jax-legacy': {
      const names = new Map<number, string>()
      return ({ name, elementCount: count, where }) => {
        if (settings.name === 'jax-legacy' && count >= 0xffffffff) {
          throw new WeightInitError(
            'LIMIT_EXCEEDED',
            `${where}: generator jax-legacy takes fewer than 2^32 - 1 elements, but found ${count}; use 'jax'.`,
          )
        }
        const given = Object.hasOwn(settings.keys, name) ? settings.keys[name] : undefined
        if (given !== undefined) return { generator: settings.name, key: given, count }
        const id = crc32(name)
        const other = names.get(id)
        if (other !== undefined) {
          throw new WeightInitError(
            'INVALID_MODEL',
            `${where}: its name has the same CRC-32 as ${show(other)}, so both would get the same ${settings.name} key; ` +
              `rename one, or give it a key: generator: { name: '${settings.name}', keys: { ${show(name)}: [high, low] } }.`,
          )
        }
        names.set(id, name)
        return { generator: settings.name, key: jaxFoldIn([0, Number(seed & 0xffff_ffffn)], id), count }
      }
    }
  }
}

function checkCudaSize(count: number, threads: number | null, where: string): void {
  if (threads === null && count > UNNAMED_GPU_LIMIT) {
    throw new WeightInitError(
      'LIMIT_EXCEEDED',
      `${where} has ${count} elements: above ${UNNAMED_GPU_LIMIT} the values of generator torch-cuda depend on the GPU. ` +
        "Name it: generator: { name: 'torch-cuda', gpu: 'A100' }, or give its thread capacity as threads.",
    )
  }
  if (count > CUDA_LIMIT) {
    throw new WeightInitError(
      'LIMIT_EXCEEDED',
      `${where} has ${count} elements; generator torch-cuda takes at most 2^31 - 1 in one tensor. Split the parameter.`,
    )
  }
}

function supportedLaw({ law, where }: Drawing, generator: string): RandomLaw {
  if (law.kind !== 'uniform' && law.kind !== 'normal') {
    throw new WeightInitError(
      'UNSUPPORTED_GENERATOR',
      `${where}: generator ${generator} draws uniform and normal laws, but its initializer asks for ${law.kind}. ` +
        'Choose another initializer for it, skip it, or use the default generator.',
    )
  }
  if (law.kind === 'normal' && law.mean !== 0 && law.std !== 0 && law.std < SMALLEST_STD_BESIDE_MEAN) {
    throw new WeightInitError(
      'INVALID_CONFIG',
      `${where}: generator ${generator} needs std >= 2^-36 beside a non-zero mean, but found std ${show(law.std)}.`,
    )
  }
  return law
}
