import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { showPath, WeightInitError } from '../core/errors.js'

/** Whether there is a regular file, or a link to one, that can be seen. */
export function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isFile(),
    () => false,
  )
}

/** A path that a run reads or writes, and its role in a message: 'the weights', '--report'. */
export interface NamedPath {
  readonly path: string
  readonly what: string
}

/** The real path of a file, with all links resolved. For a file that does not exist, it is the path that would be created. */
async function located(path: string): Promise<{ readonly path: string; readonly inode?: string }> {
  try {
    const real = await realpath(path)
    const { dev, ino } = await stat(real, { bigint: true })
    // On Windows both numbers may be 0.
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
 * Checks, before any work, that no output of a run is an input or another output, or a folder that contains one. Links, hard
 * links and different spellings of a path count as the same file.
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
