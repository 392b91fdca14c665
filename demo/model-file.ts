import { readHuggingFaceConfig } from '../src/index.js'
import type { ModelSource } from './models.ts'

/** A config.json, or the head of a .safetensors file; large files are not read to their end. */
export async function readModelFile(file: File): Promise<ModelSource> {
  const text = await file.text()
  // Mistakes come now, at the drop, not at the run.
  readHuggingFaceConfig(JSON.parse(text))
  return { kind: 'config', fileName: file.name, text }
}
