import { checkDType, type FloatDType, isFloatDType } from '../../core/dtype.js'
import { show, WeightInitError } from '../../core/errors.js'

/** Major versions of transformers that are known. They differ in names, ties and distributions of some models. */
export type TransformersVersion = 4 | 5

export type Json = Readonly<Record<string, unknown>>

/** More than any model has; keeps a lying config from making a list without end. */
const MAX_LAYERS = 10000
const MAX_INTEGER = 2 ** 31 - 1

/** Reads keys of a config.json, each checked; an absent key or null means the default of the architecture's config class. */
export class ConfigReader {
  readonly #json: Json
  readonly #where: string
  /** Major version of transformers whose classes are meant. */
  readonly transformers: TransformersVersion

  constructor(json: Json, transformers: TransformersVersion, where = 'config.json') {
    this.#json = json
    this.#where = where
    this.transformers = transformers
  }

  /** The raw value of a key; undefined for null, and never what a prototype has. */
  value(key: string): unknown {
    return Object.hasOwn(this.#json, key) ? (this.#json[key] ?? undefined) : undefined
  }

  /** Whether a key is there and null: some config classes take that for something else than an absent key. */
  isNull(key: string): boolean {
    return Object.hasOwn(this.#json, key) && this.#json[key] === null
  }

  /** @throws WeightInitError `INVALID_FILE`, always */
  fail(message: string): never {
    throw new WeightInitError('INVALID_FILE', `${this.#where}: ${message}`)
  }

  /** The first of `keys` that is given: an integer from `least` to 2^31 - 1. */
  integer(keys: string | readonly string[], fallback: number, least = 1): number {
    const key = this.#given(keys)
    if (key === undefined) return fallback
    const value = this.value(key)
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= MAX_INTEGER) return value
    return this.fail(`${key} must be an integer from ${least} to 2^31 - 1, but found ${show(value)}.`)
  }

  /** A number of layers: at most 10000. */
  layers(keys: string | readonly string[], fallback: number): number {
    const layers = this.integer(keys, fallback)
    if (layers <= MAX_LAYERS) return layers
    return this.fail(`${this.#given(keys)} ${layers} is more than ${MAX_LAYERS}, which no such model has.`)
  }

  /** A finite number of any sign. */
  finite(key: string, fallback: number): number {
    const value = this.value(key) ?? fallback
    if (typeof value === 'number' && Number.isFinite(value)) return value
    return this.fail(`${key} must be a finite number, but found ${show(value)}.`)
  }

  /** A finite number >= 0. */
  positive(key: string, fallback: number): number {
    const value = this.value(key) ?? fallback
    if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value
    return this.fail(`${key} must be a finite number >= 0, but found ${show(value)}.`)
  }

  /** The standard deviation of the weights. transformers 5 takes a range of 0 for none, and then uses 0.02. */
  initializerRange(): number {
    const range = this.positive('initializer_range', 0.02)
    return this.transformers === 5 ? range || 0.02 : range
  }

  boolean(key: string, fallback: boolean): boolean {
    const value = this.value(key) ?? fallback
    return typeof value === 'boolean' ? value : this.fail(`${key} must be true or false, but found ${show(value)}.`)
  }

  /** A nested config; empty where it is absent, so that every default applies. */
  child(key: string): ConfigReader {
    const value = this.value(key) ?? {}
    if (typeof value === 'object' && !Array.isArray(value))
      return new ConfigReader(value as Json, this.transformers, `${this.#where}: ${key}`)
    return this.fail(`${key} must be an object, but found ${show(value)}.`)
  }

  /** Refuses a setting that would change the parameters in a way this reader does not know. */
  only(key: string, known: unknown): void {
    const value = this.value(key) ?? known
    if (value === known) return
    this.fail(
      `${key} ${show(value)} is not read, only ${show(known)}: the parameters would be others. ` +
        'Describe the model with defineModel({ parameters: [...] }).',
    )
  }

  /** Refuses widths that heads do not divide, as the model's own class does. */
  divisible(width: number, heads: number, widthKey: string, headsKey: string): void {
    if (width % heads !== 0) this.fail(`${widthKey} must be divisible by ${headsKey}, but found ${width} and ${heads}.`)
  }

  /** PyTorch's padding_idx of a table: a row, negative from the end; undefined where there is none, or where it is null. */
  paddingIndex(fallback: number | undefined, rows: number): number | undefined {
    const value = this.isNull('pad_token_id') ? undefined : (this.value('pad_token_id') ?? fallback)
    if (value === undefined) return undefined
    if (typeof value === 'number' && Number.isInteger(value) && value >= -rows && value < rows) return value
    return this.fail(`pad_token_id must be a row of the ${rows} embeddings, but found ${show(value)}.`)
  }

  /** Outputs of a classification head: num_labels, else the entries of id2label, else 2. */
  labels(): number {
    const names = this.value('id2label')
    if (this.value('num_labels') !== undefined || names === undefined) return this.integer('num_labels', 2, 0)
    if (typeof names !== 'object' || Array.isArray(names))
      return this.fail(`id2label must be an object, but found ${show(names)}.`)
    return Object.keys(names as object).length || this.fail('id2label is empty: a classification head needs labels.')
  }

  /** dtype or torch_dtype; float32 where neither is given. */
  dtype(): FloatDType {
    const given = this.value('dtype') ?? this.value('torch_dtype') ?? 'float32'
    // "auto" means what the checkpoint holds, and there is none; the name may be written as PyTorch prints it.
    const name = given === 'auto' ? 'float32' : typeof given === 'string' ? given.replace(/^torch\./, '') : given
    const dtype = checkDType(
      name === 'half' ? 'float16' : name === 'float' ? 'float32' : name,
      `${this.#where}: torch_dtype`,
    )
    if (isFloatDType(dtype)) return dtype
    throw new WeightInitError('UNSUPPORTED_DTYPE', `${this.#where}: torch_dtype ${dtype} is no floating dtype.`)
  }

  #given(keys: string | readonly string[]): string | undefined {
    return (typeof keys === 'string' ? [keys] : keys).find((key) => this.value(key) !== undefined)
  }
}
