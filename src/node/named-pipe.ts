import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'

/** Milliseconds between two looks at a pipe that has nothing yet. */
const PAUSE_MS = 10

/**
 * Reads a named pipe to its end, without blocking: opening one waits for a writer, and nothing could interrupt that.
 * @throws AbortError when `signal` aborts, also while nobody writes
 */
export async function readPipe(path: string, signal?: AbortSignal): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const chunks: Buffer[] = []
  const buffer = Buffer.alloc(2 ** 16)
  try {
    for (;;) {
      signal?.throwIfAborted()
      const bytesRead = await file.read(buffer, 0, buffer.length, null).then(
        (read) => read.bytesRead,
        (error: NodeJS.ErrnoException) => {
          if (error.code !== 'EAGAIN') throw error
          return -1
        },
      )
      if (bytesRead > 0) chunks.push(Buffer.from(buffer.subarray(0, bytesRead)))
      // Nothing: the end, if somebody has written; before that, nobody has opened the other end yet.
      else if (bytesRead === 0 && chunks.length > 0) return Buffer.concat(chunks)
      else await pause(PAUSE_MS, undefined, signal === undefined ? {} : { signal })
    }
  } finally {
    await file.close()
  }
}
