import { refuse, show } from '../../core/errors.js'
import { type NamedPath, refuseSharedPaths } from '../paths.js'
import type { CheckpointWriter, StoredTensor } from './checkpoint-writer.js'
import { NpyWriter } from './npy-writer.js'
import { RawWriter } from './raw-writer.js'
import { SafetensorsWriter } from './safetensors-writer.js'
import { type FileShard, indexPath, shardIndex, shardPath, splitByBytes, splitByCount } from './shards.js'

export const checkpointFormats = ['safetensors', 'npy', 'raw'] as const
/**
 * The output formats.
 * - safetensors: one file, or several files and an index
 * - npy: a folder with one .npy file per parameter and an index.json
 * - raw: the bytes of the tensors, each at a multiple of 256 bytes, and an index `<path>.json`
 */
export type CheckpointFormat = (typeof checkpointFormats)[number]

/** How and where weights are stored. */
export interface WriterOptions {
  /** The file format. Default 'safetensors'. */
  readonly format?: CheckpointFormat
  /**
   * For safetensors only: the largest number of tensor bytes per file, an integer >= 1. For the path model.safetensors the
   * files are model-00001-of-0000N.safetensors and the index is model.safetensors.index.json. A tensor that is larger gets a
   * file of its own. If everything fits into one file, it is written to the path itself.
   */
  readonly maxShardBytes?: number
  /** For safetensors only: write one of `count` files, and the index, which is the same for all of them. */
  readonly fileShard?: FileShard
  /**
   * Whether a file of another kind may be replaced. Default false: then it is refused. Files of the same kind are always
   * replaced.
   */
  readonly force?: boolean
  /** Additional entries for the metadata. The key 'webgpu-init' is used for the manifest. */
  readonly metadata?: Readonly<Record<string, string>>
}

/**
 * Opens the output for tensors.
 * @param manifest returns the metadata for a file with these tensors
 * @param inputs the files that the run reads, and its other outputs; none of them may be overwritten
 * @returns the writer, and the tensors that it expects: all of them, or those of one file
 */
export async function createWriter(
  path: string,
  tensors: readonly StoredTensor[],
  metadata: Readonly<Record<string, string>>,
  manifest: (names: ReadonlySet<string>) => Readonly<Record<string, string>>,
  { format = 'safetensors', maxShardBytes, fileShard, force = false }: WriterOptions,
  inputs: readonly NamedPath[] = [],
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
  const refuseShared = (paths: readonly string[]): Promise<void> =>
    refuseSharedPaths(
      paths.map((name) => ({ path: name, what: 'The output' })),
      inputs,
    )
  if (typeof force !== 'boolean') fail(`force must be true or false, but found ${show(force)}.`)
  if (format !== 'safetensors') await refuseShared(format === 'raw' ? [path, `${path}.json`] : [path])
  if (format === 'npy') return { writer: await NpyWriter.create(path, tensors, entriesOf(tensors)), tensors }
  if (format === 'raw') return { writer: await RawWriter.create(path, tensors, entriesOf(tensors), force), tensors }
  const groups =
    fileShard !== undefined
      ? splitByCount(tensors, fileShard.count)
      : maxShardBytes === undefined
        ? [tensors]
        : splitByBytes(tensors, maxShardBytes)
  if (groups.length === 1 && fileShard === undefined) {
    await refuseShared([path])
    const writer = await SafetensorsWriter.create([{ path, tensors, metadata: entriesOf(tensors) }], undefined, force)
    return { writer, tensors }
  }
  const files = groups.map((list, i) => ({
    path: shardPath(path, { index: i + 1, count: groups.length }),
    tensors: list,
    metadata: entriesOf(list),
  }))
  const chosen = fileShard === undefined ? files : [files[fileShard.index - 1]!]
  await refuseShared([...chosen.map((file) => file.path), indexPath(path)])
  const index = { path: indexPath(path), text: shardIndex(path, groups) }
  const writer = await SafetensorsWriter.create(chosen, index, force)
  return { writer, tensors: chosen.flatMap((file) => file.tensors) }
}
