import { refuse, show } from '../../core/errors.js'
import { type NamedPath, refuseSharedPaths } from '../paths.js'
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
  /**
   * Whether a file that is there and is not of the kind that is written may be replaced. Default false: such a file is refused.
   * Files of the same kind are replaced in any case.
   */
  readonly force?: boolean
  /** More entries for the header; 'webgpu-init' holds the manifest. */
  readonly metadata?: Readonly<Record<string, string>>
}

/**
 * Opens the output for tensors.
 * @param manifest metadata for a file with these tensors
 * @param inputs what the run reads, and its other outputs: none of them may be written over
 * @returns the writer, and the tensors that it takes: all of them, or those of one file
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
