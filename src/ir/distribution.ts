/**
 * The distribution of a parameter's elements. Its numbers are float64, as PyTorch computes them, and are rounded once to
 * float32 where they are used.
 * - constant: every element is `value`
 * - uniform: U[low, high)
 * - normal: N(mean, std^2)
 * - truncated-normal: N(mean, std^2), conditioned on [low, high]; the bounds are absolute values
 * - sparse: N(0, std^2) with `zeros` zeros in every column of a [rows, columns] matrix
 * - diagonal: 0, except for `value` at the elements first, first + stride, ... (`count` of them) of every run; eye and dirac
 *   use it
 * - pieces: `base`, except for other values in some runs of elements, without randomness; runs have a stride only beside
 *   base 0
 * - computed: made from draws by operations whose result has no other kind; only a recorded program makes it
 * - orthogonal: `batch` Haar-random orthogonal matrices, each times `gain`; with `field` > 1 the matrix lies at the centre of
 *   a convolution's kernel (delta-orthogonal)
 * - sinusoid: sines and cosines of the position at `columns` / 2 frequencies, without randomness; see SinusoidalInitializer
 * - custom: a sampler that the user defined with `defineSampler`
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
      readonly kind: 'pieces'
      readonly base: number
      readonly elementCount: number
      readonly runs: readonly ConstantRun[]
    }
  | {
      readonly kind: 'computed'
      /** The operations in order, for people. */
      readonly operations: string
    }
  | {
      readonly kind: 'orthogonal'
      readonly gain: number
      /** The number of matrices of rows x columns, which lie one after another in the tensor. */
      readonly batch: number
      readonly rows: number
      readonly columns: number
      /** The number of positions in a convolution's kernel, and the matrix's position there; 1 and 0 for a plain matrix. */
      readonly field: number
      readonly centre: number
      /** Distance of the matrix's neighbouring elements: `field` if the kernel axes come last, 1 if they come first. */
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

/** The `count` elements first, first + stride, ...; indices are row-major in the full tensor. */
export interface DiagonalRun {
  readonly first: number
  readonly stride: number
  readonly count: number
}

/** A run of elements, every `stride`-th one, that hold one value. */
export interface ConstantRun extends DiagonalRun {
  readonly value: number
}

export type DistributionKind = Distribution['kind']

/** The moments and bounds of a distribution. They are those of the continuous distribution, before rounding. */
export interface ExpectedMoments {
  readonly mean: number
  readonly std: number
  /** Every element lies in [min, max]. */
  readonly min: number
  readonly max: number
}

export type DistributionOf<K extends DistributionKind> = Extract<Distribution, { kind: K }>

/** WGSL type of a sampler's parameter. */
export type SamplerParameterType = 'f32' | 'u32' | 'i32'

/** A sampler that the user defined with `defineSampler`, after checking. */
export interface CustomSampler {
  readonly name: string
  /** The user's WGSL module: `fn sample(word: u32, params: Params, zero: u32) -> f32` and everything that it uses. */
  readonly wgsl: string
  /** At most twelve parameters; the shader's struct `Params` has them in this order. */
  readonly parameters: Readonly<Record<string, SamplerParameterType>>
  /** The CPU reference: it returns the same value as the shader for the same word. */
  readonly sample: (word: number, parameters: Readonly<Record<string, number>>) => number
  readonly moments: (
    parameters: Readonly<Record<string, number>>,
  ) => Partial<ExpectedMoments> & { readonly mean: number; readonly std: number }
}
