import type { DType } from '../core/dtype.js'
import type { Distribution, ExpectedMoments } from '../ir/distribution.js'
import type { Stream } from '../random/keys.js'
import type { Fans } from './fans.js'
import type { GeneratorName, GeneratorSettings, GeneratorSource } from './generator.js'
import type { Patch } from './job.js'
import type { Layout, ParameterRole } from './parameter.js'
import type { ParameterPart, WholeMatrices } from './part.js'

/** What initialisation does with one parameter. Plain data. */
export interface PlannedParameter {
  readonly name: string
  /** The shape of what is stored. If there is a `part`, it is the part's shape, and `part.fullShape` is the whole tensor's. */
  readonly shape: readonly number[]
  /** Which part of the full shape `slice` or `shard` chose. Fans, distribution and stream are those of the whole tensor. */
  readonly part?: ParameterPart
  /** Only for a part of an orthogonal distribution: the matrices that are made as a whole, in scratch memory. */
  readonly whole?: WholeMatrices
  readonly elementCount: number
  readonly dtype: DType
  readonly byteLength: number
  readonly role: ParameterRole
  readonly layout: Layout
  /** 'tied': shares the memory of `tiedTo`. 'skip': gets neither memory nor values. */
  readonly action: 'initialize' | 'tied' | 'skip'
  readonly tiedTo?: string
  /** The initializer, its settings, and why it was chosen. */
  readonly rule: {
    readonly initializer: string
    readonly config: Readonly<Record<string, unknown>>
    readonly because: string
    /** The paper or code that the rule cites. */
    readonly citation?: string
  }
  /** Only if the parameter has fans: rank >= 2, or fans that the user gave. */
  readonly fans?: Fans
  /** PyTorch's fans, only if they differ from the layer's actual fans. The option `fans: 'torch'` uses them. */
  readonly torchFans?: Fans
  /** The distribution that is drawn, in float64. One whose elements are all equal has become a constant. */
  readonly distribution: Distribution
  /** The mean, standard deviation, minimum and maximum of `distribution`. */
  readonly expected: ExpectedMoments
  readonly stream: Stream
  /** What is written over the distribution's values, such as the zeros of an embedding's padding row. */
  readonly patches: readonly Patch[]
  /** Where the words come from with a generator other than 'philox'. `stream` is then unused. */
  readonly generatorSource?: GeneratorSource
}

export interface InitializationPlan {
  /** Version of the value contract: docs/value-contract.md. */
  readonly valueContract: 1
  readonly seed: number | bigint
  readonly generator: GeneratorName
  /** The generator with all its settings. */
  readonly generatorSettings: GeneratorSettings
  readonly parameters: readonly PlannedParameter[]
  /** Sums over the parameters that are initialised. */
  readonly totals: { readonly parameterCount: number; readonly elementCount: number; readonly byteLength: number }
  /** The plan as JSON data, in which 64-bit integers are decimal strings. */
  toJSON(): Record<string, unknown>
}
