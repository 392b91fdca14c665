import type { Distribution } from '../ir/distribution.js'

/** A generator that follows another library: src/generators/<name>.ts, listed in src/generators/registry.ts. */
export type LibraryGeneratorName = 'torch-cpu' | 'torch-cuda' | 'torch-stateless' | 'jax' | 'jax-legacy'

/** Where the random words come from. 'philox' is the value contract's own; the others follow another library. */
export type GeneratorName = 'philox' | LibraryGeneratorName

/**
 * Which build of PyTorch 'torch-cpu' follows. 'fma': x86-64 Linux (GCC contracts a*b+c). 'no-contraction': x86-64 builds
 * that do not (MSVC and clang without -ffp-contract); differs in the last bits.
 */
export type TorchCpuVariant = 'fma' | 'no-contraction'

/**
 * Which trunc_normal_ 'torch-cpu' follows. 'rejection': PyTorch 2.13 and later, which redraws what falls outside.
 * 'inversion': PyTorch up to 2.12, which inverts the distribution function of one uniform an element.
 */
export type TorchTruncation = 'rejection' | 'inversion'

/** A JAX key: its two 32-bit words, high first, as `jax.random.key_data` shows them. */
export type JaxKey = readonly [number, number]

/** A generator with its settings. */
export type GeneratorObject =
  | { readonly name: 'philox' | 'torch-stateless' }
  | { readonly name: 'torch-cpu'; readonly variant?: TorchCpuVariant; readonly truncation?: TorchTruncation }
  | {
      readonly name: 'torch-cuda'
      /** Threads the GPU holds at once: 256 * SMs * floor(max threads per SM / 256). */
      readonly threads?: number
      /** In place of `threads`: a name such as 'A100' or 'RTX 4090'; see `torchCudaThreads`. */
      readonly gpu?: string
    }
  | {
      readonly name: 'jax' | 'jax-legacy'
      /** Keys of some parameters, by name; the others get `fold_in(key(seed), crc32(name))`. */
      readonly keys?: Readonly<Record<string, JaxKey>>
    }

/** What the option `generator` takes. */
export type GeneratorOption = GeneratorName | GeneratorObject

/** A generator after checking, with every default filled in. Plain data, kept in plans and manifests. */
export type GeneratorSettings =
  | { readonly name: 'philox' }
  | { readonly name: 'torch-stateless' }
  | { readonly name: 'torch-cpu'; readonly variant: TorchCpuVariant; readonly truncation: TorchTruncation }
  | { readonly name: 'torch-cuda'; readonly layout: 'torch-cuda-v1'; readonly threads: number | null }
  | { readonly name: 'jax'; readonly keys: Readonly<Record<string, JaxKey>> }
  | { readonly name: 'jax-legacy'; readonly keys: Readonly<Record<string, JaxKey>> }

export type GeneratorSettingsOf<N extends GeneratorName> = Extract<GeneratorSettings, { name: N }>

/** Distributions whose elements follow from their words alone, in one call of uniform_ or normal_. */
export type SimpleDistribution = Extract<Distribution, { kind: 'uniform' | 'normal' }>

/** The distributions that the generators of other libraries make element by element. */
export type RandomDistribution = Extract<Distribution, { kind: 'uniform' | 'normal' | 'truncated-normal' | 'sparse' }>

/** Every distribution that takes words of a generator: an orthogonal matrix starts from normals. */
export type DrawingDistribution = RandomDistribution | Extract<Distribution, { kind: 'orthogonal' }>

/** A place in the stream of a PyTorch CPU generator, where a call begins. */
export interface TorchCpuSource {
  readonly generator: 'torch-cpu'
  readonly variant: TorchCpuVariant
  /** Which distribution was asked for: of one without spread the values do not tell. */
  readonly draw: DrawingDistribution['kind']
  /** Only of a truncated normal. */
  readonly truncation?: TorchTruncation
  /** The seed mod 2^32. */
  readonly seed: number
  /** 32-bit words drawn before this call. */
  readonly position: number
  /** Elements of the whole tensor: fewer than 16 normals are made in another way than more. */
  readonly count: number
  /** Where the pair of words lies whose second normal is this call's first value; only for fewer than 16 normals. */
  readonly cachedAt?: number
}

/** A call in the stream of a PyTorch CUDA generator. */
export interface TorchCudaSource {
  readonly generator: 'torch-cuda'
  /** Decimal strings, 64 bits. */
  readonly seed: string
  /** PyTorch's philox_offset before the call: a multiple of 4. */
  readonly offset: string
  /** Threads of the launch; element i is made by thread i mod threads. */
  readonly threads: number
  /** Elements of the whole tensor; only of a truncated normal, which takes several calls. */
  readonly count?: number
  /** Only of a sparse distribution, whose permutations PyTorch draws on the CPU: words its generator had drawn before. */
  readonly position?: number
}

/** An array of jax.random under its own key. */
export interface JaxSource<N extends 'jax' | 'jax-legacy' = 'jax' | 'jax-legacy'> {
  readonly generator: N
  readonly key: JaxKey
  /** Elements of the whole array: 'jax-legacy' pairs element i with i + ceil(count / 2). */
  readonly count: number
}

/** A tensor of torch.func._random under its own key. */
export interface StatelessSource {
  readonly generator: 'torch-stateless'
  /** Decimal strings, 64 bits. */
  readonly seed: string
  readonly offset: string
}

/** Where a parameter's words come from, if not from the value contract's own streams. Plain data. */
export type GeneratorSource =
  | TorchCpuSource
  | TorchCudaSource
  | StatelessSource
  | JaxSource<'jax'>
  | JaxSource<'jax-legacy'>

export type GeneratorSourceOf<N extends LibraryGeneratorName> = Extract<GeneratorSource, { generator: N }>

/** A distribution and its words: what a sampler needs. */
export interface GeneratorDraw {
  readonly distribution: RandomDistribution
  readonly generatorSource: GeneratorSource
}
