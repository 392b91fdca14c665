import { OutOfMemoryError } from '../../core/errors.js'
import { type DeviceState, untilLost } from './device-state.js'
import { withErrorScope } from './scopes.js'

/** Memory that was requested from the device. The device's answer arrives later, in `error`. */
export interface RequestedMemory {
  readonly byteLength: number
  /** The purpose, which completes "The device could not allocate 64 bytes", as in 'to fill "w"'. */
  readonly purpose: string
  /** The device's answer: null if the memory was allocated. */
  readonly error: Promise<GPUError | null>
}

/** @param remedy one more sentence for the message, with a leading space */
export function outOfMemory(
  { byteLength, purpose }: Pick<RequestedMemory, 'byteLength' | 'purpose'>,
  cause: Error | GPUError,
  remedy = '',
): OutOfMemoryError {
  return new OutOfMemoryError(
    `The device could not allocate ${byteLength} bytes ${purpose}: ${cause.message}${remedy}`,
    { cause },
  )
}

/** @throws OutOfMemoryError naming the bytes and their purpose; DeviceLostError */
export async function requireMemory(state: DeviceState, memory: RequestedMemory): Promise<void> {
  const problem = await untilLost(state, memory.error)
  if (problem !== null) throw outOfMemory(memory, problem)
}

export interface WantedBuffer {
  readonly byteLength: number
  readonly usage: GPUBufferUsageFlags
}

/** Buffers by name, and the device's one answer for all of them. */
export interface RequestedBuffers<Name extends string> extends RequestedMemory {
  readonly buffers: Readonly<Record<Name, GPUBuffer>>
}

/** Requests buffers whose contents are undefined. The caller destroys them, even when the device has no memory for them. */
export function requestBuffers<Name extends string>(
  { device }: DeviceState,
  label: string,
  purpose: string,
  wanted: Readonly<Record<Name, WantedBuffer>>,
): RequestedBuffers<Name> {
  const buffers = {} as Record<Name, GPUBuffer>
  let total = 0
  try {
    const { error } = withErrorScope(device, 'out-of-memory', () => {
      for (const [name, { byteLength, usage }] of Object.entries<WantedBuffer>(wanted)) {
        buffers[name as Name] = device.createBuffer({ label: `${label} ${name}`, size: byteLength, usage })
        total += byteLength
      }
    })
    return { buffers, error, byteLength: total, purpose }
  } catch (thrown) {
    // Some implementations throw a RangeError where the standard reports the error to an error scope.
    destroyAll(buffers)
    throw thrown
  }
}

export function destroyAll(buffers: Readonly<Record<string, GPUBuffer>>): void {
  for (const buffer of Object.values(buffers)) buffer.destroy()
}
