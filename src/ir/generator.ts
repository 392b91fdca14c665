import type { Distribution } from '../ir/distribution.js'
import type { RecordedRow, RecordedTensor, TorchProgram } from './program.js'

/** A generator that follows another library. It is defined in src/generators and listed in src/generators/registry.ts. */
export type LibraryGeneratorName = 'torch-cpu' | 'torch-cuda' | 'torch-stateless' | 'jax' | 'jax-legacy'

/** Where the random words come from. 'philox' is this package's own generator; the others follow another library. */
export type GeneratorName = 'philox' | LibraryGeneratorName

/**
 * Which build of PyTorch 'torch-cpu' follows. 'fma': x86-64 Linux, where GCC contracts a*b+c to one operation.
 * 'no-contraction': x86-64 builds whose compiler does not (MSVC, and clang without -ffp-contract). The values of the two
 * differ in the last bits.
 */
export type TorchCpuVariant = 'fma' | 'no-contraction'

/**
 * Which version of trunc_normal_ 'torch-cpu' follows. 'rejection': PyTorch 2.13 and later, which draws values outside the
 * bounds again. 'inversion': PyTorch up to 2.12, which applies the inverse distribution function to one uniform per element.
 */
export type TorchTruncation = 'rejection' | 'inversion'

/** A JAX key: its two unsigned 32-bit words, high word first, as `jax.random.key_data` returns them. */
export type JaxKey = readonly [number, number]

/** A generator with its settings. */
export type GeneratorObject =
  | { readonly name: 'philox' | 'torch-stateless' }
  | {
      readonly name: 'torch-cpu'
      readonly variant?: TorchCpuVariant
      readonly truncation?: TorchTruncation
      /** The values of a recorded Python program, call by call, in place of one draw a parameter: `readRecording`. */
      readonly program?: TorchProgram
    }
  | {
      readonly name: 'torch-cuda'
      /** How many threads the GPU runs at once: 256 * SMs * floor(max threads per SM / 256). */
      readonly threads?: number
      /** May be given in place of `threads`: a name such as 'A100' or 'RTX 4090'; see `torchCudaThreads`. */
      readonly gpu?: string
    }
  | {
      readonly name: 'jax' | 'jax-legacy'
      /** The keys of some parameters, by parameter name. All others get `fold_in(key(seed), crc32(name))`. */
      readonly keys?: Readonly<Record<string, JaxKey>>
    }

/** The option `generator`: a name, or an object with a name and settings. */
export type GeneratorOption = GeneratorName | GeneratorObject

/** A generator after checking, with every default filled in. Plain data, which plans and manifests contain. */
export type GeneratorSettings =
  | { readonly name: 'philox' }
  | { readonly name: 'torch-stateless' }
  | {
      readonly name: 'torch-cpu'
      readonly variant: TorchCpuVariant
      readonly truncation: TorchTruncation
      /** Only while a model is planned: sources keep what they need of it. */
      readonly program?: TorchProgram
    }
  | { readonly name: 'torch-cuda'; readonly layout: 'torch-cuda-v1'; readonly threads: number | null }
  | { readonly name: 'jax'; readonly keys: Readonly<Record<string, JaxKey>> }
  | { readonly name: 'jax-legacy'; readonly keys: Readonly<Record<string, JaxKey>> }

export type GeneratorSettingsOf<N extends GeneratorName> = Extract<GeneratorSettings, { name: N }>

/** Distributions that one call of uniform_ or normal_ draws, so that an element depends only on its words. */
export type SimpleDistribution = Extract<Distribution, { kind: 'uniform' | 'normal' }>

/** The distributions that the generators of other libraries draw element by element. */
export type RandomDistribution = Extract<Distribution, { kind: 'uniform' | 'normal' | 'truncated-normal' | 'sparse' }>

/** Every distribution that takes words of a generator. An orthogonal matrix is included, because it is made from normals. */
export type DrawingDistribution = RandomDistribution | Extract<Distribution, { kind: 'orthogonal' }>

/** The place in the stream of a PyTorch CPU generator at which a call begins. */
export interface TorchCpuSource {
  readonly generator: 'torch-cpu'
  readonly variant: TorchCpuVariant
  /** The kind of distribution that was requested. If all elements are equal, the values do not show it. */
  readonly draw: DrawingDistribution['kind']
  /** Only for a truncated normal. */
  readonly truncation?: TorchTruncation
  /** The seed modulo 2^32. */
  readonly seed: number
  /** 32-bit words drawn before this call. */
  readonly position: number
  /** The element count of the whole tensor. PyTorch uses a different method for fewer than 16 normals. */
  readonly count: number
  /**
   * The position of the words of an earlier pair of normals. The second normal of that pair is the first value of this
   * call. Only for fewer than 16 normals.
   */
  readonly cachedAt?: number
}

/**
 * A parameter that a recorded program makes by more than one plain draw: its writes, and where its calls begin. Calls are
 * numbered within `calls`.
 */
export interface TorchProgramSource {
  readonly generator: 'torch-program'
  readonly variant: TorchCpuVariant
  readonly tensor: RecordedTensor
  /** Tensors that it is computed from. */
  readonly values: readonly RecordedTensor[]
  readonly calls: readonly RecordedRow[]
  /** Where each call begins: seed mod 2^32, words drawn before, and where a kept normal's words are. */
  readonly places: readonly { readonly seed: number; readonly position: number; readonly cachedAt?: number }[]
}

/** A call in the stream of a PyTorch CUDA generator. */
export interface TorchCudaSource {
  readonly generator: 'torch-cuda'
  /** Decimal strings, 64 bits. */
  readonly seed: string
  /** PyTorch's philox_offset before the call: a multiple of 4. */
  readonly offset: string
  /** The number of threads in the launch. Thread i mod threads makes element i. */
  readonly threads: number
  /** The element count of the whole tensor. Only for a truncated normal, which takes several calls. */
  readonly count?: number
  /**
   * Only for a sparse distribution, for which PyTorch draws permutations with its CPU generator: the 32-bit words which that
   * generator had drawn before.
   */
  readonly position?: number
}

/** An array of jax.random with a key of its own. */
export interface JaxSource<N extends 'jax' | 'jax-legacy' = 'jax' | 'jax-legacy'> {
  readonly generator: N
  readonly key: JaxKey
  /** The element count of the whole array: 'jax-legacy' pairs element i with element i + ceil(count / 2). */
  readonly count: number
}

/** A tensor of torch.func._random with a key of its own. */
export interface StatelessSource {
  readonly generator: 'torch-stateless'
  /** Decimal strings, 64 bits. */
  readonly seed: string
  readonly offset: string
}

/** Where a parameter's words come from with a generator other than 'philox'. Plain data. */
export type GeneratorSource =
  | TorchCpuSource
  | TorchProgramSource
  | TorchCudaSource
  | StatelessSource
  | JaxSource<'jax'>
  | JaxSource<'jax-legacy'>

/** Which record makes a source's values: its generator's, or that of recorded programs. */
export type SourceName = LibraryGeneratorName | 'torch-program'

export type GeneratorSourceOf<N extends SourceName> = Extract<GeneratorSource, { generator: N }>

/** A distribution and the source of its words: everything that a sampler needs. */
export interface GeneratorDraw {
  readonly distribution: RandomDistribution
  readonly generatorSource: GeneratorSource
}
