import { checkDType, isFloatDType } from '../dtype.js'
import { refuseUnknownKeys, show, WeightInitError } from '../errors.js'
import { NormalInitializer } from '../initializers/normal.js'
import type { InitializerRule } from '../plan.js'
import { defineModel } from './define.js'
import type { Model, ParameterSpec } from './types.js'

/** A model read from a Hugging Face config.json, with the initialisation its authors use. */
export interface HuggingFaceModel {
  readonly architecture: string
  readonly model: Model
  readonly recipe: readonly InitializerRule[]
  /** Parameters that share another's memory and are therefore not listed or stored, by name. */
  readonly tied: Readonly<Record<string, string>>
}

type Json = Readonly<Record<string, unknown>>

interface Architecture {
  read(config: Json): Omit<HuggingFaceModel, 'architecture'>
}

const architectures: Readonly<Record<string, Architecture>> = {
  gpt2: { read: readGpt2 },
}

/**
 * Model and recipe from a parsed Hugging Face config.json. Known `model_type`s: gpt2.
 * @throws WeightInitError `INVALID_FILE` naming the key, the value and what it should be
 */
export function readHuggingFaceConfig(config: unknown): HuggingFaceModel {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new WeightInitError('INVALID_FILE', `config.json must hold an object, but found ${show(config)}.`)
  }
  const type = (config as Json).model_type
  if (typeof type !== 'string' || !Object.hasOwn(architectures, type)) {
    throw new WeightInitError(
      'INVALID_FILE',
      `config.json: unknown model_type ${show(type)}; known: ${Object.keys(architectures).join(', ')}. ` +
        'Describe another architecture with defineModel({ parameters: [...] }).',
    )
  }
  return { architecture: type, ...architectures[type]!.read(config as Json) }
}

function integerOf(config: Json, keys: readonly string[], fallback: number): number {
  const key = keys.find((k) => config[k] !== undefined && config[k] !== null)
  if (key === undefined) return fallback
  const value = config[key]
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1 || value > 2 ** 31 - 1) {
    throw new WeightInitError(
      'INVALID_FILE',
      `config.json: ${key} must be an integer from 1 to 2^31 - 1, but found ${show(value)}.`,
    )
  }
  return value
}

function positiveOf(config: Json, key: string, fallback: number): number {
  const value = config[key] ?? fallback
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
    throw new WeightInitError(
      'INVALID_FILE',
      `config.json: ${key} must be a finite number >= 0, but found ${show(value)}.`,
    )
  }
  return value
}

const MAX_LAYERS = 10000

/**
 * GPT-2: names, shapes and order of transformers' GPT2LMHeadModel (prefix 'transformer.') or GPT2Model (none), after
 * `architectures`. Its Conv1D weights are [in, out]; lm_head shares wte. 124M: 148 parameters, 124,439,808 elements.
 */
function readGpt2(config: Json): Omit<HuggingFaceModel, 'architecture'> {
  const layers = integerOf(config, ['n_layer', 'num_hidden_layers'], 12)
  if (layers > MAX_LAYERS) {
    throw new WeightInitError(
      'INVALID_FILE',
      `config.json: n_layer ${layers} is more than ${MAX_LAYERS}, which no such model has.`,
    )
  }
  const width = integerOf(config, ['n_embd', 'hidden_size'], 768)
  const positions = integerOf(config, ['n_positions', 'n_ctx', 'max_position_embeddings'], 1024)
  const vocabulary = integerOf(config, ['vocab_size'], 50257)
  const inner = integerOf(config, ['n_inner'], 4 * width)
  const std = positiveOf(config, 'initializer_range', 0.02)
  const list = config.architectures
  const className = Array.isArray(list) ? list[0] : undefined
  if (className !== undefined && className !== 'GPT2Model' && className !== 'GPT2LMHeadModel') {
    throw new WeightInitError(
      'INVALID_FILE',
      `config.json: architectures names ${show(className)}; known for gpt2: GPT2Model, GPT2LMHeadModel. The parameters ` +
        'of another head would be missing: use one of these, or describe the model with defineModel({ parameters: [...] }).',
    )
  }
  const withHead = className === 'GPT2LMHeadModel'
  const prefix = withHead ? 'transformer.' : ''
  const dtypeName = config.dtype ?? config.torch_dtype ?? 'float32'
  const dtype = checkDType(dtypeName, 'config.json: torch_dtype')
  if (!isFloatDType(dtype))
    throw new WeightInitError('UNSUPPORTED_DTYPE', `config.json: torch_dtype ${dtype} is no floating dtype.`)

  const parameters: ParameterSpec[] = []
  const add = (name: string, shape: number[], facts: Omit<ParameterSpec, 'name' | 'shape'>): void => {
    parameters.push({ name: `${prefix}${name}`, shape, dtype, ...facts })
  }
  const norm = (name: string): void => {
    add(`${name}.weight`, [width], { role: 'norm-scale' })
    add(`${name}.bias`, [width], { role: 'norm-bias' })
  }
  // transformers' Conv1D: weight [in, out].
  const projection = (name: string, inputs: number, outputs: number): void => {
    add(`${name}.weight`, [inputs, outputs], { role: 'weight', layout: 'in-out' })
    add(`${name}.bias`, [outputs], { role: 'bias' })
  }
  add('wte.weight', [vocabulary, width], { role: 'embedding' })
  add('wpe.weight', [positions, width], { role: 'embedding' })
  for (let i = 0; i < layers; i++) {
    norm(`h.${i}.ln_1`)
    projection(`h.${i}.attn.c_attn`, width, 3 * width)
    projection(`h.${i}.attn.c_proj`, width, width)
    norm(`h.${i}.ln_2`)
    projection(`h.${i}.mlp.c_fc`, width, inner)
    projection(`h.${i}.mlp.c_proj`, inner, width)
  }
  norm('ln_f')
  const tied = withHead && config.tie_word_embeddings !== false
  if (withHead && !tied) parameters.push({ name: 'lm_head.weight', shape: [vocabulary, width], dtype, role: 'weight' })
  return {
    model: defineModel({ parameters }),
    recipe: gpt2Recipe({ layers, std }),
    tied: tied ? { 'lm_head.weight': `${prefix}wte.weight` } : {},
  }
}

/**
 * GPT-2's own initialisation: weights and embeddings N(0, std), the residual projections (c_proj) N(0, std / sqrt(2 layers)),
 * biases 0, LayerNorm 1 and 0.
 *
 * Source: Radford et al., "Language models are unsupervised multitask learners", 2019, section 2.3; `_init_weights` in
 * transformers' modeling_gpt2.py.
 */
export function gpt2Recipe(
  settings: { readonly layers?: number; readonly std?: number } = {},
): readonly InitializerRule[] {
  refuseUnknownKeys(settings, ['layers', 'std'], 'gpt2Recipe')
  const { layers = 12, std = 0.02 } = settings
  if (!Number.isSafeInteger(layers) || layers < 1) {
    throw new WeightInitError(
      'INVALID_ARGUMENT',
      `gpt2Recipe: layers must be a positive integer, but found ${show(layers)}.`,
    )
  }
  return [
    { match: '*c_proj.weight', initializer: new NormalInitializer({ std: std / Math.sqrt(2 * layers) }) },
    { match: { role: 'weight' }, initializer: new NormalInitializer({ std }) },
    { match: { role: 'embedding' }, initializer: new NormalInitializer({ std }) },
  ]
}
