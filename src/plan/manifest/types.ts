import type { DType } from '../../core/dtype.js'
import type { Distribution } from '../../ir/distribution.js'
import type { GeneratorSettings, GeneratorSource } from '../../ir/generator.js'
import type { ParameterPart } from '../../ir/part.js'

/** Enough to make the same weights again, as JSON. */
export interface InitializationManifest {
  readonly format: 'webgpu-init-manifest'
  readonly version: 1
  readonly valueContract: 1
  readonly generator: string
  /** Settings of a generator other than 'philox'. */
  readonly generatorSettings?: GeneratorSettings
  /** Decimal string: seeds have 64 bits. */
  readonly seed: string
  readonly parameters: readonly ManifestParameter[]
}

export interface ManifestParameter {
  readonly name: string
  /** Of what is stored: the part's where there is one. */
  readonly shape: readonly number[]
  readonly part?: ParameterPart
  readonly dtype: DType
  readonly role: string
  readonly initializer: string
  readonly config: Readonly<Record<string, unknown>>
  readonly distribution: Distribution
  readonly tiedTo?: string
  /** Elements [first, first + count) of the full tensor that are 0 whatever the distribution: an embedding's padding row. */
  readonly padding?: { readonly first: number; readonly count: number }
  /** Where its words come from with a generator other than 'philox'. */
  readonly generatorSource?: GeneratorSource
}
