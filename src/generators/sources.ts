import { show, WeightInitError } from '../core/errors.js'
import type { Distribution } from '../ir/distribution.js'
import type {
  DrawingDistribution,
  GeneratorName,
  GeneratorSettings,
  GeneratorSource,
  TorchCpuSource,
  TorchCudaSource,
} from '../ir/generator.js'
import { parameterStream, seedKey } from '../random/keys.js'
import { crc32, jaxFoldIn } from './jax/jax.js'
import { cursorOf } from './torch/calls.js'
import { advanceTorch, TORCH_BLOCK, type TorchCursor } from './torch/cpu.js'
import { cudaOffsetStep, launchThreads } from './torch/cuda.js'
import { LONG_PERMUTATION } from './torch/randperm.js'
import { permutationWords } from './torch/sparse.js'
import { afterTruncated, checkTorchTruncated } from './torch/truncated.js'

/** A parameter that draws. */
export interface Drawing {
  readonly name: string
  readonly elementCount: number
  /** The distribution as the initializer asked for it: one without spread draws too, in PyTorch. */
  readonly distribution: Distribution
  /** What an error calls the parameter. */
  readonly where: string
}

/** Says where a parameter's words come from; called once for every initialised parameter, in the model's order. */
export type SourcePlanner = (drawing: Drawing) => GeneratorSource | undefined

/** Distributions that draw nothing. */
export const fixedDistributions: readonly Distribution['kind'][] = ['constant', 'diagonal', 'sinusoid']

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
    if (fixedDistributions.includes(drawing.distribution.kind)) return undefined
    return assign(drawing, checkGeneratorDistribution(drawing.distribution, settings, drawing.where))
  }
}

/** Elements of one call: of the tensor, or of each of an orthogonal distribution's matrices. */
export function elementsOfCall(distribution: Distribution, elementCount: number): number {
  return distribution.kind === 'orthogonal' ? distribution.rows * distribution.columns : elementCount
}

function assigner(
  settings: Exclude<GeneratorSettings, { name: 'philox' }>,
  seed: bigint,
): (drawing: Drawing, distribution: DrawingDistribution) => GeneratorSource {
  switch (settings.name) {
    case 'torch-cpu': {
      // A truncated normal is drawn to know where it ends: only when something is drawn after it.
      let cursor = (): TorchCursor => ({ position: 0 })
      return ({ elementCount: count }, distribution) => {
        const { position, cachedAt } = cursor()
        const small = distribution.kind !== 'uniform' && elementsOfCall(distribution, count) < TORCH_BLOCK
        const source: TorchCpuSource = {
          generator: 'torch-cpu',
          variant: settings.variant,
          draw: distribution.kind,
          ...(distribution.kind === 'truncated-normal' ? { truncation: settings.truncation } : {}),
          seed: Number(seed & 0xffff_ffffn),
          position,
          count,
        }
        const here = cachedAt === undefined ? source : { ...source, cachedAt }
        let after: TorchCursor | undefined
        cursor = () => (after ??= cursorAfter(distribution, here))
        return small ? here : source
      }
    }
    case 'torch-cuda': {
      let offset = (): bigint => 0n
      let position = 0
      return ({ elementCount, where }, distribution) => {
        const count = elementsOfCall(distribution, elementCount)
        checkCudaSize(count, settings.threads, where)
        const threads = launchThreads(count, settings.threads)
        const source: TorchCudaSource = {
          generator: 'torch-cuda',
          seed: String(seed),
          offset: String(offset()),
          threads,
          ...(distribution.kind === 'truncated-normal' ? { count } : {}),
          ...(distribution.kind === 'sparse' ? { position } : {}),
        }
        if (distribution.kind === 'sparse') position += permutationWords(distribution)
        let after: bigint | undefined
        offset = () => (after ??= offsetAfter(distribution, source, count))
        return source
      }
    }
    case 'torch-stateless':
      return ({ name }) => {
        const stream = parameterStream(name, seed)
        return { generator: 'torch-stateless', seed: String(stream.key), offset: String(stream.counter) }
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

/** Where the next call begins on the CPU. `source` has the kept normal in any case. */
function cursorAfter(distribution: DrawingDistribution, source: TorchCpuSource): TorchCursor {
  const { count, truncation } = source
  const cursor = cursorOf(source)
  switch (distribution.kind) {
    case 'truncated-normal':
      if (truncation === 'inversion') return advanceTorch(cursor, 'uniform', count)
      return cursorOf(afterTruncated(distribution, { generatorSource: source }, count).generatorSource)
    case 'sparse': {
      const { position, ...kept } = advanceTorch(cursor, 'normal', count)
      return { position: position + permutationWords(distribution), ...kept }
    }
    case 'orthogonal': {
      let after = cursor
      for (let i = 0; i < distribution.batch; i++)
        after = advanceTorch(after, 'normal', distribution.rows * distribution.columns)
      return after
    }
    default:
      return advanceTorch(cursor, distribution.kind, count)
  }
}

/** philox_offset after a parameter. */
function offsetAfter(distribution: DrawingDistribution, source: TorchCudaSource, count: number): bigint {
  const offset = BigInt(source.offset)
  const calls = distribution.kind === 'orthogonal' ? BigInt(distribution.batch) : 1n
  if (distribution.kind !== 'truncated-normal') return offset + calls * cudaOffsetStep(count, source.threads)
  return BigInt(afterTruncated(distribution, { generatorSource: source, count }, count).generatorSource.offset)
}

/** What each generator's library has; every other distribution is refused with the remedy. */
const torchDistributions: readonly DrawingDistribution['kind'][] = [
  'uniform',
  'normal',
  'truncated-normal',
  'sparse',
  'orthogonal',
]
const distributionsOf: Readonly<Record<Exclude<GeneratorName, 'philox'>, readonly DrawingDistribution['kind'][]>> = {
  'torch-cpu': torchDistributions,
  'torch-cuda': torchDistributions,
  'torch-stateless': ['uniform', 'normal', 'orthogonal'],
  jax: ['uniform', 'normal', 'truncated-normal', 'orthogonal'],
  'jax-legacy': ['uniform', 'normal', 'truncated-normal', 'orthogonal'],
}

/** @throws WeightInitError unless the generator's library has this distribution, or could not make it as its values are promised */
export function checkGeneratorDistribution(
  distribution: Distribution,
  generator: GeneratorSettings,
  where: string,
): DrawingDistribution {
  const { name } = generator
  if (name === 'philox' || !(distributionsOf[name] as readonly string[]).includes(distribution.kind)) {
    throw new WeightInitError(
      'UNSUPPORTED_GENERATOR',
      `${where}: generator ${name} draws ${name === 'philox' ? '' : distributionsOf[name].join(', ')} distributions, but its initializer asks ` +
        `for ${distribution.kind}. Choose another initializer for it, skip it, or use the default generator.`,
    )
  }
  if (distribution.kind === 'sparse' && distribution.rows >= LONG_PERMUTATION) {
    throw new WeightInitError(
      'LIMIT_EXCEEDED',
      `${where}: sparse with generator ${name} takes fewer than ${LONG_PERMUTATION} rows, but found ${distribution.rows}. ` +
        'Split the matrix, or use the default generator.',
    )
  }
  if (distribution.kind === 'truncated-normal') {
    if (name === 'torch-cuda' || (name === 'torch-cpu' && generator.truncation === 'rejection')) {
      checkTorchTruncated(distribution, where)
    }
  }
  if (distribution.kind === 'normal' || distribution.kind === 'truncated-normal') {
    if (distribution.mean !== 0 && distribution.std !== 0 && distribution.std < SMALLEST_STD_BESIDE_MEAN) {
      throw new WeightInitError(
        'INVALID_CONFIG',
        `${where}: generator ${name} needs std >= 2^-36 beside a non-zero mean, but found std ${show(distribution.std)}.`,
      )
    }
  }
  return distribution as DrawingDistribution
}
