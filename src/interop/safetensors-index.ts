import { show, WeightInitError } from '../errors.js'
import { parseStrictJson } from './strict-json.js'

/**
 * The `weight_map` of a sharded checkpoint's model.safetensors.index.json: which file, beside the index, holds which tensor.
 * @param where what the messages call the file
 * @throws WeightInitError `INVALID_FILE` for anything else, and for file names that leave the index's folder
 */
export function parseShardIndex(text: string, where: string): Map<string, string> {
  const fail = (message: string): never => {
    throw new WeightInitError('INVALID_FILE', `${where} is no index of a sharded checkpoint: ${message}`)
  }
  const json = parseStrictJson(text, where, 8)
  const map = json instanceof Map ? json.get('weight_map') : undefined
  if (!(map instanceof Map)) return fail('it has no object weight_map { tensor: file }.')
  if (map.size === 0) fail('its weight_map is empty.')
  return new Map(
    [...map].map(([name, file]) => {
      if (typeof file !== 'string' || file === '' || file === '.' || file === '..' || /[\\/\0]/.test(file)) {
        return fail(`tensor ${show(name)} is in ${show(file)}, which is no file's name beside the index.`)
      }
      return [name, file]
    }),
  )
}
