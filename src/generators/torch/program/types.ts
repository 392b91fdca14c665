// A recorded program after checking: python/record.py defines what it means.

/** The dtypes in which a program computes. Halves are computed in float32 and rounded by every write, as in PyTorch. */
export type ArrayDType =
  | 'float64'
  | 'float32'
  | 'float16'
  | 'bfloat16'
  | 'int64'
  | 'int32'
  | 'int16'
  | 'int8'
  | 'uint8'
  | 'bool'

export const arrayDTypes: readonly ArrayDType[] = [
  'float64',
  'float32',
  'float16',
  'bfloat16',
  'int64',
  'int32',
  'int16',
  'int8',
  'uint8',
  'bool',
]

/** Some elements of an array: offset + sum(index * stride), in elements, in row-major order of `shape`. */
export interface Region {
  readonly offset: number
  readonly shape: readonly number[]
  readonly strides: readonly number[]
  readonly elementCount: number
  /** Neighbours in row-major order. */
  readonly dense: boolean
}

export type Argument = number | bigint | null

/** A random call. */
export interface Call {
  readonly operation: string
  readonly target: string | null
  readonly count: number
  readonly arguments: readonly Argument[]
  readonly dtype: ArrayDType
  /** Where the tensor that is drawn is not dense row-major: its elements are drawn in the order of its memory. */
  readonly layout?: Region
  /** Index of a generator of its own. */
  readonly generator?: number
  /** Of orthogonal_ and sparse_. */
  readonly rows: number
  readonly columns: number
  /** Only of a truncated normal by inversion: the range of its uniforms, and what erf^-1 of them is multiplied by. */
  readonly inversion?: { readonly low: number; readonly high: number; readonly scale: number }
}

/** An operation that writes a tensor, or a part of it. */
export interface Write {
  readonly operation: string
  readonly arguments: readonly Argument[]
  readonly part?: Region
  /** Of the array after this write, where it is not that of the tensor. */
  readonly dtype?: ArrayDType
  readonly call?: number
  readonly from?: string
  readonly source?: Region
  /** Of norm_. */
  readonly dims: readonly number[]
  /** Of a table: what made it. */
  readonly operations: readonly string[]
  /** Of a table: whether it depends on draws. */
  readonly random: boolean
  /** Of a table: the tensor of a file that has its elements. */
  readonly data?: string
}

export interface ProgramTensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly elementCount: number
  readonly dtype: ArrayDType
  readonly writes: readonly Write[]
}

/** Where a call begins in a stream of MT19937. */
export interface Place {
  /** The seed mod 2^32. */
  readonly seed: number
  /** 32-bit words drawn before the call. */
  readonly position: number
  /** Where the pair of words lies whose second normal has not been given out. */
  readonly cachedAt?: number
}
