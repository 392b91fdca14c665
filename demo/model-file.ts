import { parseSafetensorsHeader, safetensorsHeaderLength } from '../src/index.js'
import { buildModel, type ModelSource } from './models.ts'

/** A config.json or model JSON, or the head of a .safetensors file, whose tensors are not read. */
export async function readModelFile(file: File): Promise<ModelSource> {
  const source = file.name.endsWith('.safetensors') ? await safetensors(file) : await config(file)
  // Mistakes come now, at the drop, not at the run.
  buildModel(source)
  return source
}

/** Larger JSON is no config. */
const MAX_CONFIG_BYTES = 2 ** 24

async function config(file: File): Promise<ModelSource> {
  if (file.size > MAX_CONFIG_BYTES) throw new Error(`${file.size} bytes are too many for a config.json`)
  return { kind: 'config', fileName: file.name, text: await file.text() }
}

async function safetensors(file: File): Promise<ModelSource> {
  const read = async (end: number): Promise<Uint8Array> => new Uint8Array(await file.slice(0, end).arrayBuffer())
  const header = await read(8 + safetensorsHeaderLength(await read(8), file.size))
  parseSafetensorsHeader(header, file.size)
  return { kind: 'safetensors', fileName: file.name, header, byteLength: file.size }
}
