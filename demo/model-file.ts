import { parseSafetensorsHeader, safetensorsHeaderLength } from '../src/index.js'
import { buildModel, type ModelSource } from './models.ts'

/** Reads a config.json, a model JSON, or the header of a .safetensors file, whose tensors are not needed. */
export async function readModelFile(file: File): Promise<ModelSource> {
  const source = file.name.endsWith('.safetensors') ? await safetensors(file) : await config(file)
  // Errors are reported when the file is dropped, and not only when the run starts.
  buildModel(source)
  return source
}

/** A JSON file that is longer than this is not a config. */
const MAX_CONFIG_BYTES = 2 ** 24

async function config(file: File): Promise<ModelSource> {
  if (file.size > MAX_CONFIG_BYTES) throw new Error(`${file.size} bytes are too long for a config.json`)
  return { kind: 'config', fileName: file.name, text: await file.text() }
}

async function safetensors(file: File): Promise<ModelSource> {
  const read = async (end: number): Promise<Uint8Array> => new Uint8Array(await file.slice(0, end).arrayBuffer())
  const header = await read(8 + safetensorsHeaderLength(await read(8), file.size))
  parseSafetensorsHeader(header, file.size)
  return { kind: 'safetensors', fileName: file.name, header, byteLength: file.size }
}
