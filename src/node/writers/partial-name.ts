import { createHash, randomBytes } from 'node:crypto'
import { readlinkSync } from 'node:fs'
import { lstat, readdir, rm, rmdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'

let known: string | undefined

/** Eight digits for the machine and the process namespace. A process number has a meaning only inside these. */
function place(): string {
  if (known === undefined) {
    let namespace = ''
    try {
      namespace = readlinkSync('/proc/self/ns/pid')
    } catch {
      // Other systems than Linux have no process namespaces.
    }
    known = createHash('sha256').update(`${hostname()} ${namespace}`).digest('hex').slice(0, 8)
  }
  return known
}

/** A name beside `target` for a file that is not complete yet. No other run uses the same name. */
export const partialName = (target: string): string =>
  `${target}.${place()}-${process.pid}-${randomBytes(4).toString('hex')}.partial`

/** Whether a process with this number is running on this machine. */
function runs(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/**
 * Removes the partial files that killed runs with the same target left behind: those of processes of this machine that do
 * not run any more. Partial files of other machines and of running processes are not removed, and of a partial folder only
 * the files that this package writes.
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
      // Another process has removed it already, or this one may not remove it.
    }
  }
}
