import { refuse, refuseUnknownKeys, show } from '../../core/errors.js'
import { createMatcher, type Matcher } from '../../model/match.js'
import type { ShardOption, ShardSpec, SliceOption, SliceSpec } from './part-options.js'

/** The options `slice` and `shard` after checking. */
export interface PartOptions {
  readonly slices: ReadonlyMap<string, SliceSpec>
  /** First match wins; without a matcher it is for every parameter. */
  readonly shards: readonly (ShardSpec & { readonly matcher?: Matcher })[]
}

const fail = /* @__PURE__ */ refuse('INVALID_ARGUMENT')

/** @throws WeightInitError `INVALID_ARGUMENT` */
export function resolveParts(slice: SliceOption = {}, shard: ShardOption = []): PartOptions {
  if (typeof slice !== 'object' || slice === null || Array.isArray(slice)) {
    fail(`slice must map names to { start, end }, but found ${show(slice)}.`)
  }
  const slices = slice instanceof Map ? slice : new Map(Object.entries(slice as Record<string, SliceSpec>))
  for (const [name, spec] of slices) checkSlice(name, spec)
  if (typeof shard !== 'object' || shard === null) {
    fail(
      `shard must be { axis, index, count } or a list of rules { match, axis, index, count }, but found ${show(shard)}.`,
    )
  }
  const shards = Array.isArray(shard)
    ? shard.map((rule: unknown, index) => {
        const where = `shard[${index}]`
        const spec = checkShard(rule, where, ['match', 'axis', 'index', 'count'])
        return { ...spec, matcher: createMatcher((rule as { match: never }).match, where) }
      })
    : [checkShard(shard, 'shard', ['axis', 'index', 'count'])]
  return { slices, shards }
}

function checkSlice(name: string, spec: unknown): void {
  const where = `slice[${show(name)}]`
  if (typeof spec !== 'object' || spec === null || Array.isArray(spec)) {
    fail(`${where} must be { start, end }, each a list with one index per axis, but found ${show(spec)}.`)
  }
  refuseUnknownKeys(spec as object, ['start', 'end'], where)
  for (const side of ['start', 'end'] as const) {
    const bounds: unknown = (spec as SliceSpec)[side]
    if (bounds === undefined) continue
    if (!Array.isArray(bounds) || !bounds.every((bound) => Number.isSafeInteger(bound) && (bound as number) >= 0)) {
      fail(`${where}: ${side} must be a list of integers >= 0, one per axis, but found ${show(bounds)}.`)
    }
  }
}

function checkShard(value: unknown, where: string, keys: readonly string[]): ShardSpec {
  if (typeof value !== 'object' || value === null) {
    return fail(`${where} must be { axis, index, count }, but found ${show(value)}.`)
  }
  refuseUnknownKeys(value, keys, where)
  const { axis, index, count } = value as ShardSpec
  if (!Number.isSafeInteger(axis)) fail(`${where}: axis must be an integer, but found ${show(axis)}.`)
  if (!Number.isSafeInteger(count) || count < 1)
    fail(`${where}: count must be an integer >= 1, but found ${show(count)}.`)
  if (!Number.isSafeInteger(index) || index < 0 || index >= count) {
    fail(`${where}: index must be an integer from 0 to count - 1 = ${count - 1}, but found ${show(index)}.`)
  }
  return { axis, index, count }
}
