import { assemblePlan } from '../../plan/assemble.js'
import { manifestOf } from '../../plan/manifest/write.js'
import type { InitializedModel } from '../../weights/initialized-model.js'
import { storedTensor } from './checkpoint-writer.js'
import { createWriter, type WriterOptions } from './create-writer.js'

export interface WriteWeightsOptions extends WriterOptions {
  /** Whether the manifest is stored in the file's metadata, under the key 'webgpu-init'. Default true. */
  readonly manifest?: boolean
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: { readonly bytesDone: number; readonly bytesTotal: number }) => void
}

/**
 * Writes the weights with their current values. The data is streamed: the host holds 32 MiB at a time. Tied parameters are
 * left out, because the formats have no aliases. A file gets its final name only when it is complete.
 *
 * @param path the file; with the format 'npy' a folder
 * @returns the files that were written
 * @throws WeightInitError `IO`, `UNSUPPORTED_DTYPE` (bfloat16 and float8 as .npy), `INVALID_ARGUMENT`; nothing is then under the final name
 */
export async function writeWeights(
  path: string,
  weights: InitializedModel,
  options: WriteWeightsOptions = {},
): Promise<readonly string[]> {
  const { plan } = weights
  const own = plan.parameters.filter(({ action }) => action === 'initialize')
  const manifest = (names: ReadonlySet<string>): Record<string, string> => {
    if (options.manifest === false) return {}
    const part = plan.parameters.filter((p) => p.action !== 'skip' && names.has(p.tiedTo ?? p.name))
    return { 'webgpu-init': JSON.stringify(manifestOf(assemblePlan(plan, part))) }
  }
  const metadata = { format: 'pt', ...options.metadata }
  const { writer, tensors } = await createWriter(path, own.map(storedTensor), metadata, manifest, options)
  const bytesTotal = tensors.reduce((sum, { byteLength }) => sum + byteLength, 0)
  let before = 0
  try {
    for (const { name, byteLength } of tensors) {
      await writer.write(name, (start, length) => weights.readBytes(name, start, length), {
        signal: options.signal,
        onBytes: (done) => options.onProgress?.({ bytesDone: before + done, bytesTotal }),
      })
      before += byteLength
    }
    await writer.finish()
    return writer.paths
  } finally {
    await writer.discard()
  }
}

/**
 * Writes the weights to one .safetensors file, like `writeWeights`, but without the manifest.
 * @param metadata entries for the metadata of the file's header
 * @throws WeightInitError `IO`; then the final name is unchanged
 */
export async function writeSafetensors(
  path: string,
  weights: InitializedModel,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  await writeWeights(path, weights, { metadata, manifest: false })
}
