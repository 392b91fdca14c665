import { open, stat } from 'node:fs/promises'

/** What this package writes. */
export type FileKind = 'safetensors' | 'index' | 'raw' | 'raw index' | 'npy' | 'npy index' | 'report'

/** How much of a file is looked at. */
const HEAD_BYTES = 4096

interface Kind {
  /** As in 'it exists and is not ...'. */
  readonly what: string
  /** @param head the file's first bytes, as Latin-1 text */
  matches(head: string, path: string): boolean | Promise<boolean>
}

/** A JSON object with this text near its beginning. */
const json =
  (pattern: RegExp) =>
  (head: string): boolean =>
    /^\s*\{/.test(head) && pattern.test(head)

async function headOf(path: string): Promise<string> {
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
    return buffer.toString('latin1', 0, bytesRead)
  } finally {
    await file.close()
  }
}

export const kinds: Readonly<Record<FileKind, Kind>> = {
  safetensors: {
    what: 'a .safetensors file',
    // Eight bytes of length, then the header: of less than 2^32 bytes.
    matches: (head) => head.length >= 10 && head.slice(4, 8) === '\0\0\0\0' && head[8] === '{',
  },
  index: { what: "a sharded checkpoint's index", matches: json(/"weight_map"/) },
  raw: {
    what: 'a raw file that an earlier run wrote (its index beside it says so)',
    // Bare elements look like nothing: the index beside the file knows.
    async matches(_, path) {
      const head = await headOf(`${path}.json`).catch(() => '')
      const [, byteLength] = /"byteLength":\s*(\d+)/.exec(head) ?? []
      return json(/"webgpu-init-raw"/)(head) && (await stat(path)).size === Number(byteLength)
    },
  },
  'raw index': { what: 'the index of a raw file', matches: json(/"webgpu-init-raw"/) },
  npy: { what: 'a .npy file', matches: (head) => head.startsWith('\x93NUMPY') },
  'npy index': { what: 'the index of a folder of .npy files', matches: json(/"webgpu-init-npy"/) },
  report: {
    what: 'a report of webgpu-init',
    matches: (head) => /^<!doctype html>/i.test(head) && head.includes('webgpu-init'),
  },
}

/** Whether an existing file is of a kind that this package writes, as far as its beginning tells. */
export async function isOfKind(path: string, kind: FileKind): Promise<boolean> {
  return kinds[kind].matches(await headOf(path), path)
}
