import type { FloatDType } from '../../core/dtype.js'
import { show, WeightInitError } from '../../core/errors.js'
import { defineModel } from '../../model/define.js'
import { bert } from './bert.js'
import { clip, clipText, clipVision } from './clip.js'
import { ConfigReader, type Json, type TransformersVersion } from './config-reader.js'
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
  /**
   * Major version of transformers. Default 5. Version 4 differs in the ties of T5 1.1, the distributions of ViT, DeiT and
   * Whisper, and the order of RoBERTa's parameters: see docs/models.md.
   */
  readonly transformers?: TransformersVersion
  /** In place of the config's dtype, which may then be one that this package does not write, such as float8. */
  readonly dtype?: FloatDType
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
  const { transformers = 5, dtype } = options
  if (transformers !== 5 && transformers !== 4) {
    throw new WeightInitError(
      'INVALID_ARGUMENT',
      `option transformers must be 5 or 4, a major version, but found ${show(transformers)}.`,
    )
  }
  const reader = new ConfigReader(config as Json, transformers)
  const type = reader.value('model_type') ?? typeByClass(reader, options.head)
  if (typeof type !== 'string' || !Object.hasOwn(families, type)) {
    return reader.fail(
      `unknown model_type ${show(Object.hasOwn(config, 'model_type') ? (config as Json).model_type : undefined)}; known: ${Object.keys(families).join(', ')}. ` +
        'Describe another architecture by its parameters, defineModel({ parameters: [{ name, shape }] }) or model JSON ' +
        '(readModelJson), or read them from its .safetensors files (readSafetensorsModel) or ONNX file (readOnnxModel).',
    )
  }
  const family = families[type]!
  const head = headOf(reader, options.head, type, family)
  const list = new ParameterList(dtype ?? reader.dtype())
  const recipe = family.read(reader, head, list)
  return { architecture: type, head, model: defineModel({ parameters: list.specs }), recipe, tied: list.tied }
}

/** Old configs have no model_type: the class tells. */
function typeByClass(reader: ConfigReader, wanted: string | undefined): string | undefined {
  const named = reader.value('architectures')
  const head = wanted ?? (Array.isArray(named) ? named[0] : undefined)
  return Object.keys(families).find((type) => families[type]!.heads.includes(currentName(head)))
}

/** Classes that transformers has under an older name, too. */
const aliases: Readonly<Record<string, string>> = { T5WithLMHeadModel: 'T5ForConditionalGeneration' }

/** A class by the name it has now; anything else than a name stays what it is, for the message. */
const currentName = (head: string): string =>
  typeof head === 'string' && Object.hasOwn(aliases, head) ? aliases[head]! : head

function headOf(reader: ConfigReader, wanted: string | undefined, type: string, { heads }: Family): string {
  const named = reader.value('architectures')
  const given = wanted ?? (Array.isArray(named) ? named[0] : undefined) ?? heads[0]
  const head = currentName(given)
  if (heads.includes(head)) return head
  const what = wanted === undefined ? `architectures names ${show(head)}` : `head ${show(head)}`
  return reader.fail(
    `${what}; known for ${type}: ${heads.join(', ')}. The parameters of another head would be missing: use one of ` +
      "these (option head: '...'), or describe the model with defineModel({ parameters: [...] }).",
  )
}
