import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'

/** Milliseconds between two attempts to read a pipe that has no data yet. */
const PAUSE_MS = 10

/**
 * Reads a named pipe to its end. The pipe is opened without blocking, because opening it in the usual way waits for a writer
 * and cannot be interrupted.
 * @throws AbortError when `signal` aborts, even if nobody writes
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
      // Zero bytes are the end of the data, unless nobody has opened the other end yet.
      else if (bytesRead === 0 && chunks.length > 0) return Buffer.concat(chunks)
      else await pause(PAUSE_MS, undefined, signal === undefined ? {} : { signal })
    }
  } finally {
    await file.close()
  }
}
