import { randomUUID } from 'node:crypto'
import { rename, rm, writeFile } from 'node:fs/promises'
import { basename, join, parse } from 'node:path'
import { show, WeightInitError } from '../errors.js'
import type { InitializationPlan } from '../plan.js'

/** One file of a checkpoint in several. Counted from 1, as in the files' names. */
export interface FileShard {
  readonly index: number
  readonly count: number
}

/**
 * Which of `count` files holds which parameters: whole ones, in the model's order, each file as near to an equal share of
 * the bytes left as whole parameters allow, and none empty. The same for everyone who asks.
 * @throws WeightInitError `INVALID_ARGUMENT` for more files than parameters
 */
export function splitByBytes(plan: InitializationPlan, count: number): string[][] {
  const own = plan.parameters.filter(({ action }) => action === 'initialize')
  if (count > own.length) {
    throw new WeightInitError(
      'INVALID_ARGUMENT',
      `${count} shards are more than the model's ${own.length} parameters, and a file holds whole parameters; use at most ${own.length}.`,
    )
  }
  let bytesLeft = own.reduce((sum, { byteLength }) => sum + byteLength, 0)
  let next = 0
  return Array.from({ length: count }, (_, file) => {
    const filesAfter = count - file - 1
    const target = bytesLeft / (filesAfter + 1)
    const names: string[] = []
    let bytes = 0
    while (next < own.length - filesAfter) {
      const { name, byteLength } = own[next]!
      // The last file takes what is left; before it, one more only if that comes nearer to the target.
      if (names.length > 0 && filesAfter > 0 && bytes + byteLength / 2 > target) break
      names.push(name)
      bytes += byteLength
      next++
    }
    bytesLeft -= bytes
    return names
  })
}

/** `model.safetensors` -> `model-00002-of-00004.safetensors`, as Hugging Face names the files. */
export function shardPath(path: string, { index, count }: FileShard): string {
  const { dir, name, ext } = parse(path)
  const digits = (n: number): string => String(n).padStart(5, '0')
  return join(dir, `${name}-${digits(index)}-of-${digits(count)}${ext}`)
}

/** `model.safetensors` -> `model.safetensors.index.json`. */
export const indexPath = (path: string): string => `${path}.index.json`

/** The index in Hugging Face's format. It depends on the plan alone, so every shard's process can write it. */
export function shardIndex(path: string, plan: InitializationPlan, files: readonly (readonly string[])[]): string {
  const weightMap = files.flatMap((names, file) => {
    const target = basename(shardPath(path, { index: file + 1, count: files.length }))
    return names.map((name) => [name, target] as const)
  })
  // fromEntries makes own properties, also of a parameter called __proto__.
  const index = { metadata: { total_size: plan.totals.byteLength }, weight_map: Object.fromEntries(weightMap) }
  return `${JSON.stringify(index, null, 2)}\n`
}

/**
 * Writes the index beside the shards. Processes may do so at the same time: each writes a file of its own and renames it,
 * and all of them hold the same text.
 * @throws WeightInitError `IO`
 */
export async function writeShardIndex(path: string, text: string): Promise<void> {
  const target = indexPath(path)
  const partial = `${target}.${randomUUID()}.partial`
  try {
    await writeFile(partial, text, { flag: 'wx' })
    await rename(partial, target)
  } catch (cause) {
    await rm(partial, { force: true })
    throw new WeightInitError('IO', `Cannot write ${show(target)}: ${(cause as Error).message}.`, { cause })
  }
}
