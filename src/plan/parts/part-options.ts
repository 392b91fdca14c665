import type { ParameterMatch } from '../../model/match.js'

/** Bounds per axis; axes that are left out, and a start or end that is left out, mean the whole axis. */
export interface SliceSpec {
  /** First index per axis, >= 0. Default 0. */
  readonly start?: readonly number[]
  /** Index behind the last per axis, > start and <= the axis's length. Default: the length. */
  readonly end?: readonly number[]
}

/**
 * Piece `index` of `count` along one axis, cut as `torch.tensor_split` and `numpy.array_split` do: lengths differ by at
 * most one, the longer pieces first.
 */
export interface ShardSpec {
  /** Negative counts from the last axis. */
  readonly axis: number
  /** From 0 to count - 1. */
  readonly index: number
  readonly count: number
}

/** A shard for the parameters that match; the first rule that matches decides. */
export interface ShardRule extends ShardSpec {
  readonly match: ParameterMatch
}

/** One shard for every parameter, or rules; a parameter that no rule matches stays whole. */
export type ShardOption = ShardSpec | readonly ShardRule[]
export type SliceOption = Readonly<Record<string, SliceSpec>> | ReadonlyMap<string, SliceSpec>
