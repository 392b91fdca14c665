import type { DeviceState } from './device-state.js'
import { destroyAll, requestBuffers, requireMemory, type WantedBuffer } from './memory.js'

/** Scratch memory up to this is kept for a next call, so long. */
const KEPT_BYTES = 16 * 2 ** 20
export const KEPT_MS = 2000

/**
 * Runs `work` with scratch buffers, whose contents are undefined. Afterwards they are destroyed, or, when they are small,
 * kept for two seconds (a call that fails keeps nothing): a new page of memory costs a software device more than what is
 * computed on it, and the orthogonal matrices of a model come one after another. `label` names what they are for; two calls
 * at a time have buffers of their own.
 * @throws OutOfMemoryError naming the bytes and `purpose`
 */
export async function withScratch<Name extends string, T>(
  state: DeviceState,
  label: string,
  purpose: string,
  wanted: Readonly<Record<Name, WantedBuffer>>,
  work: (buffers: Readonly<Record<Name, GPUBuffer>>) => Promise<T>,
): Promise<T> {
  const buffers = takeKept(state, label, wanted) ?? (await makeBuffers(state, label, purpose, wanted))
  try {
    const result = await work(buffers)
    keep(state, label, buffers)
    return result
  } catch (error) {
    destroyAll(buffers)
    throw error
  }
}

/** Destroys what calls left for the next one. */
export function releaseScratch(state: DeviceState): void {
  for (const label of state.scratch.keys()) release(state, label)
}

function takeKept<Name extends string>(
  state: DeviceState,
  label: string,
  wanted: Readonly<Record<Name, WantedBuffer>>,
): Readonly<Record<Name, GPUBuffer>> | undefined {
  const kept = state.scratch.get(label)
  if (kept === undefined) return undefined
  const fits = Object.entries<WantedBuffer>(wanted).every(
    ([name, { byteLength }]) => byteLength <= kept.buffers[name]!.size,
  )
  if (!fits) {
    release(state, label)
    return undefined
  }
  clearTimeout(kept.timer)
  state.scratch.delete(label)
  return kept.buffers as Readonly<Record<Name, GPUBuffer>>
}

function keep(state: DeviceState, label: string, buffers: Readonly<Record<string, GPUBuffer>>): void {
  const bytes = Object.values(buffers).reduce((sum, { size }) => sum + size, 0)
  if (bytes > KEPT_BYTES || state.lost !== undefined) {
    destroyAll(buffers)
    return
  }
  release(state, label)
  const timer = setTimeout(() => release(state, label), KEPT_MS)
  // Where a timer keeps the process alive (Node), this one does not.
  if (typeof timer === 'object') (timer as { unref?: () => void }).unref?.()
  state.scratch.set(label, { buffers, timer })
}

function release(state: DeviceState, label: string): void {
  const kept = state.scratch.get(label)
  if (kept === undefined) return
  clearTimeout(kept.timer)
  state.scratch.delete(label)
  destroyAll(kept.buffers)
}

async function makeBuffers<Name extends string>(
  state: DeviceState,
  label: string,
  purpose: string,
  wanted: Readonly<Record<Name, WantedBuffer>>,
): Promise<Readonly<Record<Name, GPUBuffer>>> {
  const requested = requestBuffers(state, label, `of scratch memory for ${purpose}`, wanted)
  try {
    await requireMemory(state, requested)
    return requested.buffers
  } catch (error) {
    destroyAll(requested.buffers)
    throw error
  }
}
