import { show, WeightInitError } from '../core/errors.js'
import { Arguments } from './arguments.js'
import { type Command, commandHelp, helpFlag, programHelp } from './command.js'
import { initCommand } from './commands/init.js'
import { inspectCommand } from './commands/inspect.js'
import { planCommand } from './commands/plan.js'
import { verifyCommand } from './commands/verify.js'
import { UsageError } from './usage.js'

/** The command line. A new command is one file that exports a Command, and its name here. */
const commands: readonly Command[] = [initCommand, planCommand, verifyCommand, inspectCommand]

/** Runs the command line and gives the exit code. Output goes to stdout, progress and errors to stderr. */
export async function runCli([name, ...rest]: readonly string[], version: string): Promise<number> {
  const abort = new AbortController()
  const interrupt = (): void => abort.abort()
  process.once('SIGINT', interrupt)
  process.once('SIGTERM', interrupt)
  // A reader that closes the pipe (`| head`) ends the run like an interrupt, without a stack trace.
  let pipeClosed = false
  const onOutputError = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE') throw error
    pipeClosed = true
    abort.abort()
  }
  process.stdout.on('error', onOutputError)
  const command = commands.find((known) => known.name === name)
  try {
    if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
      process.stdout.write(programHelp(commands))
      return name === undefined ? 2 : 0
    }
    if (name === '--version' || name === '-V') {
      process.stdout.write(`${version}\n`)
      return 0
    }
    if (command === undefined) {
      throw new UsageError(`Unknown command ${show(name)}; known: ${commands.map((known) => known.name).join(', ')}.`)
    }
    if (rest.includes('--help') || rest.includes('-h')) {
      process.stdout.write(commandHelp(command))
      return 0
    }
    return await command.run(new Arguments(rest, { ...command.flags, ...helpFlag }), abort.signal)
  } catch (error) {
    if (pipeClosed) return 141
    if (abort.signal.aborted) {
      process.stderr.write(command?.writes === true ? 'Interrupted; no file was written.\n' : 'Interrupted.\n')
      return 130
    }
    if (error instanceof UsageError) {
      process.stderr.write(
        `${error.message}\nTry: webgpu-init ${command === undefined ? '' : `${command.name} `}--help\n`,
      )
      return 2
    }
    if (error instanceof WeightInitError) {
      process.stderr.write(`${error.message}\n`)
      return 1
    }
    throw error
  } finally {
    process.off('SIGINT', interrupt)
    process.off('SIGTERM', interrupt)
    // A broken pipe may be told after the end: the listener stays, once.
    process.stdout.off('error', onOutputError)
    if (process.stdout.listenerCount('error') === 0) process.stdout.once('error', onOutputError)
  }
}
