/**
 * The distribution of a parameter's elements, in float64 as PyTorch computes it. Rounded once to float32 where it is used.
 * - constant: every element is `value`
 * - uniform: U[low, high)
 * - normal: N(mean, std^2)
 * - truncated-normal: N(mean, std^2) given that it lies in [low, high], absolute bounds
 * - sparse: N(0, std^2) with `zeros` zeros in every column of a [rows, columns] matrix
 * - diagonal: 0, but `value` at first, first + stride, ... (`count` of them) of every run: eye and dirac
 * - orthogonal: gain times a Haar-random orthogonal matrix, `batch` of them; `field` > 1 puts it at the centre of a
 *   convolution's kernel (delta-orthogonal)
 * - sinusoid: no randomness; sines and cosines of the position at `columns` / 2 frequencies, see SinusoidalInitializer
 * - custom: a sampler of the user's own
 */
export type Distribution =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'uniform'; readonly low: number; readonly high: number }
  | { readonly kind: 'normal'; readonly mean: number; readonly std: number }
  | {
      readonly kind: 'truncated-normal'
      readonly mean: number
      readonly std: number
      readonly low: number
      readonly high: number
    }
  | {
      readonly kind: 'sparse'
      readonly std: number
      readonly rows: number
      readonly columns: number
      readonly zeros: number
    }
  | {
      readonly kind: 'diagonal'
      readonly value: number
      readonly elementCount: number
      readonly runs: readonly DiagonalRun[]
    }
  | {
      readonly kind: 'orthogonal'
      readonly gain: number
      /** Matrices of rows x columns, one after another in the tensor. */
      readonly batch: number
      readonly rows: number
      readonly columns: number
      /** Places of a convolution's kernel, and which of them the matrix takes; 1 and 0 for a plain matrix. */
      readonly field: number
      readonly centre: number
      /** Elements between two of the matrix: `field` where the kernel axes come last, 1 where they come first. */
      readonly stride: number
    }
  | {
      readonly kind: 'sinusoid'
      readonly rows: number
      readonly columns: number
      readonly maxTimescale: number
      readonly arrangement: 'halves' | 'interleaved'
    }
  | {
      readonly kind: 'custom'
      readonly sampler: CustomSampler
      readonly parameters: Readonly<Record<string, number>>
    }

/** Elements first, first + stride, ..., `count` of them; row-major indices in the full tensor. */
export interface DiagonalRun {
  readonly first: number
  readonly stride: number
  readonly count: number
}

export type DistributionKind = Distribution['kind']

/** What a distribution promises; of the continuous distribution, before rounding. */
export interface ExpectedMoments {
  readonly mean: number
  readonly std: number
  /** Every element is >= min and <= max. */
  readonly min: number
  readonly max: number
}

export type DistributionOf<K extends DistributionKind> = Extract<Distribution, { kind: K }>

/** WGSL type of a sampler's parameter. */
export type SamplerParameterType = 'f32' | 'u32' | 'i32'

/** A sampler of the user's own, checked: what `defineSampler` makes. */
export interface CustomSampler {
  readonly name: string
  /** The user's module: `fn sample(word: u32, params: Params, zero: u32) -> f32`, and what it needs. */
  readonly wgsl: string
  /** At most twelve, in this order in the shader's `Params`. */
  readonly parameters: Readonly<Record<string, SamplerParameterType>>
  /** The CPU reference: the same value from the same word. */
  readonly sample: (word: number, parameters: Readonly<Record<string, number>>) => number
  readonly moments: (
    parameters: Readonly<Record<string, number>>,
  ) => Partial<ExpectedMoments> & { readonly mean: number; readonly std: number }
}
