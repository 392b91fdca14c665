import { refuse, show } from '../../core/errors.js'
import type { SimpleDistribution, TorchCpuSource, TorchCpuVariant, TorchTruncation } from '../../ir/generator.js'
import { seedKey } from '../../random/keys.js'
import { mersenneStream } from '../../random/libraries/mt19937.js'
import { cursorOf } from './calls.js'
import { advanceTorch, sampleTorchCpu, type TorchCursor } from './cpu.js'
import { LONG_PERMUTATION, permute, randpermWords } from './randperm.js'
import { afterTruncated, checkTorchTruncated, sampleTruncated } from './truncated.js'

/** A TorchGenerator's whole state, as plain JSON: PyTorch's 5056 bytes follow from it. */
export interface TorchGeneratorState {
  /** The seed mod 2^32. */
  readonly seed: number
  /** 32-bit words drawn since the seed was set. */
  readonly position: number
  /** Where the words lie whose second normal is still to be given out. */
  readonly cachedAt?: number
}

/** Which build and release of PyTorch a TorchGenerator follows: as the generator 'torch-cpu'. */
export interface TorchGeneratorOptions {
  readonly variant?: TorchCpuVariant
  readonly truncation?: TorchTruncation
}

/** `torch.default_generator` starts with this seed. */
const DEFAULT_SEED = 67280421310721n

/**
 * PyTorch's CPU generator, to follow a PyTorch program draw by draw: `torch.manual_seed(s)`, then each `uniform_`,
 * `normal_` and `randperm` in the program's order. Float32, contiguous tensors, row-major.
 *
 * Same bits as PyTorch (checked: 1.13.1, 2.13.0) on x86-64 Linux (AVX2), or, with `variant: 'no-contraction'`, as builds whose compiler
 * does not contract. Only the low 32 bits of a seed count, as in PyTorch. Plain JavaScript, no GPU.
 *
 * @example
 * const g = new TorchGenerator(42)
 * const weight = g.uniform(12, -0.5, 0.5) // torch.manual_seed(42); torch.empty(3, 4).uniform_(-0.5, 0.5)
 */
export class TorchGenerator {
  readonly variant: TorchCpuVariant
  readonly truncation: TorchTruncation
  #seed = 0
  #cursor: TorchCursor = { position: 0 }

  /** @throws WeightInitError `INVALID_ARGUMENT` for a seed that is no integer, or an unknown variant or truncation */
  constructor(seed: number | bigint = DEFAULT_SEED, options: TorchGeneratorOptions = {}) {
    const { variant = 'fma', truncation = 'rejection' } = options
    if (variant !== 'fma' && variant !== 'no-contraction') {
      fail(`variant must be 'fma' or 'no-contraction', but found ${show(variant)}.`)
    }
    if (truncation !== 'rejection' && truncation !== 'inversion') {
      fail(`truncation must be 'rejection' or 'inversion', but found ${show(truncation)}.`)
    }
    this.variant = variant
    this.truncation = truncation
    this.manualSeed(seed)
  }

  /** `torch.manual_seed`: starts the stream over and forgets a kept normal. */
  manualSeed(seed: number | bigint): this {
    this.#seed = Number(seedKey(seed) & 0xffff_ffffn)
    this.#cursor = { position: 0 }
    return this
  }

  /** Words drawn since the seed was set. */
  get position(): number {
    return this.#cursor.position
  }

  /** One 32-bit word, unsigned. */
  random(): number {
    const word = new Uint32Array(1)
    mersenneStream(this.#seed).read(this.#cursor.position, word)
    this.skip(1)
    return word[0]!
  }

  /**
   * `tensor.uniform_(low, high)`; `torch.rand` with the default range. U[low, high): x * (high - low) + low with
   * x = (word & 0xffffff) 2^-24, one rounding (two with 'no-contraction'); a value that rounds up to `high` becomes `low`. One word an element.
   * @param target how many, or the array to fill
   */
  uniform(target: number | Float32Array<ArrayBuffer>, low = 0, high = 1): Float32Array<ArrayBuffer> {
    finite({ low, high })
    if (low > high) {
      fail(`uniform_ expects to return a [from, to) range, but found from=${low} > to=${high}. Swap low and high.`)
    }
    return this.#draw(target, { kind: 'uniform', low, high })
  }

  /**
   * `tensor.normal_(mean, std)`; `torch.randn` with the defaults. 16 elements and more: Box-Muller in blocks of 16, a word
   * an element and 16 more when the count is no multiple of 16, so that a shorter draw is no prefix of a longer one.
   * Fewer: one by one in float64, the second normal of a pair kept for the next short call.
   * @param target how many, or the array to fill
   */
  normal(target: number | Float32Array<ArrayBuffer>, mean = 0, std = 1): Float32Array<ArrayBuffer> {
    finite({ mean, std })
    if (std < 0) fail(`normal expects std >= 0.0, but found std ${std}.`)
    return this.#draw(target, { kind: 'normal', mean, std })
  }

  /**
   * `torch.nn.init.trunc_normal_(tensor, mean, std, low, high)`: N(mean, std^2) within absolute bounds. 'rejection' (PyTorch
   * 2.13 and later): as many draws of the whole tensor as it takes; 'inversion' (up to 2.12): one uniform an element.
   * @param target how many, or the array to fill
   */
  truncNormal(
    target: number | Float32Array<ArrayBuffer>,
    mean = 0,
    std = 1,
    low = -2,
    high = 2,
  ): Float32Array<ArrayBuffer> {
    finite({ mean, std, low, high })
    if (!(std > 0)) fail(`truncNormal needs std > 0, but found std ${std}.`)
    if (!(low < high)) fail(`truncNormal: the interval [${low}, ${high}] is empty. Swap or widen the bounds.`)
    const distribution = { kind: 'truncated-normal', mean, std, low, high } as const
    const inverts = this.truncation === 'inversion'
    if (!inverts) checkTorchTruncated(distribution, 'TorchGenerator')
    const count = countOf(target)
    const out = typeof target === 'number' ? new Float32Array(count) : target
    if (count === 0) return out
    const call = {
      generatorSource: {
        ...this.#generatorSource('truncated-normal', count),
        truncation: this.truncation,
        ...this.#cursor,
      },
    }
    for (let first = 0; first < count; first += CHUNK) {
      out.set(sampleTruncated(distribution, call, first, Math.min(CHUNK, count - first)), first)
    }
    if (inverts) this.#move(advanceTorch(this.#cursor, 'uniform', count))
    else this.#move(cursorOf(afterTruncated(distribution, call, count).generatorSource))
    return out
  }

  /** `torch.randperm(n)`: 0 ... n-1 in random order; n - 1 words. n < 214748364: from there on PyTorch takes 64-bit words. */
  randperm(n: number): Uint32Array<ArrayBuffer> {
    if (!Number.isInteger(n) || n < 0 || n >= LONG_PERMUTATION) {
      fail(`randperm: n must be an integer from 0 to ${LONG_PERMUTATION - 1}, but found ${show(n)}.`)
    }
    const order = Uint32Array.from({ length: n }, (_, i) => i)
    const words = new Uint32Array(randpermWords(n))
    mersenneStream(this.#seed).read(this.#cursor.position, words)
    this.skip(words.length)
    permute(order, words)
    return order
  }

  /** Passes over `words` 32-bit words, for draws that nobody needs: by jump-ahead, a second at most for the next draw. */
  skip(words: number): void {
    if (!Number.isSafeInteger(words) || words < 0) {
      fail(`skip: the number of words must be a non-negative integer, but found ${show(words)}.`)
    }
    this.#move({ ...this.#cursor, position: this.#cursor.position + words })
  }

  /** The state as plain data, to be set later or elsewhere. */
  getState(): TorchGeneratorState {
    return { seed: this.#seed, ...this.#cursor }
  }

  /** @throws WeightInitError `INVALID_ARGUMENT` for anything that `getState` could not have given */
  setState(state: TorchGeneratorState): this {
    const { seed, position, cachedAt } = state ?? {}
    const natural = (x: unknown): boolean => Number.isSafeInteger(x) && (x as number) >= 0
    if (!natural(seed) || seed > 0xffffffff || !natural(position) || !(cachedAt === undefined || natural(cachedAt))) {
      fail(`setState takes what getState gave: { seed, position, cachedAt? }, but found ${show(state)}.`)
    }
    this.#seed = seed
    this.#cursor = cachedAt === undefined ? { position } : { position, cachedAt }
    return this
  }

  #draw(target: number | Float32Array<ArrayBuffer>, distribution: SimpleDistribution): Float32Array<ArrayBuffer> {
    const count = countOf(target)
    const out = typeof target === 'number' ? new Float32Array(count) : target
    const generatorSource = {
      ...this.#generatorSource(distribution.kind, count),
      ...(distribution.kind === 'normal' ? this.#cursor : {}),
    }
    for (let first = 0; first < count; first += CHUNK) {
      out.set(sampleTorchCpu({ distribution, generatorSource }, first, Math.min(CHUNK, count - first)), first)
    }
    if (count > 0) this.#move(advanceTorch(this.#cursor, distribution.kind, count))
    return out
  }

  #generatorSource(draw: TorchCpuSource['draw'], count: number): TorchCpuSource {
    const { position } = this.#cursor
    return { generator: 'torch-cpu', variant: this.variant, draw, seed: this.#seed, position, count }
  }

  #move(cursor: TorchCursor): void {
    if (cursor.position > Number.MAX_SAFE_INTEGER) fail('positions end at 2^53 - 1 words; set another seed.')
    this.#cursor = cursor
  }
}

/** Elements made at a time: a multiple of 16. */
const CHUNK = 2 ** 18

function countOf(target: number | Float32Array): number {
  const count = typeof target === 'number' ? target : target.length
  if (!Number.isSafeInteger(count) || count < 0) fail(`the number of elements must be >= 0, but found ${show(target)}.`)
  return count
}

const fail: (message: string) => never = /* @__PURE__ */ refuse('INVALID_ARGUMENT', 'TorchGenerator: ')

function finite(values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (typeof value !== 'number' || !Number.isFinite(value))
      fail(`${name} must be a finite number, but found ${show(value)}.`)
  }
}
