import { show, WeightInitError } from '../core/errors.js'
import { visible } from '../core/visible.js'
import { Arguments } from './arguments.js'
import { type Command, commandHelp, helpFlag, programHelp } from './command.js'
import { initCommand } from './commands/init.js'
import { inspectCommand } from './commands/inspect.js'
import { planCommand } from './commands/plan.js'
import { verifyCommand } from './commands/verify.js'
import { UsageError } from './usage.js'

/** All commands. To add one, write a file that exports a Command and add it here. */
const commands: readonly Command[] = [initCommand, planCommand, verifyCommand, inspectCommand]

/** The usual exit code of a process that a signal ended: 128 plus the signal's number. */
const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const
const signalNames = Object.keys(exitCodes) as (keyof typeof exitCodes)[]

/** A message of several lines in which control characters and the like are made visible. */
const lines = (message: string): string => message.split('\n').map(visible).join('\n')

/** Waits until all output was written, or writing has failed. */
async function drained(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength > 0) await new Promise((resolve) => stream.once('drain', resolve).once('error', resolve))
  // A failed write is reported in the next iteration of the event loop.
  await new Promise((resolve) => setImmediate(resolve))
}

function outputFailed(error: NodeJS.ErrnoException): number {
  process.stderr.write(
    `Writing to standard output failed: ${visible(error.message)}. Files that were already complete remain.\n`,
  )
  return 1
}

/** Runs the command line and returns the exit code. Output goes to stdout, progress and errors to stderr. */
export async function runCli([name, ...rest]: readonly string[], version: string): Promise<number> {
  const abort = new AbortController()
  let interruptedBy: keyof typeof exitCodes = 'SIGINT'
  const interrupt = (name: NodeJS.Signals): void => {
    interruptedBy = name as keyof typeof exitCodes
    abort.abort()
  }
  for (const name of signalNames) process.once(name, interrupt)
  // If the reader closes the pipe (`| head`), the run ends as after an interrupt, without a stack trace.
  let pipeClosed = false
  let outputError: NodeJS.ErrnoException | undefined
  const onOutputError = (error: NodeJS.ErrnoException): void => {
    // Any other failure, such as a full disk, would make all further output fail as well.
    if (error.code === 'EPIPE') pipeClosed = true
    else outputError = error
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
    const code = await command.run(new Arguments(rest, { ...command.flags, ...helpFlag }), abort.signal)
    await drained(process.stdout)
    return outputError === undefined ? code : outputFailed(outputError)
  } catch (error) {
    if (pipeClosed) return 141
    if (outputError !== undefined) return outputFailed(outputError)
    if (abort.signal.aborted) {
      process.stderr.write(command?.writes === true ? 'Interrupted; no file was written.\n' : 'Interrupted.\n')
      return exitCodes[interruptedBy]
    }
    if (error instanceof UsageError) {
      process.stderr.write(
        `${lines(error.message)}\nTry: webgpu-init ${command === undefined ? '' : `${command.name} `}--help\n`,
      )
      return 2
    }
    if (error instanceof WeightInitError) {
      process.stderr.write(`${lines(error.message)}\n`)
      return 1
    }
    throw error
  } finally {
    for (const name of signalNames) process.off(name, interrupt)
    // A broken pipe may be reported after the end, so the handler stays for one more event.
    process.stdout.off('error', onOutputError)
    if (process.stdout.listenerCount('error') === 0) process.stdout.once('error', onOutputError)
  }
}
