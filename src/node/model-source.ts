import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { show, WeightInitError } from '../errors.js'
import { defineModel } from '../model/define.js'
import { readHuggingFaceConfig } from '../model/huggingface.js'
import type { Model, ParameterSpec } from '../model/types.js'
import type { InitializerRule } from '../plan.js'
import { CheckpointReader, type CheckpointTensor, readText, SafetensorsReader } from './checkpoint-reader.js'

export type ModelSourceKind = 'huggingface' | 'safetensors' | 'safetensors-index' | 'model'

/** A model as a file describes it. */
export interface ModelSource {
  readonly kind: ModelSourceKind
  /** A short name: the architecture, else the file's. */
  readonly label: string
  readonly model: Model
  /** How its authors initialise it, where that is known. */
  readonly recipe?: readonly InitializerRule[]
  /** Parameters that share another's memory and are not listed in the model, by name. */
  readonly tied: Readonly<Record<string, string>>
}

/**
 * Reads the parameters of a model from a file, whatever it is; the content decides, not the name. Of weights only the
 * header is read.
 * - a Hugging Face config.json (with the authors' recipe)
 * - a .safetensors file, or a model.safetensors.index.json with its files: names, shapes and dtypes
 * - this package's own JSON: `{ "parameters": [{ "name": "w", "shape": [10, 20] }] }`
 *
 * @throws WeightInitError `IO`, `INVALID_FILE`, `INVALID_MODEL`
 */
export async function readModelSource(path: string): Promise<ModelSource> {
  const label = basename(path)
  if (await looksLikeSafetensors(path)) {
    const reader = await SafetensorsReader.open(path)
    try {
      return { kind: 'safetensors', label, model: modelOf(reader.header.tensors), tied: {} }
    } finally {
      await reader.close()
    }
  }
  const json = parseJson(await readText(path), path)
  if (isObject(json) && 'weight_map' in json) {
    const reader = await CheckpointReader.open(path)
    try {
      return { kind: 'safetensors-index', label, model: modelOf([...reader.tensors.values()]), tied: {} }
    } finally {
      await reader.close()
    }
  }
  if (isObject(json) && 'parameters' in json && !('model_type' in json)) {
    return { kind: 'model', label, model: defineModel(json as unknown as Model), tied: {} }
  }
  const { architecture, model, recipe, tied } = readHuggingFaceConfig(json)
  return { kind: 'huggingface', label: architecture, model, recipe, tied }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function modelOf(tensors: readonly Pick<CheckpointTensor, 'name' | 'shape' | 'dtype'>[]): Model {
  return defineModel({
    parameters: tensors.map(
      ({ name, shape, dtype }): ParameterSpec => ({ name, shape, ...(dtype === undefined ? {} : { dtype }) }),
    ),
  })
}

/** A .safetensors file begins with the length of its JSON, and the JSON. No text has such a beginning. */
async function looksLikeSafetensors(path: string): Promise<boolean> {
  if (path.endsWith('.safetensors')) return true
  const handle = await open(path, 'r').catch((cause: Error) => {
    throw new WeightInitError('IO', `Cannot read ${show(path)}: ${cause.message}.`, { cause })
  })
  try {
    const { bytesRead, buffer } = await handle.read(new Uint8Array(9), 0, 9, 0)
    return bytesRead === 9 && buffer[6] === 0 && buffer[7] === 0 && buffer[8] === 0x7b
  } catch (cause) {
    throw new WeightInitError('IO', `Cannot read ${show(path)}: ${(cause as Error).message}.`, { cause })
  } finally {
    await handle.close()
  }
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (cause) {
    throw new WeightInitError('INVALID_FILE', `${show(path)} is not valid JSON: ${(cause as Error).message}.`, {
      cause,
    })
  }
}
