import { refuse, show } from '../core/errors.js'
import { type CheckpointModel, type ListedTensor, modelOfTensors } from './checkpoint.js'
import { parseStrictJson } from './json/strict.js'
import type { SafetensorsHeader } from './safetensors-header.js'

/**
 * The model that a .safetensors file holds, from its header alone: fresh weights of the same names, shapes and dtypes.
 * Roles (weight, bias, norm, embedding) come from the names. Floats of fewer than 8 bits, float8 formats but e4m3fn and e5m2, float64 and complex tensors are omitted.
 *
 * @example
 * const start = new Uint8Array(await file.slice(0, 8).arrayBuffer())
 * const bytes = new Uint8Array(await file.slice(0, safetensorsHeaderLength(start, file.size)).arrayBuffer())
 * const { model } = readSafetensorsModel(parseSafetensorsHeader(bytes, file.size))
 * @throws WeightInitError `INVALID_FILE` where nothing in it can be a parameter
 */
export function readSafetensorsModel({ tensors }: SafetensorsHeader): CheckpointModel {
  return modelOfTensors(tensors, 'The .safetensors file')
}

/** A sharded checkpoint's model.safetensors.index.json. */
export interface SafetensorsIndex {
  /** Names of the files, in the order in which the index first names them; all beside the index. */
  readonly files: readonly string[]
  /** File of every tensor, in the index's order. */
  readonly weightMap: ReadonlyMap<string, string>
}

const fail = /* @__PURE__ */ refuse('INVALID_FILE', 'Not a valid model.safetensors.index.json: ')

/**
 * Reads and checks a sharded checkpoint's index: `weight_map` from tensor to file name. A file name is a name, never a path.
 * @throws WeightInitError `INVALID_FILE` naming the tensor and the value
 */
export function readSafetensorsIndex(text: string): SafetensorsIndex {
  const json = parseStrictJson(text, 'The index', 16)
  const map = json instanceof Map ? json.get('weight_map') : undefined
  if (!(map instanceof Map)) return fail('it has no object weight_map.')
  if (map.size === 0) return fail('weight_map is empty.')
  const weightMap = new Map<string, string>()
  for (const [tensor, file] of map) {
    if (typeof file !== 'string' || !/^[^/\\:\0]+\.safetensors$/.test(file) || file.startsWith('.')) {
      return fail(`${show(tensor)} is in ${show(file)}, which is no name of a .safetensors file beside the index.`)
    }
    weightMap.set(tensor, file)
  }
  return { files: [...new Set(weightMap.values())], weightMap }
}

/**
 * The model of a sharded checkpoint, from its index and the headers of all its files; tensors in the index's order.
 * @throws WeightInitError `INVALID_FILE` for a header that is missing, or tensors that are not where the index says
 */
export function readShardedSafetensorsModel(
  { files, weightMap }: SafetensorsIndex,
  headers: ReadonlyMap<string, SafetensorsHeader>,
): CheckpointModel {
  const found = new Map<string, ListedTensor>()
  for (const file of files) {
    const header = headers.get(file) ?? fail(`the header of ${show(file)}, which it names, is missing.`)
    for (const tensor of header.tensors) {
      if (weightMap.get(tensor.name) !== file) {
        fail(
          `${show(file)} holds ${show(tensor.name)}, which the index has ${show(weightMap.get(tensor.name) ?? 'nowhere')}.`,
        )
      }
      found.set(tensor.name, tensor)
    }
  }
  const tensors = [...weightMap].map(
    ([name, file]) => found.get(name) ?? fail(`${show(name)} is not in ${show(file)}, where the index has it.`),
  )
  return modelOfTensors(tensors, 'The checkpoint')
}
