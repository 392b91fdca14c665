import { refuse, show } from '../../core/errors.js'
import type { CheckpointWriter, StoredTensor } from './checkpoint-writer.js'
import { NpyWriter } from './npy-writer.js'
import { RawWriter } from './raw-writer.js'
import { SafetensorsWriter } from './safetensors-writer.js'
import { type FileShard, indexPath, shardIndex, shardPath, splitByBytes, splitByCount } from './shards.js'

export const checkpointFormats = ['safetensors', 'npy', 'raw'] as const
/**
 * - safetensors: one file, or several and an index
 * - npy: a folder with one .npy file per parameter, and index.json
 * - raw: bare tensors, each at a multiple of 256 bytes, and `<path>.json`
 */
export type CheckpointFormat = (typeof checkpointFormats)[number]

/** How weights are stored. */
export interface WriterOptions {
  /** Default 'safetensors'. */
  readonly format?: CheckpointFormat
  /**
   * safetensors only: files of at most so many bytes of tensors, named model-00001-of-0000N.safetensors for a path
   * model.safetensors, and model.safetensors.index.json. A tensor that is larger gets a file of its own; where all fits
   * into one file, it is written under the path itself.
   */
  readonly maxShardBytes?: number
  /** safetensors only: one file of `count`, counted from 1, and the index, which is the same for all of them. */
  readonly fileShard?: FileShard
  /** More entries for the header; 'webgpu-init' holds the manifest. */
  readonly metadata?: Readonly<Record<string, string>>
}

/**
 * Opens the output for tensors.
 * @param manifest metadata for a file with these tensors
 * @returns the writer, and the tensors that it takes: all of them, or those of one file
 */
export async function createWriter(
  path: string,
  tensors: readonly StoredTensor[],
  metadata: Readonly<Record<string, string>>,
  manifest: (names: ReadonlySet<string>) => Readonly<Record<string, string>>,
  { format = 'safetensors', maxShardBytes, fileShard }: WriterOptions,
): Promise<{ readonly writer: CheckpointWriter; readonly tensors: readonly StoredTensor[] }> {
  const fail = refuse('INVALID_ARGUMENT')
  if (typeof path !== 'string' || path === '') fail(`path must be a file's path, but found ${show(path)}.`)
  if (!checkpointFormats.includes(format)) {
    fail(`format must be one of ${checkpointFormats.join(', ')}, but found ${show(format)}.`)
  }
  if (maxShardBytes !== undefined && !(Number.isSafeInteger(maxShardBytes) && maxShardBytes >= 1)) {
    fail(`maxShardBytes must be an integer >= 1, but found ${show(maxShardBytes)}.`)
  }
  if (fileShard !== undefined) {
    const { index, count } = fileShard
    if (!Number.isSafeInteger(count) || !Number.isSafeInteger(index) || index < 1 || index > count) {
      fail(`fileShard must be { index, count } with 1 <= index <= count, but found ${show(fileShard)}.`)
    }
  }
  if (format !== 'safetensors' && (maxShardBytes ?? fileShard) !== undefined) {
    fail(
      `Files in several shards are for the format safetensors, not ${format}; leave maxShardBytes and fileShard out.`,
    )
  }
  if (maxShardBytes !== undefined && fileShard !== undefined) {
    fail('maxShardBytes and fileShard exclude each other: the first makes every file, the second one of them.')
  }
  const entriesOf = (list: readonly StoredTensor[]): Record<string, string> => ({
    ...metadata,
    ...manifest(new Set(list.map(({ name }) => name))),
  })
  if (format === 'npy') return { writer: await NpyWriter.create(path, tensors, entriesOf(tensors)), tensors }
  if (format === 'raw') return { writer: await RawWriter.create(path, tensors, entriesOf(tensors)), tensors }
  const groups =
    fileShard !== undefined
      ? splitByCount(tensors, fileShard.count)
      : maxShardBytes === undefined
        ? [tensors]
        : splitByBytes(tensors, maxShardBytes)
  if (groups.length === 1 && fileShard === undefined) {
    const writer = await SafetensorsWriter.create([{ path, tensors, metadata: entriesOf(tensors) }])
    return { writer, tensors }
  }
  const files = groups.map((list, i) => ({
    path: shardPath(path, { index: i + 1, count: groups.length }),
    tensors: list,
    metadata: entriesOf(list),
  }))
  const chosen = fileShard === undefined ? files : [files[fileShard.index - 1]!]
  const writer = await SafetensorsWriter.create(chosen, { path: indexPath(path), text: shardIndex(path, groups) })
  return { writer, tensors: chosen.flatMap((file) => file.tensors) }
}
