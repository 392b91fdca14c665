import { WeightInitError } from '../../core/errors.js'

/** Shader text made of several modules, with the way back from a line of it to the file that the line came from. */
export interface LinkedShader {
  readonly code: string
  /** `locate(line)`: module path and line (both counted from 1) of a line of `code`. */
  locate(line: number): { module: string; line: number }
}

const directive = /^\/\/#import "(\$?)([^"]+)"\s*$/

/**
 * Joins a shader module and everything it imports into one text, each module once, imports first.
 *
 * A module names another with a comment line `//#import "random/philox"`, so that every file still parses as WGSL
 * in other tools. `//#import "$sampler"` is a slot: the caller says which module fills it.
 *
 * @param entry path of the entry module
 * @param modules text by path
 * @param slots module path by slot name
 * @throws WeightInitError `SHADER` for a missing module, an unfilled slot or an import cycle; names the importer
 */
export function linkShader(
  entry: string,
  modules: Readonly<Record<string, string>>,
  slots: Readonly<Record<string, string>> = {},
): LinkedShader {
  const lines: string[] = []
  const origins: { module: string; line: number }[] = []
  const done = new Set<string>()
  const open: string[] = []

  const fail = (message: string): never => {
    throw new WeightInitError('SHADER', `Shader "${entry}" cannot be linked: ${message}`)
  }

  const visit = (path: string, importer: string | undefined): void => {
    if (done.has(path)) return
    if (open.includes(path)) fail(`import cycle ${[...open.slice(open.indexOf(path)), path].join(' -> ')}.`)
    const text = Object.hasOwn(modules, path) ? modules[path] : undefined
    if (text === undefined) {
      fail(`there is no module "${path}"${importer === undefined ? '' : `, imported by "${importer}"`}.`)
      return
    }
    open.push(path)
    text.split('\n').forEach((content, index) => {
      const match = directive.exec(content)
      if (match) {
        const [, isSlot, name = ''] = match
        const target = isSlot ? slots[name] : name
        if (target === undefined) fail(`nothing fills the slot "$${name}" of "${path}".`)
        else visit(target, path)
        return
      }
      lines.push(content)
      origins.push({ module: path, line: index + 1 })
    })
    open.pop()
    done.add(path)
  }
  visit(entry, undefined)
  return {
    code: lines.join('\n'),
    locate: (line) => origins[line - 1] ?? { module: entry, line },
  }
}
