import { refuse, show } from '../../core/errors.js'
import type { SimpleDistribution, TorchCpuSource, TorchCpuVariant, TorchTruncation } from '../../ir/generator.js'
import { seedKey } from '../../random/keys.js'
import { mersenneStream } from '../../random/libraries/mt19937.js'
import { cursorOf } from './calls.js'
import { advanceTorch, sampleTorchCpu, type TorchCursor } from './cpu.js'
import { LONG_PERMUTATION, permute, randpermWords } from './randperm.js'
import { afterTruncated, checkTorchTruncated, sampleTruncated } from './truncated.js'

/** The whole state of a TorchGenerator as plain JSON. PyTorch's state of 5056 bytes can be computed from it. */
export interface TorchGeneratorState {
  /** The seed modulo 2^32. */
  readonly seed: number
  /** 32-bit words drawn since the seed was set. */
  readonly position: number
  /** The position of the words of a pair whose second normal has not been used yet, if there is one. */
  readonly cachedAt?: number
}

/** Which build and release of PyTorch a TorchGenerator follows. The settings are those of the generator 'torch-cpu'. */
export interface TorchGeneratorOptions {
  readonly variant?: TorchCpuVariant
  readonly truncation?: TorchTruncation
}

/** The seed with which `torch.default_generator` starts. */
const DEFAULT_SEED = 67280421310721n

/**
 * PyTorch's CPU generator, with which a program can follow a PyTorch program draw by draw: call `manualSeed`, and then
 * `uniform`, `normal`, `truncNormal` and `randperm` in the order of the PyTorch program. Tensors are float32, contiguous and
 * row-major.
 *
 * The values have the same bits as PyTorch's on x86-64 Linux with AVX2 (checked with 1.13.1 and 2.13.0) or, with
 * `variant: 'no-contraction'`, as builds whose compiler does not contract a product and a sum. Only the low 32 bits of a seed
 * matter, as in PyTorch. It is plain JavaScript and needs no GPU.
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

  /** @throws WeightInitError `INVALID_ARGUMENT` for a seed that is not an integer, or an unknown variant or truncation */
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

  /**
   * `torch.manual_seed`: restarts the stream and discards a cached normal.
   * @throws WeightInitError `INVALID_ARGUMENT` for a seed that is not an integer
   */
  manualSeed(seed: number | bigint): this {
    this.#seed = Number(seedKey(seed) & 0xffff_ffffn)
    this.#cursor = { position: 0 }
    return this
  }

  /** The number of 32-bit words drawn since the seed was set. */
  get position(): number {
    return this.#cursor.position
  }

  /** Draws one unsigned 32-bit word. */
  random(): number {
    const word = new Uint32Array(1)
    mersenneStream(this.#seed).read(this.#cursor.position, word)
    this.skip(1)
    return word[0]!
  }

  /**
   * `tensor.uniform_(low, high)`, or `torch.rand` with the default range: U[low, high), computed as x * (high - low) + low with
   * x = (word & 0xffffff) 2^-24 and rounded once (twice with 'no-contraction'). A value that rounds up to `high` becomes `low`.
   * One word per element.
   * @param target the number of elements, or the array to fill
   * @throws WeightInitError `INVALID_ARGUMENT` unless low <= high and both are finite
   */
  uniform(target: number | Float32Array<ArrayBuffer>, low = 0, high = 1): Float32Array<ArrayBuffer> {
    finite({ low, high })
    if (low > high) {
      fail(`uniform_ expects to return a [from, to) range, but found from=${low} > to=${high}. Swap low and high.`)
    }
    return this.#draw(target, { kind: 'uniform', low, high })
  }

  /**
   * `tensor.normal_(mean, std)`, or `torch.randn` with the defaults.
   * - 16 or more elements: Box-Muller in blocks of 16 in float32. It takes one word per element, and 16 more if the count is not a
   *   multiple of 16; a shorter draw is therefore not a prefix of a longer one.
   * - Fewer elements: one by one in float64. If the second normal of the last pair is not needed, it is cached for the next call
   *   with fewer than 16 elements.
   * @param target the number of elements, or the array to fill
   * @throws WeightInitError `INVALID_ARGUMENT` unless mean and std are finite and std >= 0
   */
  normal(target: number | Float32Array<ArrayBuffer>, mean = 0, std = 1): Float32Array<ArrayBuffer> {
    finite({ mean, std })
    if (std < 0) fail(`normal expects std >= 0.0, but found std ${std}.`)
    return this.#draw(target, { kind: 'normal', mean, std })
  }

  /**
   * `torch.nn.init.trunc_normal_(tensor, mean, std, low, high)`: N(mean, std^2), conditioned on the absolute bounds [low, high].
   * With 'rejection' (PyTorch 2.13 and later) the whole tensor is drawn as often as necessary; with 'inversion' (up to 2.12) one
   * uniform is drawn per element.
   * @param target the number of elements, or the array to fill
   * @throws WeightInitError `INVALID_ARGUMENT` unless all numbers are finite, std > 0 and low < high; `INVALID_CONFIG` for an
   *   interval of which PyTorch would reject nearly every proposal
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

  /**
   * `torch.randperm(n)`: the integers 0, ..., n - 1 in random order. It takes n - 1 words. n must be below 214748364, because
   * PyTorch takes 64-bit words from there on.
   * @throws WeightInitError `INVALID_ARGUMENT` for another n
   */
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

  /**
   * Skips `words` 32-bit words, for draws that are not needed. Over long distances it jumps ahead, so that the next draw takes a
   * second at most.
   * @throws WeightInitError `INVALID_ARGUMENT` unless `words` is a non-negative integer and the position stays below 2^53
   */
  skip(words: number): void {
    if (!Number.isSafeInteger(words) || words < 0) {
      fail(`skip: the number of words must be a non-negative integer, but found ${show(words)}.`)
    }
    this.#move({ ...this.#cursor, position: this.#cursor.position + words })
  }

  /** Returns the state as plain data for `setState`. */
  getState(): TorchGeneratorState {
    return { seed: this.#seed, ...this.#cursor }
  }

  /**
   * Continues from a state that `getState` returned.
   * @throws WeightInitError `INVALID_ARGUMENT` for anything that `getState` cannot have returned
   */
  setState(state: TorchGeneratorState): this {
    const { seed, position, cachedAt } = state ?? {}
    const natural = (x: unknown): boolean => Number.isSafeInteger(x) && (x as number) >= 0
    if (!natural(seed) || seed > 0xffffffff || !natural(position) || !(cachedAt === undefined || natural(cachedAt))) {
      fail(`setState takes a state that getState returned: { seed, position, cachedAt? }, but found ${show(state)}.`)
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

/** How many elements are made at a time: a multiple of 16. */
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
