// Files as they come: every dtype of the format, aligned tensors, and files of other kinds that are named for what they are.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readModelFile } from '../../../src/node/model-file.js'
import { layoutSafetensors } from '../../../src/readers/safetensors.js'
import { parseSafetensorsHeader, safetensorsBits } from '../../../src/readers/safetensors-header.js'
import { graph, model, tensor } from '../../support/onnx.js'
import { expectRefusal } from '../../support/refusal.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'webgpu-init-files-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))
const write = async (name: string, content: string | Uint8Array): Promise<string> => {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}

describe('.safetensors', () => {
  test('every dtype of the format is read as it was laid out', () => {
    const entries = Object.keys(safetensorsBits).map((storedDType) => ({ name: storedDType, shape: [8], storedDType }))
    const { header, byteLength, offsets } = layoutSafetensors(entries)
    const { tensors } = parseSafetensorsHeader(header, byteLength)
    expect(new Set(tensors.map((found) => found.storedDType))).toEqual(new Set(Object.keys(safetensorsBits)))
    for (const found of tensors) {
      expect(found.byteOffset).toBe(offsets[entries.findIndex(({ name }) => name === found.name)])
    }
    expect(Object.keys(safetensorsBits)).toEqual(expect.arrayContaining(['F8_E4M3FNUZ', 'F8_E5M2FNUZ']))
  })

  test('every tensor begins at a multiple of its element’s size', () => {
    const { header, byteLength, offsets } = layoutSafetensors([
      { name: 'a', shape: [3], dtype: 'float16' },
      { name: 'b', shape: [5], dtype: 'uint8' },
      { name: 'c', shape: [2], dtype: 'float32' },
      { name: 'd', shape: [], dtype: 'int64' },
      { name: 'e', shape: [3], dtype: 'float32' },
    ])
    expect(offsets.map((offset, i) => offset % [2, 1, 4, 8, 4][i]!)).toEqual([0, 0, 0, 0, 0])
    expect(
      parseSafetensorsHeader(header, byteLength)
        .tensors.map(({ name }) => name)
        .join(''),
    ).toBe('dceab')
  })

  test('tensors of one dtype stay in their order', () => {
    const { offsets } = layoutSafetensors(['z', 'a', 'm'].map((name) => ({ name, shape: [2], dtype: 'float32' })))
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b))
  })

  test('metadata may be null', () => {
    const json = new TextEncoder().encode('{"__metadata__":null,"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}')
    const bytes = new Uint8Array(8 + json.length)
    new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true)
    bytes.set(json, 8)
    expect(parseSafetensorsHeader(bytes, bytes.length + 1).metadata.size).toBe(0)
  })
})

describe('files of other kinds are named for what they are', () => {
  const bytes = (...codes: number[]) => Uint8Array.from([...codes, ...Array(32).fill(0)])
  test.each<[what: string, name: string, content: string | Uint8Array, fragment: string]>([
    ['a PyTorch checkpoint', 'model.pt', bytes(0x50, 0x4b, 3, 4), 'zip archive'],
    ['one under a wrong name', 'model.safetensors', bytes(0x50, 0x4b, 3, 4), 'zip archive'],
    ['an old PyTorch checkpoint', 'pytorch_model.bin', bytes(0x80, 2), 'pickle'],
    ['GGUF', 'model.gguf', 'GGUF................', 'llama.cpp'],
    ['npy', 'w.npy', bytes(0x93, ...new TextEncoder().encode('NUMPY')), 'NumPy array'],
    ['HDF5', 'w.h5', bytes(0x89, 0x48, 0x44, 0x46, 13, 10, 26, 10), 'HDF5'],
    [
      'an LFS pointer',
      'model.safetensors',
      'version https://git-lfs.github.com/spec/v1\noid sha256:1\n',
      'git lfs pull',
    ],
    ['a web page', 'config.json', '<!DOCTYPE html><html></html>', 'web page'],
    ['a TensorFlow.js manifest', 'model.json', '{"modelTopology":{},"weightsManifest":[]}', 'TensorFlow.js'],
    ['a Keras architecture', 'keras.json', '{"class_name":"Sequential","config":{}}', 'Keras'],
  ])('%s', async (_, name, content, fragment) => {
    const path = await write(name, content)
    await expectRefusal(() => readModelFile(path), 'INVALID_FILE', fragment)
  })
})

test('a file is read by its content, whatever its name', async () => {
  const { header, byteLength } = layoutSafetensors([{ name: 'fc.weight', shape: [2, 2], dtype: 'float32' }])
  const weights = new Uint8Array(byteLength)
  weights.set(header)
  expect((await readModelFile(await write('blob-1', weights))).kind).toBe('safetensors')
  expect((await readModelFile(await write('blob-2', model(graph([tensor('w', [2, 2], 1)], []))))).kind).toBe('onnx')
  expect((await readModelFile(await write('blob-3', '[["fc.weight", [2, 2]]]'))).kind).toBe('json')
})
