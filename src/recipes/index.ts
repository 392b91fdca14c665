// The recipes under short names: `import { recipes }`, then recipes.llama(). Each is also exported separately, as llamaRecipe.
export { clipRecipe as clip } from './clip.js'
export { gpt2Recipe as gpt2, nanogptRecipe as nanogpt } from './gpt2.js'
export {
  flaxDefaultRecipe as flaxDefault,
  kerasDefaultRecipe as kerasDefault,
  torchDefaultRecipe as torchDefault,
} from './libraries.js'
export { loraRecipe as lora, muPRecipe as muP, sirenRecipe as siren } from './papers.js'
export { t5Recipe as t5 } from './t5.js'
export {
  bertRecipe as bert,
  distilbertRecipe as distilbert,
  gemmaRecipe as gemma,
  llamaRecipe as llama,
  robertaRecipe as roberta,
} from './transformers.js'
export { mobilenetV3Recipe as mobilenetV3, resnetRecipe as resnet } from './vision.js'
export { deitRecipe as deit, vitRecipe as vit } from './vit.js'
export { whisperRecipe as whisper } from './whisper.js'
