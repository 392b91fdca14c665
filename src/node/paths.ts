import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { showPath, WeightInitError } from '../core/errors.js'

/** A path that a run reads or writes, and what for: 'the weights', '--report'. */
export interface NamedPath {
  readonly path: string
  readonly what: string
}

/** Where a path leads, links resolved; of one that does not exist, where it would be made. */
async function located(path: string): Promise<{ readonly path: string; readonly inode?: string }> {
  try {
    const real = await realpath(path)
    const { dev, ino } = await stat(real, { bigint: true })
    // Windows may give 0 for both.
    return ino === 0n ? { path: real } : { path: real, inode: `${dev} ${ino}` }
  } catch {
    const folder = await realpath(dirname(resolve(path))).catch(() => dirname(resolve(path)))
    return { path: join(folder, basename(path)) }
  }
}

const isInside = (path: string, folder: string): boolean => {
  const way = relative(folder, path)
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && resolve(folder, way) === path
}

/**
 * Refuses a run of which one output is an input, lies around one, or is another output, before any work: links, hard links
 * and spellings of one path count as one file.
 * @throws WeightInitError `INVALID_ARGUMENT` naming both
 */
export async function refuseSharedPaths(outputs: readonly NamedPath[], inputs: readonly NamedPath[]): Promise<void> {
  const place = async (named: NamedPath) => ({ ...named, at: await located(named.path) })
  const written = await Promise.all(outputs.map(place))
  const read = await Promise.all(inputs.map(place))
  for (const [index, output] of written.entries()) {
    for (const other of [...written.slice(0, index), ...read]) {
      const same =
        output.at.path === other.at.path || (output.at.inode !== undefined && output.at.inode === other.at.inode)
      if (!same && !isInside(other.at.path, output.at.path)) continue
      throw new WeightInitError(
        'INVALID_ARGUMENT',
        `${output.what} ${showPath(output.path)} ${same ? 'is the same file as' : 'is a folder around'} ${other.what} ` +
          `${showPath(other.path)}, which this run ${read.includes(other) ? 'reads' : 'writes too'}; choose another path.`,
      )
    }
  }
}
