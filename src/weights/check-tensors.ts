import { byteWidth, checkDType, type DType } from '../core/dtype.js'
import { refuseUnknownKeys, show, WeightInitError } from '../core/errors.js'
import { CpuStore } from '../cpu/store.js'
import {
  checkDistribution,
  distributionKinds,
  elementCountOf,
  expectedMoments,
  isDistribution,
} from '../distributions/registry.js'
import { deviceState } from '../gpu/device/device-state.js'
import { GpuStore } from '../gpu/gpu-store.js'
import { checkRegions, preflight } from '../gpu/weights/regions.js'
import type { Distribution } from '../ir/distribution.js'
import type { PlannedParameter } from '../ir/plan.js'
import { validateShape } from '../model/validate.js'
import { type CheckOptions, type CheckReport, checkStore, resolveCheckOptions } from './check.js'

/** A tensor from anywhere, and the distribution that its elements should follow. Row-major. */
export interface CheckedTensor {
  readonly name: string
  readonly shape: readonly number[]
  /** Default 'float32'. */
  readonly dtype?: DType
  readonly distribution: Distribution
  /** A GPUBuffer (STORAGE and COPY_SRC) of the device; with 'cpu' an ArrayBuffer or a view of one, little-endian. */
  readonly buffer: GPUBuffer | ArrayBuffer | ArrayBufferView
  /** Of the first element in the buffer, a multiple of 4. Default 0. */
  readonly byteOffset?: number
}

/**
 * Tests tensors of any origin against the distributions that they should follow, where they are: on the GPU one pass over each, and a
 * few hundred bytes come back. Reads only. What the tests are, and why the false-alarm rate holds at any size:
 * docs/verification.md.
 *
 * @param device the GPUDevice of the buffers, or 'cpu' for host memory
 * @example
 * const report = await checkTensors(device, [
 *   { name: 'w', buffer, shape: [512, 256], distribution: { kind: 'normal', mean: 0, std: 0.0625 } },
 * ])
 * if (!report.ok) for (const { parameters, test, message } of report.failures) console.log(parameters, test, message)
 * @throws WeightInitError `INVALID_ARGUMENT`, `INVALID_SHAPE`, `INVALID_CONFIG`, `UNSUPPORTED_DTYPE`, `INVALID_BUFFER` before
 *   any GPU work; DeviceLostError, OutOfMemoryError
 */
export async function checkTensors(
  device: GPUDevice | 'cpu',
  tensors: readonly CheckedTensor[],
  options: CheckOptions = {},
): Promise<CheckReport> {
  resolveCheckOptions(options)
  const parameters = plannedTensors(tensors)
  const places = tensors.map(({ name, buffer, byteOffset = 0 }) => [name, { buffer, byteOffset }] as const)
  const regions = new Map(places as [string, { buffer: GPUBuffer | ArrayBuffer; byteOffset: number }][])
  if (device === 'cpu')
    return checkStore(new CpuStore(CpuStore.regionsOf(parameters, regions, 'tensor')), parameters, options)
  if (typeof device?.createBuffer !== 'function') {
    throw new WeightInitError('INVALID_ARGUMENT', `device must be a GPUDevice or 'cpu', but found ${show(device)}.`)
  }
  const state = deviceState(device)
  const checked = checkRegions(regions, parameters, { what: 'tensor', overlapping: true })
  await preflight(state, checked, 'tensor')
  return checkStore(new GpuStore(state, checked, []), parameters, options)
}

const keys = ['name', 'shape', 'dtype', 'distribution', 'buffer', 'byteOffset']

function plannedTensors(tensors: readonly CheckedTensor[]): PlannedParameter[] {
  if (!Array.isArray(tensors) || tensors.length === 0) {
    throw new WeightInitError(
      'INVALID_ARGUMENT',
      `checkTensors takes a list of at least one tensor { name, shape, distribution, buffer }, but found ${show(tensors)}.`,
    )
  }
  const names = new Set<string>()
  return tensors.map((tensor, index) => {
    refuseUnknownKeys(tensor, keys, `tensors[${index}]`)
    const { name, distribution: asked } = tensor
    if (typeof name !== 'string' || name.length === 0 || names.has(name)) {
      throw new WeightInitError(
        'INVALID_ARGUMENT',
        `tensors[${index}]: name must be a string that no other tensor has, but found ${show(name)}.`,
      )
    }
    names.add(name)
    const where = `Tensor ${show(name)}`
    const { shape, elementCount } = validateShape(tensor.shape, where)
    const dtype = checkDType(tensor.dtype ?? 'float32', where)
    if (!isDistribution(asked)) {
      throw new WeightInitError(
        'INVALID_CONFIG',
        `${where}: unknown distribution ${show(asked)}; known kinds: ${distributionKinds.join(', ')}.`,
      )
    }
    const distribution = checkDistribution(asked, dtype, where)
    const wanted = elementCountOf(distribution)
    if (wanted !== undefined && wanted !== elementCount) {
      throw new WeightInitError(
        'INVALID_SHAPE',
        `${where}: shape ${show(shape)} has ${elementCount} elements, but its ${distribution.kind} distribution has ${wanted}.`,
      )
    }
    return {
      name,
      shape,
      elementCount,
      dtype,
      byteLength: elementCount * byteWidth(dtype),
      role: 'weight',
      layout: 'out-in',
      action: 'initialize',
      rule: { initializer: distribution.kind, config: {}, because: 'checkTensors' },
      distribution,
      expected: expectedMoments(distribution),
      // No word is drawn.
      stream: { key: 0n, counter: 0n },
      patches: [],
    }
  })
}
