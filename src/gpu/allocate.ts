import { OutOfMemoryError, show, WeightInitError } from '../errors.js'
import type { TargetRegion } from '../options.js'
import type { PlannedParameter } from '../plan.js'
import { refuseOverlap } from '../regions.js'
import { USAGE_COPY_DST, USAGE_COPY_SRC, USAGE_STORAGE } from './constants.js'
import { type DeviceState, untilLost } from './device-state.js'
import { withErrorScope } from './scopes.js'
import { alignUp } from './windows.js'

/** Where a parameter lives. */
export interface GpuRegion {
  readonly buffer: GPUBuffer
  readonly byteOffset: number
}

export interface Allocation {
  readonly regions: ReadonlyMap<string, GpuRegion>
  /** Buffers made here, to be destroyed with the result. */
  readonly owned: readonly GPUBuffer[]
}

/** Packed parameters start at multiples of this: what any device accepts as a binding offset. */
const PACKED_ALIGNMENT = 256
/** A buffer ends at a multiple of this, so that ONNX Runtime can take it and odd 16-bit tails have their word. */
const BUFFER_ALIGNMENT = 4

/**
 * Checks the caller's regions before any GPU work.
 * @throws WeightInitError `INVALID_BUFFER` naming the parameter, the value, the limit and the remedy
 */
export function checkRegions(
  into: ReadonlyMap<string, TargetRegion>,
  parameters: readonly PlannedParameter[],
): Map<string, GpuRegion> {
  const regions = new Map<string, GpuRegion>()
  for (const [name, region] of into) {
    const where = `into[${show(name)}]`
    const fail = (message: string): never => {
      throw new WeightInitError('INVALID_BUFFER', `${where}: ${message}`)
    }
    const parameter = parameters.find((p) => p.name === name && p.action === 'initialize')
    if (parameter === undefined) return fail('the model initialises no parameter of that name.')
    const buffer = region?.buffer as GPUBuffer | undefined
    if (typeof buffer?.size !== 'number' || typeof buffer.usage !== 'number' || typeof buffer.destroy !== 'function') {
      return fail(`buffer must be a GPUBuffer on this device, but found ${show(buffer)}.`)
    }
    const byteOffset = region.byteOffset ?? 0
    if (!Number.isSafeInteger(byteOffset) || byteOffset < 0 || byteOffset % 4 !== 0) {
      fail(`byteOffset must be a non-negative multiple of 4, but found ${show(byteOffset)}.`)
    }
    if ((buffer.usage & USAGE_STORAGE) === 0) {
      fail(
        `the buffer's usage ${buffer.usage} lacks STORAGE (128); create it with GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC.`,
      )
    }
    if ((buffer.usage & USAGE_COPY_SRC) === 0) {
      fail(
        `the buffer's usage ${buffer.usage} lacks COPY_SRC (4), which read() and verify() need; create it with GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC.`,
      )
    }
    const needed = byteOffset + alignUp(parameter.byteLength, 4)
    if (needed > buffer.size) {
      fail(
        `the buffer is too small: ${parameter.byteLength} bytes at offset ${byteOffset} need a buffer of ${needed} bytes ` +
          `(whole 32-bit words), but it has ${buffer.size}.`,
      )
    }
    regions.set(name, { buffer, byteOffset })
  }
  refuseOverlap(
    [...regions].map(([name, { buffer, byteOffset }]) => {
      const byteLength = parameters.find((p) => p.name === name)?.byteLength ?? 0
      return { name, buffer, begin: byteOffset, end: byteOffset + alignUp(byteLength, 4) }
    }),
  )
  return regions
}

/**
 * Makes the buffers that the caller did not give. All or nothing: a failure destroys what was made.
 * @throws OutOfMemoryError naming the parameter and its bytes; WeightInitError `LIMIT_EXCEEDED`
 */
export async function allocate(
  state: DeviceState,
  parameters: readonly PlannedParameter[],
  given: ReadonlyMap<string, GpuRegion>,
  options: { buffers: 'separate' | 'packed'; usage: number },
): Promise<Allocation> {
  const { device } = state
  const own = parameters.filter(({ action, name }) => action === 'initialize' && !given.has(name))
  const limit = device.limits.maxBufferSize
  for (const { name, byteLength } of own) {
    if (alignUp(byteLength, BUFFER_ALIGNMENT) > limit) {
      throw new WeightInitError(
        'LIMIT_EXCEEDED',
        `Parameter ${show(name)} needs ${byteLength} bytes; this device has maxBufferSize ${limit}. ` +
          'Request the device with a larger requiredLimits.maxBufferSize, use a narrower dtype, or split the parameter.',
      )
    }
  }
  const usage = USAGE_STORAGE | USAGE_COPY_SRC | USAGE_COPY_DST | options.usage
  const regions = new Map<string, GpuRegion>(given)
  const made: { buffer: GPUBuffer; label: string; byteLength: number; error: Promise<GPUError | null> }[] = []
  const make = (label: string, byteLength: number): GPUBuffer => {
    const size = alignUp(byteLength, BUFFER_ALIGNMENT)
    const { result, error } = withErrorScope(device, 'out-of-memory', () => device.createBuffer({ label, size, usage }))
    made.push({ buffer: result, label, byteLength: size, error })
    return result
  }
  try {
    if (options.buffers === 'separate') {
      for (const { name, byteLength } of own) regions.set(name, { buffer: make(name, byteLength), byteOffset: 0 })
    } else {
      for (const group of packGroups(own, limit)) {
        const buffer = make(`webgpu-init packed ${group.members[0]?.name} ...`, group.byteLength)
        for (const { name, byteOffset } of group.members) regions.set(name, { buffer, byteOffset })
      }
    }
    const errors = await untilLost(state, Promise.all(made.map(({ error }) => error)))
    errors.forEach((error, index) => {
      if (error === null) return
      const { label, byteLength } = made[index]!
      throw new OutOfMemoryError(
        `The device could not allocate ${byteLength} bytes for ${show(label)}: ${error.message} ` +
          'Nothing was kept. Free other buffers, use a narrower dtype, or initialise in parts with skip.',
        { cause: error },
      )
    })
  } catch (error) {
    for (const { buffer } of made) buffer.destroy()
    throw error
  }
  return { regions, owned: made.map(({ buffer }) => buffer) }
}

interface PackGroup {
  byteLength: number
  members: { name: string; byteOffset: number }[]
}

function packGroups(parameters: readonly PlannedParameter[], limit: number): PackGroup[] {
  const groups: PackGroup[] = []
  for (const { name, byteLength } of parameters) {
    let group = groups.at(-1)
    let byteOffset = group === undefined ? 0 : alignUp(group.byteLength, PACKED_ALIGNMENT)
    if (group === undefined || byteOffset + alignUp(byteLength, 4) > limit) {
      group = { byteLength: 0, members: [] }
      groups.push(group)
      byteOffset = 0
    }
    group.members.push({ name, byteOffset })
    group.byteLength = byteOffset + alignUp(byteLength, 4)
  }
  return groups
}
