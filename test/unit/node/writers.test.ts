// Checkpoint files in every format, read by other people's readers; shards, overwriting, refusals and aborts.
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FloatDType, floatDTypes } from '../../../src/core/dtype.js'
import {
  type InitializedModel,
  initializeModel,
  type Model,
  type ParameterSpec,
  rematerialize,
} from '../../../src/index.js'
import { type WriteWeightsOptions, writeWeights } from '../../../src/node.js'
import { npyHeader } from '../../../src/readers/npy.js'
import { readHuggingFaceCheckpoint, readNpy } from '../../support/package/independent-readers.js'
import { parseSafetensors } from '../../support/package/safetensors.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'webgpu-init-writers-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))
const at = (name: string): string => join(folder, name)

/** Odd lengths, a scalar, integers, a tie, names that no file system likes. */
const model: Model = {
  parameters: [
    { name: 'wte.weight', shape: [11, 8], role: 'embedding' },
    { name: 'h.0.attn/q:weight', shape: [7, 3] },
    { name: '__proto__', shape: [5], role: 'bias' },
    { name: 'scale', shape: [], role: 'norm-scale' },
    { name: 'steps', shape: [3], dtype: 'int64', role: 'buffer' },
    { name: 'mask', shape: [2, 3], dtype: 'bool', role: 'buffer' },
    { name: 'lm_head.weight', shape: [11, 8], tiedTo: 'wte.weight' },
  ] satisfies ParameterSpec[],
}
const rules = [
  { match: { role: 'buffer' }, initializer: 'constant', config: { value: 1 } },
  { match: '__proto__', initializer: 'constant', config: { value: -0.75 } },
  { match: '*', initializer: 'normal', config: { std: 0.5 } },
] as const
const make = (dtype: FloatDType = 'float32'): Promise<InitializedModel> =>
  initializeModel(model, rules, { device: 'cpu', seed: 42, dtype })
const stored = model.parameters.filter(({ tiedTo }) => tiedTo === undefined).map(({ name }) => name)

const write = (path: string, weights: InitializedModel, options?: WriteWeightsOptions): Promise<readonly string[]> =>
  writeWeights(at(path), weights, options)

describe('safetensors', () => {
  for (const [dtype, code] of [
    ['float32', 'F32'],
    ['float16', 'F16'],
    ['bfloat16', 'BF16'],
    ['float8_e4m3fn', 'F8_E4M3'],
    ['float8_e5m2', 'F8_E5M2'],
  ] as const) {
    it(`${dtype}: Hugging Face's reader finds every tensor with its bytes`, async () => {
      const weights = await make(dtype)
      expect(await write('model.safetensors', weights)).toEqual([at('model.safetensors')])
      const { sharded, tensors, total } = await readHuggingFaceCheckpoint(folder)
      expect(sharded).toBe(false)
      expect([...tensors.keys()]).toEqual(stored)
      // It counts no booleans.
      expect(total).toBe(88 + 21 + 5 + 1 + 3)
      for (const [name, tensor] of tensors) {
        expect(tensor.shape).toEqual(weights.get(name).shape)
        expect(tensor.dtype).toBe(
          new Map([
            ['steps', 'I64'],
            ['mask', 'BOOL'],
          ]).get(name) ?? code,
        )
        expect(Buffer.compare(tensor.bytes, await weights.readBytes(name)), name).toBe(0)
      }
      expect(await readdir(folder)).toEqual(['model.safetensors'])
    })
  }

  it("lays bytes out by the format's rules: length, JSON from {, padding of spaces, no holes, to the last byte", async () => {
    const weights = await make('bfloat16')
    await write('model.safetensors', weights)
    const bytes = await readFile(at('model.safetensors'))
    const length = Number(bytes.readBigUInt64LE(0))
    expect(length % 8).toBe(0)
    expect(bytes[8]).toBe(0x7b)
    const text = bytes.subarray(8, 8 + length).toString('utf8')
    expect(text).toMatch(/\} *$/)
    // The strict parser refuses holes, overlaps and surplus bytes.
    const { names, tensors, metadata } = parseSafetensors(bytes)
    expect(names).toEqual(stored)
    for (const [name, { bytes }] of tensors) expect(Buffer.compare(bytes, await weights.readBytes(name)), name).toBe(0)
    expect(metadata.format).toBe('pt')
    const again = await rematerialize(metadata['webgpu-init']!, 'cpu')
    for (const name of stored)
      expect(Buffer.compare(await again.readBytes(name), await weights.readBytes(name))).toBe(0)
  })

  it('sharded: files under the limit, an index, a manifest of its own in every file', async () => {
    const weights = await make()
    const paths = await write('model.safetensors', weights, { maxShardBytes: 120 })
    const files = (await readdir(folder)).sort()
    expect(paths.map((path) => path.slice(folder.length + 1)).sort()).toEqual(files)
    // 352 bytes (alone, over the limit); 84 + 20 + 4; 24 + 6.
    expect(files).toEqual([
      'model-00001-of-00003.safetensors',
      'model-00002-of-00003.safetensors',
      'model-00003-of-00003.safetensors',
      'model.safetensors.index.json',
    ])
    const { sharded, tensors } = await readHuggingFaceCheckpoint(folder)
    expect(sharded).toBe(true)
    expect(new Set(tensors.keys())).toEqual(new Set(stored))
    for (const [name, { bytes }] of tensors) {
      expect(Buffer.compare(bytes, await weights.readBytes(name)), name).toBe(0)
    }
    const index = JSON.parse(await readFile(at('model.safetensors.index.json'), 'utf8'))
    expect(index.metadata).toEqual({ total_size: 352 + 84 + 20 + 4 + 24 + 6 })
    expect(Object.keys(index.weight_map)).toEqual(stored)
    for (const file of files.slice(0, 3)) {
      const { names, metadata, tensors } = parseSafetensors(await readFile(at(file)))
      const part = await rematerialize(metadata['webgpu-init']!, 'cpu')
      expect([...part.parameters.keys()].filter((name) => name !== 'lm_head.weight')).toEqual(names)
      for (const name of names) {
        expect(Buffer.compare(await part.readBytes(name), tensors.get(name)!.bytes), name).toBe(0)
        expect(index.weight_map[name]).toBe(file)
      }
    }
  })

  it('is one file without an index where everything fits, as Hugging Face has it', async () => {
    await write('model.safetensors', await make(), { maxShardBytes: 1e6 })
    expect(await readdir(folder)).toEqual(['model.safetensors'])
  })

  it('takes more metadata, but not another manifest', async () => {
    await write('model.safetensors', await make(), { metadata: { license: 'MIT', 'webgpu-init': 'forged' } })
    const { metadata } = parseSafetensors(await readFile(at('model.safetensors')))
    expect(metadata.license).toBe('MIT')
    expect(metadata['webgpu-init']).toContain('webgpu-init-manifest')
  })
})

describe('npy', () => {
  it('headers are those of numpy.lib.format, byte for byte', () => {
    // What numpy.save writes for np.zeros((3,), '<f4') and for a scalar.
    const vector = Buffer.from(npyHeader('float32', [3]))
    expect(vector.toString('latin1')).toBe(
      `\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }${' '.repeat(60)}\n`,
    )
    expect(vector.length).toBe(128)
    expect(Buffer.from(npyHeader('bool', [])).toString('latin1')).toMatch(
      /\{'descr': '\|b1', 'fortran_order': False, 'shape': \(\), \} +\n$/,
    )
    expect(Buffer.from(npyHeader('float16', [2, 3])).toString('latin1')).toContain(
      "'<f2', 'fortran_order': False, 'shape': (2, 3), }",
    )
    for (let rank = 0; rank < 40; rank++) {
      const header = npyHeader(
        'int64',
        Array.from({ length: rank }, () => 123456),
      )
      expect(header.length % 64).toBe(0)
      expect(header.at(-1)).toBe(0x0a)
      expect(new DataView(header.buffer).getUint16(8, true)).toBe(header.length - 10)
    }
    expect(() =>
      npyHeader(
        'float32',
        Array.from({ length: 70_000 }, () => 1),
      ),
    ).toThrow('more axes')
  })

  for (const dtype of ['float32', 'float16'] as const) {
    it(`${dtype}: npyjs reads every value`, async () => {
      const weights = await make(dtype)
      expect(await write('out', weights, { format: 'npy' })).toEqual([at('out')])
      const index = JSON.parse(await readFile(at('out/index.json'), 'utf8'))
      expect(index).toMatchObject({ format: 'webgpu-init-npy', version: 1 })
      expect(index.metadata['webgpu-init']).toContain('webgpu-init-manifest')
      expect(index.tensors.map(({ name }: { name: string }) => name)).toEqual(stored)
      expect((await readdir(at('out'))).sort()).toEqual(
        ['index.json', ...index.tensors.map(({ file }: { file: string }) => file)].sort(),
      )
      for (const { name, file, shape } of index.tensors) {
        const read = await readNpy(at(`out/${file}`))
        expect(read.shape, name).toEqual(shape)
        expect(read.fortranOrder).toBe(false)
        expect(Array.from(read.data, Number), name).toEqual([...(await weights.read(name))])
      }
    })
  }

  it('names files after parameters, with what no file name may have as %XX', async () => {
    await write('out', await make(), { format: 'npy' })
    expect(await readdir(at('out'))).toContain('h.0.attn%2Fq%3Aweight.npy')
  })

  it.each(['bfloat16', 'float8_e4m3fn', 'float8_e5m2'] as const)(
    'refuses %s, with the remedy, and leaves nothing',
    async (dtype) => {
      await expect(write('out', await make(dtype), { format: 'npy' })).rejects.toThrow(
        `Parameter "wte.weight": .npy has no type for ${dtype}. Use float32 or float16`,
      )
      expect(await readdir(folder)).toEqual([])
    },
  )

  it('refuses names that some file systems take for one', async () => {
    const references = { parameters: ['a.w', 'A.W'].map((name) => ({ name, shape: [2], role: 'weight' as const })) }
    const weights = await initializeModel(references, 'zeros', {}, { device: 'cpu', seed: 1 })
    await expect(write('out', weights, { format: 'npy' })).rejects.toThrow(/"a\.w" and "A\.W" would share the file/)
  })

  it('replaces a folder of an earlier run, and no other', async () => {
    const weights = await make()
    await write('out', weights, { format: 'npy' })
    const other = await initializeModel(
      { parameters: [{ name: 'w', shape: [2], role: 'weight' as const }] },
      'zeros',
      {},
      { device: 'cpu', seed: 1 },
    )
    await write('out', other, { format: 'npy' })
    expect((await readdir(at('out'))).sort()).toEqual(['index.json', 'w.npy'])
    await writeFile(at('out/notes.txt'), 'precious')
    await expect(write('out', weights, { format: 'npy' })).rejects.toThrow(
      /holds "notes.txt", which is not a file of an earlier run/,
    )
    await mkdir(at('mine'))
    await write('mine', other, { format: 'npy' })
    await writeFile(at('plain'), 'a file')
    await expect(write('plain', other, { format: 'npy' })).rejects.toThrow('it exists and is not a folder')
    await expect(write('no/where', other, { format: 'npy' })).rejects.toThrow(/Cannot write the folder .*ENOENT/)
    expect((await readdir(folder)).sort()).toEqual(['mine', 'out', 'plain'])
    expect(await readFile(at('out/notes.txt'), 'utf8')).toBe('precious')
  })
})

describe('raw', () => {
  it.each(floatDTypes)('%s: holds every tensor at a multiple of 256 bytes, as its index says', async (dtype) => {
    const weights = await make(dtype)
    expect(await write('w.bin', weights, { format: 'raw' })).toEqual([at('w.bin'), at('w.bin.json')])
    const bytes = await readFile(at('w.bin'))
    const index = JSON.parse(await readFile(at('w.bin.json'), 'utf8'))
    expect(index).toMatchObject({
      format: 'webgpu-init-raw',
      version: 1,
      byteOrder: 'little',
      byteLength: bytes.length,
    })
    expect(bytes.length % 4).toBe(0)
    expect(index.tensors.map(({ name }: { name: string }) => name)).toEqual(stored)
    let end = 0
    for (const { name, dtype: listed, shape, byteOffset, byteLength } of index.tensors) {
      expect(byteOffset).toBe(Math.ceil(end / 256) * 256)
      expect([listed, shape]).toEqual([weights.get(name).dtype, weights.get(name).shape])
      const part = bytes.subarray(byteOffset, byteOffset + byteLength)
      expect(Buffer.compare(part, await weights.readBytes(name)), name).toBe(0)
      end = byteOffset + byteLength
    }
    expect(bytes.length).toBe(Math.ceil(end / 4) * 4)
    const again = await rematerialize(index.metadata['webgpu-init'], 'cpu')
    expect(Buffer.compare(await again.readBytes('wte.weight'), await weights.readBytes('wte.weight'))).toBe(0)
  })
})

describe('every writer', () => {
  const formats: [WriteWeightsOptions, string][] = [
    [{ format: 'safetensors' }, 'model.safetensors'],
    [{ format: 'safetensors', maxShardBytes: 100 }, 'model.safetensors'],
    [{ format: 'npy' }, 'out'],
    [{ format: 'raw' }, 'w.bin'],
  ]
  for (const [options, path] of formats) {
    const label = JSON.stringify(options)

    it(`${label}: a failure half-way leaves nothing`, async () => {
      const weights = await make()
      const read = weights.readBytes.bind(weights)
      let calls = 0
      weights.readBytes = async (...args) => {
        if (++calls === 4) throw new Error('the device is gone')
        return read(...args)
      }
      await expect(write(path, weights, options)).rejects.toThrow('the device is gone')
      expect(calls).toBeGreaterThanOrEqual(4)
      expect(await readdir(folder)).toEqual([])
    })

    it(`${label}: an abort half-way leaves nothing, and an earlier output stays`, async () => {
      const weights = await make()
      await write(path, weights, options)
      const before = (await readdir(folder)).sort()
      const abort = new AbortController()
      let seen = 0
      const aborted = write(path, weights, {
        ...options,
        signal: abort.signal,
        onProgress: ({ bytesDone, bytesTotal }) => {
          expect(bytesTotal).toBe(490)
          seen = bytesDone
          if (bytesDone >= 100) abort.abort()
        },
      })
      await expect(aborted).rejects.toThrow(/abort/i)
      expect(seen).toBeLessThan(490)
      expect((await readdir(folder)).sort()).toEqual(before)
    })

    it(`${label}: writes over an earlier output, and nothing else is left`, async () => {
      await write(path, await make(), options)
      const before = (await readdir(folder)).sort()
      let last = 0
      await write(path, await make(), {
        ...options,
        onProgress: ({ bytesDone }) => {
          last = bytesDone
        },
      })
      expect(last).toBe(490)
      expect((await readdir(folder)).sort()).toEqual(before)
    })
  }

  it('refuses what has no meaning, before anything is opened', async () => {
    const weights = await make()
    const refused: [string, object, RegExp][] = [
      ['x', { format: 'gguf' }, /format must be one of safetensors, npy, raw, but found "gguf"/],
      ['x', { maxShardBytes: 0 }, /maxShardBytes must be an integer >= 1/],
      ['x', { maxShardBytes: 9, format: 'raw' }, /for the format safetensors, not raw/],
      ['x', { maxShardBytes: 9, fileShard: { index: 1, count: 2 } }, /exclude each other/],
      ['x', { fileShard: { index: 3, count: 2 } }, /1 <= index <= count/],
      ['x', { fileShard: { index: 1, count: 99 } }, /99 shards are more than the model's 6/],
    ]
    for (const [path, options, message] of refused) {
      await expect(write(path, weights, options as WriteWeightsOptions)).rejects.toThrow(message)
    }
    await expect(writeWeights('', weights)).rejects.toThrow(/path must be/)
    expect(await readdir(folder)).toEqual([])
  })

  it('refuses outputs that are no plain file', async () => {
    const weights = await make()
    await mkdir(at('dir'))
    await symlink('nothing', at('link'))
    await expect(write('dir', weights)).rejects.toThrow(/"[^"]*dir": it exists and is not a regular file/)
    await expect(write('link', weights)).rejects.toThrow('a symbolic link to nothing')
    await expect(write('no/where.safetensors', weights)).rejects.toThrow(/Cannot write .*ENOENT/)
    // One file of a sharded set that cannot be written: none is.
    await mkdir(at('m-00002-of-00003.safetensors'))
    await expect(write('m.safetensors', weights, { maxShardBytes: 120 })).rejects.toThrow('not a regular file')
    expect((await readdir(folder)).sort()).toEqual(['dir', 'link', 'm-00002-of-00003.safetensors'])
  })
})
