import { visible } from './visible.js'

/** What went wrong, for programs. The message is for people: it names the parameter, the value, the limit and the remedy. */
export type WeightInitErrorCode =
  | 'INVALID_ARGUMENT'
  | 'INVALID_SHAPE'
  | 'INVALID_MODEL'
  | 'INVALID_CONFIG'
  | 'UNKNOWN_INITIALIZER'
  | 'UNMATCHED_PARAMETER'
  | 'UNSUPPORTED_DTYPE'
  | 'UNSUPPORTED_GENERATOR'
  | 'INVALID_BUFFER'
  | 'LIMIT_EXCEEDED'
  | 'NO_ADAPTER'
  | 'SHADER'
  | 'DEVICE_LOST'
  | 'OUT_OF_MEMORY'
  | 'DEVICE_ERROR'
  | 'DEVICE_MISCOMPUTES'
  | 'DESTROYED'
  | 'UNKNOWN_PARAMETER'
  | 'INVALID_FILE'
  | 'IO'

/** Every error this package throws on purpose, except a cancelled call (an AbortError, as the platform has it). */
export class WeightInitError extends Error {
  readonly code: WeightInitErrorCode

  constructor(code: WeightInitErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'WeightInitError'
    this.code = code
  }
}

/** Throws what it is told with this code, after `where`: for code with many ways to refuse one thing. */
export function refuse(code: WeightInitErrorCode, where = ''): (message: string) => never {
  return (message) => {
    throw new WeightInitError(code, where + message)
  }
}

/** The GPU device was lost or destroyed before or during the call. */
export class DeviceLostError extends WeightInitError {
  constructor(message: string, options?: ErrorOptions) {
    super('DEVICE_LOST', message, options)
    this.name = 'DeviceLostError'
  }
}

/** The device could not allocate what the call needs; everything the call had allocated is freed. */
export class OutOfMemoryError extends WeightInitError {
  constructor(message: string, options?: ErrorOptions) {
    super('OUT_OF_MEMORY', message, options)
    this.name = 'OutOfMemoryError'
  }
}

/**
 * A value as an error message shows it: strings quoted, bigints with n, long things cut; one line, whatever characters are in
 * it.
 */
export function show(value: unknown): string {
  let text: string
  if (typeof value === 'string') text = JSON.stringify(value)
  else if (typeof value === 'bigint') text = `${value}n`
  else if (typeof value === 'function')
    text = `function ${(typeof value.name === 'string' && value.name) || '(anonymous)'}`
  else if (typeof value === 'object' && value !== null) {
    try {
      text = JSON.stringify(value) ?? String(value)
    } catch {
      text = Object.prototype.toString.call(value)
    }
  } else text = String(value)
  return shorten(visible(text))
}

const shorten = (text: string): string => (text.length > 80 ? `${text.slice(0, 77)}...` : text)

/** A file's path as a message shows it: of a long one the beginning and the whole name of the file. */
export function showPath(path: unknown): string {
  if (typeof path !== 'string') return show(path)
  const text = visible(JSON.stringify(path))
  if (text.length <= 80) return text
  const name = text.slice(Math.max(text.lastIndexOf('/'), text.lastIndexOf('\\')))
  return `${text.slice(0, Math.max(8, 77 - name.length))}...${name}`
}

/**
 * Refuses keys that nobody reads, so that a misspelt option is an error and not a default.
 * @throws WeightInitError `INVALID_ARGUMENT` naming the key and the known ones
 */
export function refuseUnknownKeys(
  value: unknown,
  known: readonly string[],
  what: string,
  code: WeightInitErrorCode = 'INVALID_ARGUMENT',
): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new WeightInitError(code, `${what} must be an object, but found ${show(value)}.`)
  }
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) {
      throw new WeightInitError(
        code,
        `Unknown ${what} key ${show(key)}; ${known.length === 0 ? 'it takes none' : `known keys: ${known.join(', ')}`}.`,
      )
    }
  }
}

/** @throws WeightInitError `INVALID_ARGUMENT` for an option `signal` that is no AbortSignal */
export function checkSignal(signal: unknown, where: string): void {
  if (signal === undefined || typeof (signal as AbortSignal | null)?.throwIfAborted === 'function') return
  throw new WeightInitError(
    'INVALID_ARGUMENT',
    `${where}: signal must be an AbortSignal, but found ${show(signal)}. Give the signal of an AbortController.`,
  )
}
