import type { DType } from '../core/dtype.js'
import type { Distribution, DistributionOf } from '../ir/distribution.js'
import type {
  DrawingDistribution,
  GeneratorSettingsOf,
  GeneratorSource,
  GeneratorSourceOf,
  LibraryGeneratorName,
  RandomDistribution,
  SourceName,
} from '../ir/generator.js'

/** A parameter whose elements are drawn. */
export interface Drawing {
  readonly name: string
  /** The element count of the whole tensor. */
  readonly elementCount: number
  readonly dtype: DType
  /** Elements that are 0 whatever is drawn: an embedding's padding row. */
  readonly paddingRow?: { readonly first: number; readonly count: number }
  /** The parameter's name in error messages. */
  readonly where: string
}

/** What a source read from a manifest must agree with. */
export interface SourceContext<N extends LibraryGeneratorName> {
  readonly settings: GeneratorSettingsOf<N>
  readonly distribution: Distribution
  /** False for a distribution without randomness, such as a constant for which PyTorch draws nevertheless. */
  readonly drawn: boolean
  /** The element count of the whole tensor. */
  readonly elementCount: number
  readonly source: Readonly<Record<string, unknown>>
}

/**
 * What planning needs to know about another library's generator. The values are made by a GeneratorSampler on the CPU and by
 * src/gpu/fill/generators.ts on the GPU. These are separate, so that a program that only plans does not include the arithmetic.
 */
export interface GeneratorDefinition<N extends LibraryGeneratorName> {
  /** The names of the settings that the option `generator` takes besides `name`. */
  readonly settings: readonly string[]
  /** The version of the assignment of words to elements, if the settings in a plan contain one. */
  readonly layout?: string
  /**
   * Checks the settings and fills in the defaults.
   * @throws WeightInitError `UNSUPPORTED_GENERATOR`
   */
  resolve(given: Readonly<Record<string, unknown>>): GeneratorSettingsOf<N>
  /** The kinds of distribution that the library draws. All others are refused, with a message that says what to do. */
  readonly distributions: readonly DrawingDistribution['kind'][]
  /**
   * Refuses a distribution of one of these kinds for which the values could not be the library's.
   * @throws WeightInitError; the message names the parameter
   */
  check?(distribution: DrawingDistribution, settings: GeneratorSettingsOf<N>, where: string): void
  /**
   * Returns a function that says where a parameter's words come from. It is called once for every parameter that draws, in the
   * model's order. `distribution` is the one that the initializer returned, before it was simplified, because PyTorch draws
   * words even if all elements are equal.
   */
  assign(
    settings: GeneratorSettingsOf<N>,
    seed: bigint,
  ): (drawing: Drawing, distribution: DrawingDistribution) => GeneratorSourceOf<N>
  /** The largest element count of a tensor, if there is a limit below 2^53. */
  readonly mostElements?: number
  /** The fields of a source in a manifest besides `generator`, each with a check for a value that was read from a file. */
  readonly sourceFields: {
    readonly [F in Exclude<keyof GeneratorSourceOf<N>, 'generator'>]-?: (
      value: unknown,
      context: SourceContext<N>,
    ) => boolean
  }
}

/** How the values of another library's generator are made: the CPU reference of its shaders. */
export interface GeneratorSampler<N extends SourceName> {
  /**
   * Elements [first, first + count) of a tensor as float32, in a new array. They equal what the GPU writes, bit for bit. The
   * distribution is one of the definition's `distributions`.
   */
  sample(distribution: RandomDistribution, source: GeneratorSourceOf<N>, first: number, count: number): Float32Array
  /** Returns a simpler distribution that has the same values for the same words, if there is one. */
  simplify?(distribution: RandomDistribution, source: GeneratorSourceOf<N>): RandomDistribution
  /** Where the N(0, 1) elements of each matrix of an orthogonal distribution come from. */
  matrixSources(distribution: DistributionOf<'orthogonal'>, source: GeneratorSourceOf<N>): readonly GeneratorSource[]
  /** Set if the normals of a wide matrix are drawn as its transpose: JAX draws a matrix with at least as many rows as columns. */
  readonly drawsWideTransposed?: true
}
