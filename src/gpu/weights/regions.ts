// Checks of the buffers that the caller provides: first those that need no device, then the device's own.
import { show, WeightInitError } from '../../core/errors.js'
import {
  type RegionRules,
  type RegionSpan,
  refuseOverlap,
  regionPieces,
  regionSpans,
  segmentsOfPieces,
} from '../../fill/regions.js'
import type { PlannedParameter } from '../../ir/plan.js'
import type { TargetRegion } from '../../plan/options.js'
import { USAGE_COPY_DST, USAGE_COPY_SRC, USAGE_STORAGE } from '../device/constants.js'
import { type DeviceState, requireAlive, untilLost } from '../device/device-state.js'
import { withErrorScope } from '../device/scopes.js'
import type { GpuRegion } from '../device/segments.js'
import { sendCommands } from '../device/submit.js'

const LABEL = 'webgpu-init preflight'

/**
 * Checks the caller's regions before any GPU work.
 * @throws WeightInitError `INVALID_BUFFER` naming the parameter, the value, the limit and the remedy
 */
export function checkRegions(
  into: ReadonlyMap<string, TargetRegion>,
  parameters: readonly PlannedParameter[],
  { what = 'into', overlapping = false }: { readonly what?: string; readonly overlapping?: boolean } = {},
): Map<string, GpuRegion> {
  const regions = new Map<string, GpuRegion>()
  if (into.size === 0) return regions
  const known = new Map(parameters.map((parameter) => [parameter.name, parameter]))
  const spans: RegionSpan[] = []
  for (const [name, region] of into) {
    const parameter = known.get(name)
    if (parameter?.action !== 'initialize') {
      throw new WeightInitError(
        'INVALID_BUFFER',
        `${what}[${show(name)}]: the model initialises no parameter of that name.`,
      )
    }
    const pieces = regionPieces(parameter, region, bufferRules, what)
    spans.push(...regionSpans(pieces, bufferRules.unit))
    const { buffer, byteOffset } = pieces[0]!
    regions.set(
      name,
      pieces.length === 1 ? { buffer, byteOffset } : { buffer, byteOffset, segments: segmentsOfPieces(pieces) },
    )
  }
  if (!overlapping) refuseOverlap(spans)
  return regions
}

const bufferRules: RegionRules<GPUBuffer> = {
  unit: 4,
  buffer(value, fail) {
    const buffer = value as GPUBuffer | null | undefined
    if (typeof buffer?.size !== 'number' || typeof buffer.usage !== 'number' || typeof buffer.destroy !== 'function') {
      return fail(`buffer must be a GPUBuffer on this device, but found ${show(buffer)}.`)
    }
    for (const [flag, usage, why] of [
      [USAGE_STORAGE, 'STORAGE (128)', ''],
      [USAGE_COPY_SRC, 'COPY_SRC (4)', ', which read() and verify() need'],
    ] as const) {
      if ((buffer.usage & flag) !== 0) continue
      fail(
        `the buffer's usage ${buffer.usage} lacks ${usage}${why}; create it with GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC.`,
      )
    }
    return { buffer, byteLength: buffer.size }
  },
}

/**
 * Lets the device check the caller's buffers before anything is written: copying one word out of a buffer fails when the
 * buffer is destroyed, is mapped, or belongs to another device.
 */
export async function preflight(
  state: DeviceState,
  given: ReadonlyMap<string, GpuRegion>,
  what = 'into',
): Promise<void> {
  if (given.size === 0) return
  const { device } = state
  const refuse = (name: string, cause: Error | GPUError): never => {
    throw new WeightInitError(
      'INVALID_BUFFER',
      `${what}[${show(name)}]: this device cannot use the buffer: ${cause.message} ` +
        'It must belong to this device and be neither destroyed nor mapped.',
      { cause },
    )
  }
  const scratch = device.createBuffer({ label: LABEL, size: 4, usage: USAGE_COPY_DST })
  const look = (places: Iterable<{ readonly buffer: GPUBuffer; readonly byteOffset: number }>) =>
    withErrorScope(device, 'validation', () =>
      sendCommands(device, LABEL, (encoder) => {
        for (const { buffer, byteOffset } of places) encoder.copyBufferToBuffer(buffer, byteOffset, scratch, 0, 4)
      }),
    ).error
  try {
    // Each buffer is checked once.
    const places = new Map<GPUBuffer, { name: string; buffer: GPUBuffer; byteOffset: number }>()
    for (const [name, region] of given) {
      for (const { buffer, byteOffset } of region.segments ?? [region])
        if (!places.has(buffer)) places.set(buffer, { name, buffer, byteOffset })
    }
    // All copies go into one submit, because a model may have thousands. If it fails, each buffer is checked on its own.
    try {
      if ((await untilLost(state, look(places.values()))) === null) return
    } catch (thrown) {
      requireAlive(state)
      if (thrown instanceof WeightInitError) throw thrown
    }
    for (const place of places.values()) {
      let error: Promise<GPUError | null>
      try {
        error = look([place])
      } catch (thrown) {
        // Some implementations throw for an object that is not one of their own GPUBuffers.
        refuse(place.name, thrown as Error)
        return
      }
      const problem = await untilLost(state, error)
      if (problem !== null) refuse(place.name, problem)
    }
  } finally {
    scratch.destroy()
  }
}
