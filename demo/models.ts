import gpt2Config from '../examples/gpt2/config.json'
import {
  gelu,
  hardswish,
  type InitializerArgument,
  leakyRelu,
  linear,
  type Model,
  parseSafetensorsHeader,
  readHuggingFaceConfig,
  readModelJson,
  readRecording,
  readSafetensorsModel,
  recipes,
  relu,
  reluSquared,
  resnet,
  selu,
  sequential,
  sigmoid,
  silu,
  tanh,
} from '../src/index.js'

/** The origin of a model, as data from which both the page and the worker build it. */
export type ModelSource =
  | { readonly kind: 'gpt2' }
  | ({ readonly kind: 'mlp' } & Mlp)
  | { readonly kind: 'resnet50' }
  | { readonly kind: 'config'; readonly fileName: string; readonly text: string }
  | {
      readonly kind: 'safetensors'
      readonly fileName: string
      /** The file's first bytes: the header's length and the header. */
      readonly header: Uint8Array
      readonly byteLength: number
    }

export interface Mlp {
  readonly inputs: number
  readonly width: number
  /** The number of hidden layers. */
  readonly depth: number
  readonly outputs: number
  readonly activation: Activation
}

/** By the name of the layer function, which is how a program spells them. */
export const activations = {
  ...{ relu, tanh, gelu, silu, selu, sigmoid, leakyRelu, hardswish, reluSquared },
  none: undefined,
} as const
export type Activation = keyof typeof activations

export interface BuiltModel {
  readonly title: string
  readonly model: Model
  /** The rules of the model's authors, if it has any. */
  readonly recipe?: InitializerArgument
  /** The expression that makes `model` (and `recipe`) in the user's own code, and the names that it imports. */
  readonly code: { readonly lines: readonly string[]; readonly imports: readonly string[] }
}

export function buildModel(source: ModelSource): BuiltModel {
  switch (source.kind) {
    case 'mlp':
      return {
        title: `MLP, ${source.depth} hidden layers of ${source.width}`,
        model: mlp(source),
        code: mlpCode(source),
      }
    case 'resnet50':
      return {
        title: 'ResNet-50',
        model: resnet(50),
        recipe: recipes.resnet(),
        code: {
          lines: ['const model = resnet(50)', 'const recipe = recipes.resnet()'],
          imports: ['recipes', 'resnet'],
        },
      }
    case 'gpt2':
      return fromJson('GPT-2 124M', 'config.json', gpt2Config)
    case 'config':
      return fromJson(source.fileName, source.fileName, JSON.parse(source.text))
    case 'safetensors':
      return {
        title: source.fileName,
        model: readSafetensorsModel(parseSafetensorsHeader(source.header, source.byteLength)).model,
        code: {
          lines: [
            `const file = await fetch('${source.fileName}').then((response) => response.blob())`,
            'const start = new Uint8Array(await file.slice(0, 8).arrayBuffer())',
            'const length = safetensorsHeaderLength(start, file.size)',
            'const header = new Uint8Array(await file.slice(0, 8 + length).arrayBuffer())',
            'const { model } = readSafetensorsModel(parseSafetensorsHeader(header, file.size))',
          ],
          imports: ['parseSafetensorsHeader', 'readSafetensorsModel', 'safetensorsHeaderLength'],
        },
      }
  }
}

/** Reads a Hugging Face config.json, a recording of a Python model, or this package's own model JSON. */
function fromJson(title: string, fileName: string, json: unknown): BuiltModel {
  const own = typeof json === 'object' && json !== null && 'parameters' in json
  const recorded = own && 'format' in json && json.format === 'webgpu-init-recording'
  const reader = recorded ? 'readRecording' : own ? 'readModelJson' : 'readHuggingFaceConfig'
  const { model, recipe } = recorded
    ? readRecording(json)
    : own
      ? { model: readModelJson(json).model, recipe: readModelJson(json).rules }
      : readHuggingFaceConfig(json)
  const names = recipe === undefined || (own && !recorded) ? '{ model }' : '{ model, recipe }'
  return {
    title,
    model,
    ...(recipe === undefined ? {} : { recipe }),
    code: {
      lines: [`const config = await (await fetch('${fileName}')).json()`, `const ${names} = ${reader}(config)`],
      imports: [reader],
    },
  }
}

/** inputs -> width -> ... -> outputs, with an activation after each hidden layer. */
export function mlp({ inputs, width, depth, outputs, activation }: Mlp): Model {
  const layers: Model[] = []
  const activate = activations[activation]
  for (let i = 0; i < depth; i++) {
    layers.push(linear(i === 0 ? inputs : width, width))
    if (activate !== undefined) layers.push(activate())
  }
  layers.push(linear(depth === 0 ? inputs : width, outputs))
  return sequential(...layers)
}

function mlpCode({ inputs, width, depth, outputs, activation }: Mlp): BuiltModel['code'] {
  const activate = activation === 'none' ? undefined : activation
  const hidden = (from: string): string => `linear(${from}, ${width})${activate === undefined ? '' : `, ${activate}()`}`
  const imports = ['linear', 'sequential', ...(activate === undefined || depth === 0 ? [] : [activate])]
  if (depth <= 2) {
    const layers = Array.from({ length: depth }, (_, i) => hidden(String(i === 0 ? inputs : width)))
    const last = `linear(${depth === 0 ? inputs : width}, ${outputs})`
    return { lines: [`const model = sequential(${[...layers, last].join(', ')})`], imports }
  }
  return {
    lines: [
      `const hidden = Array.from({ length: ${depth} }, (_, i) => [${hidden(`i === 0 ? ${inputs} : ${width}`)}])`,
      `const model = sequential(...hidden.flat(), linear(${width}, ${outputs}))`,
    ],
    imports,
  }
}
