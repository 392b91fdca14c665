import { show, WeightInitError } from '../errors.js'
import { initCommand, initHelp } from './init.js'
import { UsageError } from './usage.js'

const help = `webgpu-init: initialise neural-network weights on the GPU, bit-exact on every device.

Usage
  webgpu-init init <config.json> -o <weights.safetensors> [options]
  webgpu-init init --help

Exit codes: 0 done, 1 failed or not verified, 2 wrong usage, 130 interrupted.
`

/** Runs the command line and gives the exit code. Output goes to stdout, progress and errors to stderr. */
export async function runCli(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args
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
  try {
    if (command === undefined || command === '--help' || command === '-h' || command === 'help') {
      process.stdout.write(help)
      return command === undefined ? 2 : 0
    }
    if (command !== 'init') throw new UsageError(`Unknown command ${show(command)}; known: init.`)
    if (rest.includes('--help') || rest.includes('-h')) {
      process.stdout.write(initHelp)
      return 0
    }
    return await initCommand(rest, abort.signal)
  } catch (error) {
    if (pipeClosed) return 141
    if (abort.signal.aborted) {
      process.stderr.write('Interrupted; no file was written.\n')
      return 130
    }
    if (error instanceof UsageError) {
      process.stderr.write(`${error.message}\nTry: webgpu-init ${command === 'init' ? 'init ' : ''}--help\n`)
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
  }
}
