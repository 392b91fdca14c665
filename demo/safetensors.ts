import type { InitializedModel } from '../src/index.js'
import { layoutSafetensors } from '../src/readers/safetensors.js'

/** The number of bytes that are in memory at a time. */
const CHUNK_BYTES = 2 ** 24

async function* chunksOf(weights: InitializedModel, onProgress: (done: number, total: number) => void) {
  const own = weights.plan.parameters.filter(({ action }) => action === 'initialize')
  const { header, byteLength: total } = layoutSafetensors(own, {
    format: 'pt',
    'webgpu-init': JSON.stringify(weights.manifest()),
  })
  let done = header.length
  yield header
  for (const { name, byteLength } of own) {
    for (let start = 0; start < byteLength; start += CHUNK_BYTES) {
      const bytes = await weights.readBytes(name, start, Math.min(CHUNK_BYTES, byteLength - start))
      done += bytes.length
      onProgress(done, total)
      yield bytes
    }
  }
}

/**
 * Writes the weights to the user's file, one chunk at a time. The file gets its name only when it is complete. Without a
 * file, the chunks are collected in a Blob, which browsers store on disk if it is large.
 */
export async function saveSafetensors(
  weights: InitializedModel,
  file: FileSystemFileHandle | undefined,
  signal: AbortSignal,
  onProgress: (done: number, total: number) => void,
): Promise<Blob | undefined> {
  const writable = await file?.createWritable()
  const parts: Blob[] = []
  try {
    for await (const chunk of chunksOf(weights, onProgress)) {
      signal.throwIfAborted()
      const bytes = chunk as Uint8Array<ArrayBuffer>
      if (writable === undefined) parts.push(new Blob([bytes]))
      else await writable.write(bytes)
    }
    await writable?.close()
  } catch (error) {
    await writable?.abort().catch(() => {})
    throw error
  }
  return writable === undefined ? new Blob(parts, { type: 'application/octet-stream' }) : undefined
}
