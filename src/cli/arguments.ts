import { parseArgs } from 'node:util'
import { show } from '../core/errors.js'
import { UsageError } from './usage.js'

/** An option of a command, as it is described in the help. */
export interface Flag {
  /** The name of the value in the help, such as 'N' or 'PATH'. A flag without it is on or off. */
  readonly value?: string
  /** The flag's short name, one letter. */
  readonly short?: string
  /** Whether the flag may be given several times. */
  readonly multiple?: boolean
  readonly help: string
}

/** Flags by their long name, without the dashes. */
export type Flags = Readonly<Record<string, Flag>>

type Values = Readonly<Record<string, string | boolean | readonly string[] | undefined>>

/** The arguments of a command. A value that is not valid is a UsageError that names the flag. */
export class Arguments {
  readonly positionals: readonly string[]
  readonly #values: Values

  /**
   * @param args the arguments after the command's name
   * @throws UsageError for an unknown flag, a missing value, or a flag given twice
   */
  constructor(args: readonly string[], flags: Flags) {
    const options = Object.entries(flags).map(([name, { value, short, multiple }]) => [
      name,
      {
        type: value === undefined ? 'boolean' : 'string',
        ...(short === undefined ? {} : { short }),
        ...(multiple === true ? { multiple } : {}),
      },
    ])
    let parsed: ReturnType<typeof parseArgs> & { tokens: readonly { kind: string; name?: string }[] }
    try {
      parsed = parseArgs({
        args: joinNegativeValues(args),
        allowPositionals: true,
        tokens: true,
        options: Object.fromEntries(options),
      }) as typeof parsed
    } catch (error) {
      throw new UsageError((error as Error).message)
    }
    const seen = new Set<string>()
    for (const { kind, name } of parsed.tokens) {
      if (kind !== 'option' || name === undefined || flags[name]?.multiple) continue
      if (seen.has(name)) throw new UsageError(`--${name} is given twice; give it once.`)
      seen.add(name)
    }
    this.positionals = parsed.positionals
    this.#values = parsed.values as Values
  }

  /** Whether the flag was given. */
  has(name: string): boolean {
    return this.#values[name] !== undefined
  }

  text(name: string): string | undefined {
    return this.#values[name] as string | undefined
  }

  /** All values of a flag that may be given several times. */
  list(name: string): readonly string[] {
    return (this.#values[name] as readonly string[] | undefined) ?? []
  }

  number(name: string): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const value = Number(text)
    if (text.trim() === '' || Number.isNaN(value))
      throw new UsageError(`--${name} must be a number, but found ${show(text)}.`)
    return value
  }

  /** The value of a flag that must be one of the known words. */
  choice<T extends string>(name: string, known: readonly T[]): T | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    if ((known as readonly string[]).includes(text)) return text as T
    throw new UsageError(`--${name} must be one of ${known.join(', ')}, but found ${show(text)}.`)
  }

  /** The operand of a command that takes exactly one. */
  operand(command: string, what: string): string {
    const [first, ...surplus] = this.positionals
    if (first === undefined || first === '') throw new UsageError(`${command} needs ${what}.`)
    if (surplus.length > 0) throw new UsageError(`${command} takes one operand, ${what}; remove ${show(surplus[0])}.`)
    return first
  }

  /** Refuses a command line with two of these flags. */
  exclusive(...names: readonly string[]): void {
    const [first, second] = names.filter((name) => this.has(name))
    if (second !== undefined) throw new UsageError(`--${first} and --${second} exclude each other; give one of them.`)
  }
}

/** Joins `--a -0.5` to `--a=-0.5`, because parseArgs would take a value that begins with a dash for an option. */
function joinNegativeValues(args: readonly string[]): string[] {
  const out: string[] = []
  for (const arg of args) {
    const before = out.at(-1)
    if (/^-\.?\d/.test(arg) && before?.startsWith('--') && !before.includes('='))
      out[out.length - 1] = `${before}=${arg}`
    else out.push(arg)
  }
  return out
}
