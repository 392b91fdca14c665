import { show, WeightInitError } from '../../core/errors.js'
import type { PlannedParameter } from '../../ir/plan.js'
import { USAGE_COPY_DST, USAGE_COPY_SRC, USAGE_STORAGE } from '../device/constants.js'
import { type DeviceState, untilLost } from '../device/device-state.js'
import { outOfMemory } from '../device/memory.js'
import { withErrorScope } from '../device/scopes.js'
import { type GpuRegion, type GpuSegment, segmentSizes } from '../device/segments.js'
import { alignUp } from '../device/windows.js'

export interface Allocation {
  readonly regions: ReadonlyMap<string, GpuRegion>
  /** The buffers that were made here, which are destroyed together with the result. */
  readonly owned: readonly GPUBuffer[]
}

/** Packed parameters start at multiples of this number of bytes, which every device accepts as a binding offset. */
const PACKED_ALIGNMENT = 256

const tooLarge = ({ device }: DeviceState, { byteLength }: PlannedParameter, alignment: number): boolean =>
  alignUp(byteLength, alignment) > device.limits.maxBufferSize

/**
 * Refuses parameters that no buffer of the device can hold, before any GPU work.
 * @throws WeightInitError `LIMIT_EXCEEDED` naming the parameter, its bytes, the limit and the remedies
 */
export function checkSizes(
  state: DeviceState,
  parameters: readonly PlannedParameter[],
  given: ReadonlyMap<string, GpuRegion>,
  { segments, bufferAlignment }: { segments: boolean; bufferAlignment: number },
): void {
  if (segments) return
  for (const parameter of parameters) {
    const { name, action, byteLength } = parameter
    if (action !== 'initialize' || given.has(name) || !tooLarge(state, parameter, bufferAlignment)) continue
    throw new WeightInitError(
      'LIMIT_EXCEEDED',
      `Parameter ${show(name)} needs ${byteLength} bytes; this device has maxBufferSize ${state.device.limits.maxBufferSize}. ` +
        'Request the device with a larger requiredLimits.maxBufferSize, allow several buffers with the option ' +
        'segments: true, make a part of it with shard or slice, or use a narrower dtype.',
    )
  }
}

/**
 * Makes the buffers that the caller did not provide; `checkSizes` has checked their sizes. If one allocation fails, all
 * buffers that were made are destroyed.
 * @throws OutOfMemoryError naming the parameter and its bytes
 */
export async function allocate(
  state: DeviceState,
  parameters: readonly PlannedParameter[],
  given: ReadonlyMap<string, GpuRegion>,
  options: { buffers: 'separate' | 'packed'; bufferAlignment: number; usage: number },
): Promise<Allocation> {
  const { device } = state
  const own = parameters.filter(({ action, name }) => action === 'initialize' && !given.has(name))
  const limit = device.limits.maxBufferSize
  const usage = USAGE_STORAGE | USAGE_COPY_SRC | USAGE_COPY_DST | options.usage
  const regions = new Map<string, GpuRegion>(given)
  const made: { buffer: GPUBuffer; parameter: string; byteLength: number; error: Promise<GPUError | null> }[] = []
  const bytesTotal = own.reduce((sum, { byteLength }) => sum + byteLength, 0)
  const refusal = (parameter: string, byteLength: number, cause: Error | GPUError): Error => {
    const purpose = `for parameter ${show(parameter)}, of ${bytesTotal} in all`
    const remedy =
      ' No buffer remains. Free other buffers, use a narrower dtype, or make a part of the model with shard or skip.'
    return outOfMemory({ byteLength, purpose }, cause, remedy)
  }
  const make = (parameter: string, byteLength: number, label: string): GPUBuffer => {
    // A buffer holds whole words, even if a 16-bit parameter has an odd number of elements.
    const size = alignUp(byteLength, options.bufferAlignment)
    try {
      const scope = withErrorScope(device, 'out-of-memory', () => device.createBuffer({ label, size, usage }))
      made.push({ buffer: scope.result, parameter, byteLength: size, error: scope.error })
      return scope.result
    } catch (thrown) {
      // Some implementations throw a RangeError where the standard reports the error to an error scope.
      throw refusal(parameter, size, thrown as Error)
    }
  }
  try {
    for (const parameter of own.filter((p) => tooLarge(state, p, options.bufferAlignment)))
      regions.set(parameter.name, makeSegments(parameter, limit, make))
    const fitting = own.filter((p) => !tooLarge(state, p, options.bufferAlignment))
    if (options.buffers === 'separate') {
      for (const { name, byteLength } of fitting)
        regions.set(name, { buffer: make(name, byteLength, name), byteOffset: 0 })
    } else {
      for (const group of packGroups(fitting, limit)) {
        const first = group.members[0]!.name
        const buffer = make(first, group.byteLength, `webgpu-init packed ${first} ...`)
        for (const { name, byteOffset } of group.members) regions.set(name, { buffer, byteOffset })
      }
    }
    const errors = await untilLost(state, Promise.all(made.map(({ error }) => error)))
    errors.forEach((error, index) => {
      if (error === null) return
      const { parameter, byteLength } = made[index]!
      throw refusal(parameter, byteLength, error)
    })
  } catch (error) {
    for (const { buffer } of made) buffer.destroy()
    throw error
  }
  return { regions, owned: made.map(({ buffer }) => buffer) }
}

function makeSegments(
  { name, dtype, elementCount }: PlannedParameter,
  limit: number,
  make: (parameter: string, byteLength: number, label: string) => GPUBuffer,
): GpuRegion {
  const sizes = segmentSizes(elementCount, dtype, limit)
  const segments: GpuSegment[] = sizes.map((size, index) => ({
    buffer: make(name, size.byteLength, `${name} [${index + 1} of ${sizes.length}]`),
    byteOffset: 0,
    ...size,
  }))
  return { buffer: segments[0]!.buffer, byteOffset: 0, segments }
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
