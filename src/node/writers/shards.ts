import { basename, join, parse } from 'node:path'
import { WeightInitError } from '../../core/errors.js'

/** One file of a checkpoint that consists of several. `index` counts from 1, as in the files' names. */
export interface FileShard {
  readonly index: number
  readonly count: number
}

/** A tensor to be assigned to a file. */
interface Item {
  readonly name: string
  readonly byteLength: number
}

/**
 * Distributes tensors over `count` files. Tensors are not divided and keep their order, no file is empty, and every file
 * gets as nearly as possible an equal share of the remaining bytes. The result depends only on the arguments.
 * @throws WeightInitError `INVALID_ARGUMENT` if there are more files than tensors
 */
export function splitByCount<T extends Item>(items: readonly T[], count: number): T[][] {
  if (count > items.length) {
    throw new WeightInitError(
      'INVALID_ARGUMENT',
      `${count} shards are more than the model's ${items.length} parameters, and a file holds whole parameters; use at most ${items.length}.`,
    )
  }
  let bytesLeft = items.reduce((sum, { byteLength }) => sum + byteLength, 0)
  let next = 0
  return Array.from({ length: count }, (_, file) => {
    const filesAfter = count - file - 1
    const target = bytesLeft / (filesAfter + 1)
    const group: T[] = []
    let bytes = 0
    while (next < items.length - filesAfter) {
      const item = items[next]!
      // The last file takes all remaining tensors. Any other takes one more only if this brings it nearer to the target.
      if (group.length > 0 && filesAfter > 0 && bytes + item.byteLength / 2 > target) break
      group.push(item)
      bytes += item.byteLength
      next++
    }
    bytesLeft -= bytes
    return group
  })
}

/** Groups tensors, in their order, so that each group has at most `maxBytes`. A larger tensor is a group of its own. */
export function splitByBytes<T extends Item>(items: readonly T[], maxBytes: number): T[][] {
  const groups: T[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const item of items) {
    if (bytes + item.byteLength > maxBytes) {
      groups.push([])
      bytes = 0
    }
    groups.at(-1)!.push(item)
    bytes += item.byteLength
  }
  return groups
}

/** `model.safetensors` -> `model-00002-of-00004.safetensors`, as Hugging Face names the files. */
export function shardPath(path: string, { index, count }: FileShard): string {
  const { dir, name, ext } = parse(path)
  const digits = (n: number): string => String(n).padStart(5, '0')
  return join(dir, `${name}-${digits(index)}-of-${digits(count)}${ext}`)
}

/** `model.safetensors` -> `model.safetensors.index.json`. */
export const indexPath = (path: string): string => `${path}.index.json`

/** The index in Hugging Face's format. It depends only on the tensors, so the process of every shard can write it. */
export function shardIndex(path: string, files: readonly (readonly Item[])[]): string {
  const weightMap = files.flatMap((items, file) => {
    const target = basename(shardPath(path, { index: file + 1, count: files.length }))
    return items.map(({ name }) => [name, target] as const)
  })
  const bytes = files.flat().reduce((sum, { byteLength }) => sum + byteLength, 0)
  // fromEntries creates own properties, even for a parameter with the name __proto__.
  const index = { metadata: { total_size: bytes }, weight_map: Object.fromEntries(weightMap) }
  return `${JSON.stringify(index, null, 2)}\n`
}
