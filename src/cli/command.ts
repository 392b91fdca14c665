import type { Arguments, Flags } from './arguments.js'

/** A command of the command line. Its help text is made from this record, and its arguments are parsed by `flags`. */
export interface Command {
  readonly name: string
  /** The text after the program's name: 'plan <model> [options]'. */
  readonly synopsis: string
  /** One line for the list of commands. */
  readonly summary: string
  /** What the command does, for its own help. */
  readonly description: string
  readonly flags: Flags
  /** Complete command lines. */
  readonly examples: readonly string[]
  /** Whether the command writes files. If so, the message for an interrupted run says that it left none. */
  readonly writes?: boolean
  /**
   * Runs the command and returns the exit code: 0 for success, 1 if the work or the verification failed. Results go to stdout,
   * progress and remarks to stderr. Throws UsageError (exit code 2) for a wrong command line, WeightInitError (1) for a
   * failure.
   */
  run(args: Arguments, signal: AbortSignal): Promise<number>
}

const LEFT = 26
const WIDTH = 120

/** Every command has this flag, and main.ts handles it. */
export const helpFlag: Flags = { help: { short: 'h', help: 'this text' } }

export function commandHelp({ synopsis, description, flags, examples }: Command): string {
  const rows = Object.entries({ ...flags, ...helpFlag }).map(([name, { short, value, help }]) => {
    const left = `  ${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`
    const lines = wrap(help, WIDTH - LEFT).join(`\n${' '.repeat(LEFT)}`)
    return left.length < LEFT - 1 ? `${left.padEnd(LEFT)}${lines}` : `${left}\n${' '.repeat(LEFT)}${lines}`
  })
  return [
    `Usage: webgpu-init ${synopsis}`,
    wrap(description, WIDTH).join('\n'),
    `Options\n${rows.join('\n')}`,
    `Examples\n${examples.map((line) => `  ${line}`).join('\n')}\n`,
  ].join('\n\n')
}

/** Breaks the text between words into lines of at most `width` characters. */
function wrap(text: string, width: number): string[] {
  const lines = ['']
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1)!
    if (line.length > 0 && line.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = line.length === 0 ? word : `${line} ${word}`
  }
  return lines
}

export function programHelp(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length)) + 2
  return `webgpu-init: initialise neural-network weights on the GPU, bit-exact on every device.

Commands
${commands.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`).join('\n')}

Usage
${commands.map(({ synopsis }) => `  webgpu-init ${synopsis}`).join('\n')}
  webgpu-init <command> --help
  webgpu-init --version

Exit codes: 0 done, 1 failed or not verified, 2 wrong usage, 130 interrupted.
`
}
