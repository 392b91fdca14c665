const zip =
  'a zip archive, as PyTorch’s .pt and .pth, NumPy’s .npz and Keras’s .keras are; save the weights as .safetensors'
const pickle = 'a Python pickle, as old .bin and .pt files of PyTorch are; save the weights as .safetensors'
const page = 'a web page: the download gave an error or a login page in place of the file'

/** How files of other kinds begin (letters in either case), and what to do with them. */
const kinds: readonly (readonly [beginning: string, what: string])[] = [
  ['pk\x03\x04', zip],
  ['gguf', 'a GGUF file of llama.cpp; use the .safetensors files that it was made from'],
  ['\x93numpy', 'one NumPy array (.npy); give the folder that holds it, with its index.json'],
  ['\x89hdf\r\n\x1a\n', 'an HDF5 file, as Keras’s .h5; save the weights as .safetensors'],
  ['\x80\x02', pickle],
  ['\x80\x03', pickle],
  ['\x80\x04', pickle],
  ['\x80\x05', pickle],
  [
    'version https://git-lfs.github.com',
    'a Git LFS pointer: the file itself was not downloaded. Run git lfs pull in its repository',
  ],
  ['<!doctype html', page],
  ['<html', page],
  ['<?xml', page],
  ['\x1f\x8b', 'a gzip archive; unpack it'],
]

/** What a file of another kind is, by its first bytes: for messages. undefined where they say nothing. */
export function foreignFile(start: Uint8Array): string | undefined {
  // Latin-1, so that every byte is one character.
  const head = String.fromCharCode(...start.subarray(0, 64)).toLowerCase()
  if (head.slice(4, 8) === 'tfl3') return 'a TensorFlow Lite model; convert the model it was made from to ONNX'
  const text = head.trimStart()
  return kinds.find(([beginning]) => head.startsWith(beginning) || text.startsWith(beginning))?.[1]
}

/** What JSON of another kind is, by its keys. */
export function foreignJson(json: unknown): string | undefined {
  const list = Array.isArray(json) ? json : [json]
  const has = (...keys: readonly string[]): boolean =>
    list.some((item) => typeof item === 'object' && item !== null && keys.every((key) => Object.hasOwn(item, key)))
  if (has('weightsManifest') || (has('weights', 'paths') && Array.isArray(json))) {
    return 'a manifest of TensorFlow.js; load the model there and use webgpu-init/interop/tfjs'
  }
  if (has('class_name', 'config') || has('modelTopology')) {
    return 'a Keras model’s architecture, which lists layers and no shapes; load it in TensorFlow.js and use webgpu-init/interop/tfjs'
  }
  if (has('tokenizer') || has('model_max_length') || has('added_tokens')) return 'a tokenizer’s file; give config.json'
  return undefined
}
