import { WeightInitError } from '../../core/errors.js'
import { MAP_MODE_READ, USAGE_COPY_DST, USAGE_MAP_READ } from './constants.js'
import { type DeviceState, requireAlive, untilLost } from './device-state.js'
import { outOfMemory, type RequestedMemory } from './memory.js'
import { withErrorScope } from './scopes.js'
import type { GpuSegment } from './segments.js'
import { sendCommands } from './submit.js'
import { alignUp } from './windows.js'

const LABEL = 'webgpu-init readback'

/** A buffer that the host can map and read. */
export interface Staging extends RequestedMemory {
  readonly buffer: GPUBuffer
}

/** @param byteLength a multiple of 4 */
export function makeStaging({ device }: DeviceState, byteLength: number): Staging {
  const { result: buffer, error } = withErrorScope(device, 'out-of-memory', () =>
    device.createBuffer({ label: LABEL, size: byteLength, usage: USAGE_MAP_READ | USAGE_COPY_DST }),
  )
  // If another range fails, nothing may be waiting for this promise.
  error.catch(() => {})
  return { buffer, error, byteLength, purpose: 'to read back through' }
}

/**
 * Begins to copy `length` bytes at `offset` (a multiple of 4) to the host. The returned function waits for the copy and
 * passes the bytes to `take` while they are mapped. The staging buffer is in use until then.
 */
export function beginCopy(
  state: DeviceState,
  staging: Staging,
  source: GPUBuffer,
  offset: number,
  length: number,
): (take: (bytes: Uint8Array) => void) => Promise<void> {
  requireAlive(state)
  const { buffer } = staging
  const padded = alignUp(length, 4)
  const copy = withErrorScope(state.device, 'validation', () => {
    sendCommands(state.device, LABEL, (encoder) => encoder.copyBufferToBuffer(source, offset, buffer, 0, padded))
    return buffer.mapAsync(MAP_MODE_READ, 0, padded)
  })
  // After an abort, or if another range fails, nothing may be waiting for this promise.
  copy.result.catch(() => {})
  copy.error.catch(() => {})
  return async (take) => {
    const [noMemory, problem] = await untilLost(state, Promise.all([staging.error, copy.error]))
    if (noMemory !== null) throw outOfMemory(staging, noMemory)
    if (problem !== null) {
      throw new WeightInitError('DEVICE_ERROR', `The weights cannot be read back: ${problem.message}`, {
        cause: problem,
      })
    }
    await untilLost(state, copy.result)
    take(new Uint8Array(buffer.getMappedRange(0, padded), 0, length))
    buffer.unmap()
  }
}

/** Copies `length` bytes at `offset` (a multiple of 4) to the host and passes them to `take` while they are mapped. */
export async function copyOut(
  state: DeviceState,
  buffer: GPUBuffer,
  offset: number,
  length: number,
  take: (bytes: Uint8Array) => void,
): Promise<void> {
  requireAlive(state)
  const staging = makeStaging(state, alignUp(length, 4))
  try {
    await beginCopy(state, staging, buffer, offset, length)(take)
  } finally {
    staging.buffer.destroy()
  }
}

/** The largest staging buffer, in bytes. */
const STAGING_BYTES = 32 * 2 ** 20

/** Bytes [start, start + length) of the segments' contents, in a new array; `start` must be a multiple of 4. */
export async function readSegments(
  state: DeviceState,
  segments: readonly GpuSegment[],
  start: number,
  length: number,
): Promise<Uint8Array> {
  const out = new Uint8Array(length)
  let segmentStart = 0
  for (const { buffer, byteOffset, byteLength } of segments) {
    const from = Math.max(start, segmentStart)
    const to = Math.min(start + length, segmentStart + byteLength)
    for (let at = from; at < to; at += STAGING_BYTES) {
      const part = Math.min(STAGING_BYTES, to - at)
      await copyOut(state, buffer, byteOffset + at - segmentStart, part, (bytes) => out.set(bytes, at - start))
    }
    segmentStart += byteLength
  }
  return out
}
