import { createHash, randomBytes } from 'node:crypto'
import { readlinkSync } from 'node:fs'
import { lstat, readdir, rm, rmdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'

let known: string | undefined

/** The machine and the process namespace, in eight digits: only there a process number says anything. */
function place(): string {
  if (known === undefined) {
    let namespace = ''
    try {
      namespace = readlinkSync('/proc/self/ns/pid')
    } catch {
      // Not on Linux.
    }
    known = createHash('sha256').update(`${hostname()} ${namespace}`).digest('hex').slice(0, 8)
  }
  return known
}

/** A name beside `target` that no other run uses, for what is not complete yet. */
export const partialName = (target: string): string =>
  `${target}.${place()}-${process.pid}-${randomBytes(4).toString('hex')}.partial`

/** Whether a process of this machine runs. */
function runs(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/**
 * Removes what runs to the same target left behind that were killed: partial files whose process, of this machine, is gone.
 * What another machine or a live process writes stays, and so does a folder's content that is not of the kind written here.
 */
export async function removeStalePartials(target: string): Promise<void> {
  const [folder, name] = [dirname(target), basename(target)]
  const present = await readdir(folder).catch(() => [])
  for (const entry of present) {
    if (!entry.startsWith(`${name}.`) || !entry.endsWith('.partial')) continue
    const [, where, pid] = /^([0-9a-f]{8})-(\d{1,10})-[0-9a-f]{8}\.partial$/.exec(entry.slice(name.length + 1)) ?? []
    if (where !== place() || Number(pid) === process.pid || runs(Number(pid))) continue
    const path = join(folder, entry)
    try {
      if (!(await lstat(path)).isDirectory()) await rm(path, { force: true })
      else {
        for (const file of await readdir(path)) {
          if (/\.npy$|^index\.json$|\.partial$/.test(file)) await rm(join(path, file), { force: true })
        }
        await rmdir(path)
      }
    } catch {
      // Somebody else's by now, or not ours to remove: it stays.
    }
  }
}
