import { basename, join, parse } from 'node:path'
import { WeightInitError } from '../../core/errors.js'

/** One file of a checkpoint in several. Counted from 1, as in the files' names. */
export interface FileShard {
  readonly index: number
  readonly count: number
}

/** What is shared out over files: whole tensors, by their bytes. */
interface Item {
  readonly name: string
  readonly byteLength: number
}

/**
 * Which of `count` files holds which tensors: whole ones, in their order, each file as near to an equal share of the
 * bytes left as whole tensors allow, and none empty. The same for everyone who asks.
 * @throws WeightInitError `INVALID_ARGUMENT` for more files than tensors
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
      // The last file takes what is left; before it, one more only if that comes nearer to the target.
      if (group.length > 0 && filesAfter > 0 && bytes + item.byteLength / 2 > target) break
      group.push(item)
      bytes += item.byteLength
      next++
    }
    bytesLeft -= bytes
    return group
  })
}

/** As many as fit into `maxBytes`, in their order, then the next group; a tensor that is larger stands alone. */
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

/** The index in Hugging Face's format. It depends on the tensors alone, so every shard's process can write it. */
export function shardIndex(path: string, files: readonly (readonly Item[])[]): string {
  const weightMap = files.flatMap((items, file) => {
    const target = basename(shardPath(path, { index: file + 1, count: files.length }))
    return items.map(({ name }) => [name, target] as const)
  })
  const bytes = files.flat().reduce((sum, { byteLength }) => sum + byteLength, 0)
  // fromEntries makes own properties, also of a parameter called __proto__.
  const index = { metadata: { total_size: bytes }, weight_map: Object.fromEntries(weightMap) }
  return `${JSON.stringify(index, null, 2)}\n`
}
