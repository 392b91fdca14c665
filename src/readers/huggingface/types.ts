import type { Model } from '../../ir/parameter.js'
import type { RecipeRule } from '../../recipes/types.js'
import type { ConfigReader } from './config-reader.js'
import type { ParameterList } from './parameter-list.js'

/** A model read from a Hugging Face config.json, with the initialisation its authors use. */
export interface HuggingFaceModel {
  /** The config's model_type: 'gpt2', 'llama', ... */
  readonly architecture: string
  /** The class whose parameters these are: 'GPT2LMHeadModel', ... */
  readonly head: string
  readonly model: Model
  readonly recipe: readonly RecipeRule[]
  /** Parameters that share another's memory and are therefore not listed or stored, by name. */
  readonly tied: Readonly<Record<string, string>>
}

/** One family of architectures: which classes it knows, and how they read a config. */
export interface Family {
  /** Classes of transformers; the first, the bare model, is what a config without `architectures` means. */
  readonly heads: readonly string[]
  /** Adds the parameters of class `head` in order, and says how its authors initialise them. */
  read(config: ConfigReader, head: string, list: ParameterList): readonly RecipeRule[]
}
