// Readers of the written formats that share no code with this package: Hugging Face's own for .safetensors, npyjs for .npy.
import { existsSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { parseSafetensorsMetadata } from '@huggingface/hub'
import { load } from 'npyjs'

export interface ReadTensor {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}

/** A hub that has one repository: the files of a folder. */
function hubOf(folder: string): typeof fetch {
  return async (input, init) => {
    const path = join(folder, basename(new URL(String(input)).pathname))
    if (!existsSync(path)) return new Response('absent', { status: 404, headers: { 'X-Error-Code': 'EntryNotFound' } })
    const bytes = readFileSync(path)
    const [, from, to] = /bytes=(\d+)-(\d+)/.exec(new Headers(init?.headers).get('range') ?? '') ?? []
    const end = to === undefined ? bytes.length : Math.min(bytes.length, Number(to) + 1)
    const part = bytes.subarray(Number(from ?? 0), end)
    return new Response(new Uint8Array(part), {
      status: from === undefined ? 200 : 206,
      headers: {
        etag: '"1"',
        'content-length': String(part.length),
        'content-range': `bytes ${from ?? 0}-${end - 1}/${bytes.length}`,
      },
    })
  }
}

/** Tensors of model.safetensors, or of all files of model.safetensors.index.json, in a folder: headers by @huggingface/hub. */
export async function readHuggingFaceCheckpoint(
  folder: string,
): Promise<{ readonly sharded: boolean; readonly tensors: ReadonlyMap<string, ReadTensor>; readonly total: number }> {
  const parsed = await parseSafetensorsMetadata({
    repo: 'test/local',
    hubUrl: 'https://hub.invalid',
    fetch: hubOf(folder),
    computeParametersCount: true,
  })
  const headers = parsed.sharded ? parsed.headers : { 'model.safetensors': parsed.header }
  const tensors = new Map<string, ReadTensor>()
  for (const [file, header] of Object.entries(headers)) {
    const bytes = await readFile(join(folder, file))
    const start = 8 + Number(bytes.readBigUInt64LE(0))
    for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
      if (name === '__metadata__') continue
      const [from, to] = data_offsets as [number, number]
      tensors.set(name, { dtype, shape: shape as number[], bytes: bytes.subarray(start + from, start + to) })
    }
  }
  return { sharded: parsed.sharded, tensors, total: Object.values(parsed.parameterCount).reduce((a, b) => a + b, 0) }
}

/** A .npy file by npyjs; float16 comes as float32. */
export async function readNpy(path: string): Promise<{
  readonly data: ArrayLike<number | bigint | boolean>
  readonly dtype: string
  readonly shape: readonly number[]
  readonly fortranOrder: boolean
}> {
  const bytes = await readFile(path)
  const array = await load(new Uint8Array(bytes).buffer)
  // Every array type of JavaScript but DataView, which npyjs does not return.
  return { ...array, data: array.data as unknown as ArrayLike<number | bigint | boolean> }
}
