import { show, WeightInitError } from '../../core/errors.js'
import { defineModel } from '../../model/define.js'
import { bert } from './bert.js'
import { clip, clipText, clipVision } from './clip.js'
import { ConfigReader, type Json } from './config-reader.js'
import { distilbert } from './distilbert.js'
import { gpt2 } from './gpt2.js'
import { gemma, llama, mistral, qwen2, qwen3 } from './llama.js'
import { ParameterList } from './parameter-list.js'
import { roberta } from './roberta.js'
import { t5 } from './t5.js'
import type { Family, HuggingFaceModel } from './types.js'
import { deit, vit } from './vit.js'
import { whisper } from './whisper.js'

/** Every model_type that is read. */
const families: Readonly<Record<string, Family>> = {
  gpt2,
  llama,
  mistral,
  qwen2,
  qwen3,
  gemma,
  bert,
  roberta,
  distilbert,
  vit,
  deit,
  t5,
  whisper,
  clip,
  clip_text_model: clipText,
  clip_vision_model: clipVision,
}

export interface HuggingFaceOptions {
  /** The class to read, in place of the config's `architectures`: 'BertModel', 'BertForMaskedLM', ... */
  readonly head?: string
}

/** The `model_type`s that `readHuggingFaceConfig` knows, each with its classes. */
export function huggingFaceArchitectures(): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(Object.entries(families).map(([type, { heads }]) => [type, heads]))
}

/**
 * Model and recipe from a parsed Hugging Face config.json: the parameters of the class that `architectures` names (the
 * bare model where it names none), with the names, shapes, dtype, order and ties of transformers, and its initialisation.
 * Absent keys have the defaults of the architecture's config class. `huggingFaceArchitectures()` lists what is known.
 *
 * @throws WeightInitError `INVALID_FILE` naming the key, the value and what it should be; for an unknown architecture or
 *   class it lists the known ones
 */
export function readHuggingFaceConfig(config: unknown, options: HuggingFaceOptions = {}): HuggingFaceModel {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new WeightInitError('INVALID_FILE', `config.json must hold an object, but found ${show(config)}.`)
  }
  const reader = new ConfigReader(config as Json)
  const type = reader.value('model_type')
  if (typeof type !== 'string' || !Object.hasOwn(families, type)) {
    return reader.fail(
      `unknown model_type ${show(Object.hasOwn(config, 'model_type') ? (config as Json).model_type : undefined)}; known: ${Object.keys(families).join(', ')}. ` +
        'Describe another architecture by its parameters, defineModel({ parameters: [{ name, shape }] }) or model JSON ' +
        '(readModelJson), or read them from its .safetensors files (readSafetensorsModel) or ONNX file (readOnnxModel).',
    )
  }
  const family = families[type]!
  const head = headOf(reader, options.head, type, family)
  const list = new ParameterList(reader.dtype())
  const recipe = family.read(reader, head, list)
  return { architecture: type, head, model: defineModel({ parameters: list.specs }), recipe, tied: list.tied }
}

function headOf(reader: ConfigReader, wanted: string | undefined, type: string, { heads }: Family): string {
  const named = reader.value('architectures')
  const head = wanted ?? (Array.isArray(named) ? named[0] : undefined) ?? heads[0]
  if (heads.includes(head)) return head
  const what = wanted === undefined ? `architectures names ${show(head)}` : `head ${show(head)}`
  return reader.fail(
    `${what}; known for ${type}: ${heads.join(', ')}. The parameters of another head would be missing: use one of ` +
      "these (option head: '...'), or describe the model with defineModel({ parameters: [...] }).",
  )
}
