import { OutOfMemoryError, WeightInitError } from '../../core/errors.js'
import { MAP_MODE_READ, USAGE_COPY_DST, USAGE_MAP_READ } from './constants.js'
import { type DeviceState, requireAlive, untilLost } from './device-state.js'
import { withErrorScope } from './scopes.js'
import type { GpuSegment } from './segments.js'
import { alignUp } from './windows.js'

/** Copies `length` bytes at `offset` (a multiple of 4) to the host and shows them to `take` while they are mapped. */
export async function copyOut(
  state: DeviceState,
  buffer: GPUBuffer,
  offset: number,
  length: number,
  take: (bytes: Uint8Array) => void,
): Promise<void> {
  requireAlive(state)
  const { device } = state
  const padded = alignUp(length, 4)
  const allocation = withErrorScope(device, 'out-of-memory', () =>
    device.createBuffer({ label: 'webgpu-init readback', size: padded, usage: USAGE_MAP_READ | USAGE_COPY_DST }),
  )
  const staging = allocation.result
  try {
    const copy = withErrorScope(device, 'validation', () => {
      const encoder = device.createCommandEncoder({ label: 'webgpu-init readback' })
      encoder.copyBufferToBuffer(buffer, offset, staging, 0, padded)
      device.queue.submit([encoder.finish({ label: 'webgpu-init readback' })])
    })
    const [noMemory, invalid] = await untilLost(state, Promise.all([allocation.error, copy.error]))
    refuseReadback(padded, noMemory, invalid)
    await untilLost(state, staging.mapAsync(MAP_MODE_READ))
    take(new Uint8Array(staging.getMappedRange(), 0, length))
    staging.unmap()
  } finally {
    staging.destroy()
  }
}

/** Throws for a staging buffer of so many bytes that could not be made, or a copy that could not. */
export function refuseReadback(byteLength: number, noMemory: GPUError | null, invalid: GPUError | null): void {
  if (noMemory !== null) {
    throw new OutOfMemoryError(
      `The device could not allocate ${byteLength} bytes to read back through: ${noMemory.message}`,
      { cause: noMemory },
    )
  }
  if (invalid !== null) {
    throw new WeightInitError('DEVICE_ERROR', `The weights cannot be read back: ${invalid.message}`, {
      cause: invalid,
    })
  }
}

/** A readback goes through a staging buffer of at most this many bytes. */
const STAGING_BYTES = 32 * 2 ** 20

/** Bytes [start, start + length) of what lies in segments, in a new array; start is a multiple of 4. */
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
