import type { DeviceState } from './device-state.js'
import { destroyAll, requestBuffers, requireMemory, type WantedBuffer } from './memory.js'

/** Scratch memory up to this many bytes is cached for the next call ... */
const MAX_CACHED_BYTES = 16 * 2 ** 20
/** ... for this many milliseconds. */
export const CACHE_MS = 2000

/**
 * Runs `work` with scratch buffers. Their contents are undefined at the start. Afterwards small buffers are cached for two
 * seconds, and larger ones are destroyed; a call that fails destroys its buffers. Caching pays because the orthogonal
 * matrices of a model are made one after another, and on a software device a new page of memory costs more time than the
 * computation on it.
 * @param label the purpose of the buffers; it is the key of the cache. Two concurrent calls never share buffers.
 * @throws OutOfMemoryError naming the bytes and `purpose`
 */
export async function withScratch<Name extends string, T>(
  state: DeviceState,
  label: string,
  purpose: string,
  wanted: Readonly<Record<Name, WantedBuffer>>,
  work: (buffers: Readonly<Record<Name, GPUBuffer>>) => Promise<T>,
): Promise<T> {
  const buffers = takeCached(state, label, wanted) ?? (await makeBuffers(state, label, purpose, wanted))
  try {
    const result = await work(buffers)
    cache(state, label, buffers)
    return result
  } catch (error) {
    destroyAll(buffers)
    throw error
  }
}

/** Destroys the scratch buffers that are cached for the next call. */
export function releaseScratch(state: DeviceState): void {
  for (const label of state.scratch.keys()) release(state, label)
}

function takeCached<Name extends string>(
  state: DeviceState,
  label: string,
  wanted: Readonly<Record<Name, WantedBuffer>>,
): Readonly<Record<Name, GPUBuffer>> | undefined {
  const cached = state.scratch.get(label)
  if (cached === undefined) return undefined
  const fits = Object.entries<WantedBuffer>(wanted).every(
    ([name, { byteLength }]) => byteLength <= cached.buffers[name]!.size,
  )
  if (!fits) {
    release(state, label)
    return undefined
  }
  clearTimeout(cached.timer)
  state.scratch.delete(label)
  return cached.buffers as Readonly<Record<Name, GPUBuffer>>
}

function cache(state: DeviceState, label: string, buffers: Readonly<Record<string, GPUBuffer>>): void {
  const bytes = Object.values(buffers).reduce((sum, { size }) => sum + size, 0)
  if (bytes > MAX_CACHED_BYTES || state.lost !== undefined) {
    destroyAll(buffers)
    return
  }
  release(state, label)
  const timer = setTimeout(() => release(state, label), CACHE_MS)
  // A pending timer keeps a Node process alive; `unref` prevents that.
  if (typeof timer === 'object') (timer as { unref?: () => void }).unref?.()
  state.scratch.set(label, { buffers, timer })
}

function release(state: DeviceState, label: string): void {
  const cached = state.scratch.get(label)
  if (cached === undefined) return
  clearTimeout(cached.timer)
  state.scratch.delete(label)
  destroyAll(cached.buffers)
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
