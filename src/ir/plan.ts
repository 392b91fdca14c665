import type { DType } from '../core/dtype.js'
import type { Distribution, ExpectedMoments } from '../ir/distribution.js'
import type { Stream } from '../random/keys.js'
import type { Fans } from './fans.js'
import type { GeneratorName, GeneratorSettings, GeneratorSource } from './generator.js'
import type { Patch } from './job.js'
import type { Layout, ParameterRole } from './parameter.js'
import type { ParameterPart, WholeMatrices } from './part.js'

/** What happens to one parameter. Plain data. */
export interface PlannedParameter {
  readonly name: string
  /** Of what is stored: the part's where there is one; then `part.fullShape` is that of the whole. */
  readonly shape: readonly number[]
  /** Only where `slice` or `shard` cut it: which part of the full shape. Fans, distribution and stream are the whole's. */
  readonly part?: ParameterPart
  /** Only of a part of an orthogonal distribution: what is made whole, in scratch memory, so that the part can be kept. */
  readonly whole?: WholeMatrices
  readonly elementCount: number
  readonly dtype: DType
  readonly byteLength: number
  readonly role: ParameterRole
  readonly layout: Layout
  /** 'tied' shares the memory of `tiedTo`; 'skip' gets neither memory nor values. */
  readonly action: 'initialize' | 'tied' | 'skip'
  readonly tiedTo?: string
  /** Which initializer, with which settings, and why it was chosen. */
  readonly rule: {
    readonly initializer: string
    readonly config: Readonly<Record<string, unknown>>
    readonly because: string
    /** The paper or code that the rule cites. */
    readonly citation?: string
  }
  /** Only where the parameter has them. */
  readonly fans?: Fans
  /** PyTorch's fans, only where they differ from the layer's true ones; option fans: 'torch' uses them. */
  readonly torchFans?: Fans
  /** The distribution that is drawn, in float64. A distribution without spread is a constant. */
  readonly distribution: Distribution
  /** What `distribution` promises: mean, std, min, max. */
  readonly expected: ExpectedMoments
  readonly stream: Stream
  /** Written over the distribution's values: an embedding's padding row. */
  readonly patches: readonly Patch[]
  /** Where its words come from with a generator other than 'philox'; then `stream` is not used. */
  readonly generatorSource?: GeneratorSource
}

export interface InitializationPlan {
  /** Version of the value contract: docs/value-contract.md. */
  readonly valueContract: 1
  readonly seed: number | bigint
  readonly generator: GeneratorName
  /** The generator with every setting. */
  readonly generatorSettings: GeneratorSettings
  readonly parameters: readonly PlannedParameter[]
  /** Over the parameters that are initialised. */
  readonly totals: { readonly parameterCount: number; readonly elementCount: number; readonly byteLength: number }
  /** JSON without bigints: seeds and offsets as decimal strings. */
  toJSON(): Record<string, unknown>
}
