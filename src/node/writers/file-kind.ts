import { open, stat } from 'node:fs/promises'

/** The kinds of files that this package writes. */
export type FileKind = 'safetensors' | 'index' | 'raw' | 'raw index' | 'npy' | 'npy index' | 'report'

/** The number of bytes from the file's beginning that are examined. */
const HEAD_BYTES = 4096

interface Kind {
  /** The kind in words, which complete 'it exists and is not ...'. */
  readonly what: string
  /** @param head the file's first bytes, as Latin-1 text */
  matches(head: string, path: string): boolean | Promise<boolean>
}

/** Recognises a JSON object that contains this text near its beginning. */
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
    // A file begins with the header's length in eight bytes, which is less than 2^32, and the header.
    matches: (head) => head.length >= 10 && head.slice(4, 8) === '\0\0\0\0' && head[8] === '{',
  },
  index: { what: "a sharded checkpoint's index", matches: json(/"weight_map"/) },
  raw: {
    what: 'a raw file that an earlier run wrote (its index beside it says so)',
    // A raw file has no mark of its own, so the index beside the file is examined.
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

/** Whether an existing file is of a kind that this package writes, judged by its beginning. */
export async function isOfKind(path: string, kind: FileKind): Promise<boolean> {
  return kinds[kind].matches(await headOf(path), path)
}
