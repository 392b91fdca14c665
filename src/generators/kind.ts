import type { Distribution, DistributionOf } from '../ir/distribution.js'
import type {
  DrawingDistribution,
  GeneratorSettingsOf,
  GeneratorSource,
  GeneratorSourceOf,
  LibraryGeneratorName,
  RandomDistribution,
} from '../ir/generator.js'

/** A parameter that draws. */
export interface Drawing {
  readonly name: string
  /** Of the whole tensor. */
  readonly elementCount: number
  /** What an error calls the parameter. */
  readonly where: string
}

/** What a source from outside has to agree with. */
export interface SourceContext<N extends LibraryGeneratorName> {
  readonly settings: GeneratorSettingsOf<N>
  readonly distribution: Distribution
  /** False for a distribution without randomness, such as a constant that PyTorch draws all the same. */
  readonly drawn: boolean
  /** Of the whole tensor. */
  readonly elementCount: number
  readonly source: Readonly<Record<string, unknown>>
}

/**
 * What planning knows of another library's generator. Its values are made by a GeneratorSampler, and on the GPU as
 * src/gpu/fill/generators.ts says: apart, so that a program that only plans does not carry the arithmetic.
 */
export interface GeneratorDefinition<N extends LibraryGeneratorName> {
  /** Names of the settings that the option `generator` takes beside `name`. */
  readonly settings: readonly string[]
  /** Version of how words are laid out over elements, where the settings of a plan name it. */
  readonly layout?: string
  /**
   * Checks the settings, and fills in defaults.
   * @throws WeightInitError `UNSUPPORTED_GENERATOR`
   */
  resolve(given: Readonly<Record<string, unknown>>): GeneratorSettingsOf<N>
  /** What the library draws; every other distribution is refused with the remedy. */
  readonly distributions: readonly DrawingDistribution['kind'][]
  /**
   * Refuses a distribution of these kinds that the library would not draw as its values are promised.
   * @throws WeightInitError naming the parameter
   */
  check?(distribution: DrawingDistribution, settings: GeneratorSettingsOf<N>, where: string): void
  /**
   * Says where each parameter's words come from: called once for every parameter that draws, in the model's order.
   * `distribution` is the one that the initializer asked for: PyTorch draws for one without spread, too.
   */
  assign(
    settings: GeneratorSettingsOf<N>,
    seed: bigint,
  ): (drawing: Drawing, distribution: DrawingDistribution) => GeneratorSourceOf<N>
  /** Most elements of a tensor, where that is less than the largest exact integer. */
  readonly mostElements?: number
  /** What a manifest holds of a source beside `generator`, and whether a value from outside may stand there. */
  readonly sourceFields: {
    readonly [F in Exclude<keyof GeneratorSourceOf<N>, 'generator'>]-?: (
      value: unknown,
      context: SourceContext<N>,
    ) => boolean
  }
}

/** How the values of another library's generator are made: the CPU reference of its shaders. */
export interface GeneratorSampler<N extends LibraryGeneratorName> {
  /** Elements [first, first + count) of a tensor as float32, in a new array: what the GPU writes, bit for bit. Of `distributions`. */
  sample(distribution: RandomDistribution, source: GeneratorSourceOf<N>, first: number, count: number): Float32Array
  /** A simpler distribution with the same values from the same words, where there is one. */
  simplify?(distribution: RandomDistribution, source: GeneratorSourceOf<N>): RandomDistribution
  /** Where the N(0, 1) of each matrix of an orthogonal distribution come from. */
  matrixSources(distribution: DistributionOf<'orthogonal'>, source: GeneratorSourceOf<N>): readonly GeneratorSource[]
  /** Only where the normals of a wide matrix are drawn as its transpose: JAX draws the longer side as rows. */
  readonly drawsWideTransposed?: true
}
