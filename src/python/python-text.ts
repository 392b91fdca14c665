// Pieces of Python code that python-torch.ts and python-jax.ts share.
import { show, WeightInitError } from '../core/errors.js'
import type { InitializationManifest } from '../plan/manifest/types.js'

export type Entry = InitializationManifest['parameters'][number]

/** A string literal of Python. JSON's escapes are valid in Python. */
export const text = (name: string): string => JSON.stringify(name)
export const tuple = (shape: readonly number[]): string => `(${shape.map((n) => `${n},`).join(' ')})`
export const set = (name: string, value: string): string => `weights[${text(name)}] = ${value}`

/** A float literal of Python. An infinite bound is null in JSON; `ifNull` is the text for it. */
export function float(x: number | null, ifNull = ''): string {
  if (x === null || !Number.isFinite(x)) return x === null ? ifNull : `float("${x > 0 ? 'inf' : '-inf'}")`
  return String(x)
}

/** The shape that the program draws: the full shape, out of which a part is cut. */
export const drawnShape = ({ shape, part }: Entry): readonly number[] => part?.fullShape ?? shape

/** The Python slice `[start:end, ...]` of a part; an empty text for a whole parameter. */
export function cut({ part }: Entry): string {
  if (part === undefined) return ''
  return `[${part.start.map((start, axis) => `${start}:${part.end[axis]}`).join(', ')}]`
}

/** The value of a tied parameter: the elements of the parameter that it is tied to, in its own shape. */
export function tied({ shape, tiedTo = '' }: Entry, { parameters }: InitializationManifest): string {
  const owner = parameters.find(({ name }) => name === tiedTo)
  const same = owner?.shape.length === shape.length && owner.shape.every((length, axis) => length === shape[axis])
  return `weights[${text(tiedTo)}]${same ? '' : `.reshape(${tuple(shape)})`}`
}

/** The runs of a diagonal distribution, as a Python list of tuples. */
export function runs({ distribution }: Entry): string {
  if (distribution.kind !== 'diagonal') return '[]'
  return `[${distribution.runs.map(({ first, stride, count }) => `(${first}, ${stride}, ${count})`).join(', ')}]`
}

/** A sparsity for which ceil(sparsity * rows) is the number of zeros of a sparse distribution, however the product rounds. */
export const sparsity = ({ zeros, rows }: { readonly zeros: number; readonly rows: number }): string =>
  zeros === 0 ? '0.0' : String((zeros - 0.5) / rows)

/** Throws, because the other library has no call that gives these elements. */
export function unsupported(
  { name, distribution }: Entry,
  why = `a ${distribution.kind} distribution has no equal`,
): never {
  throw new WeightInitError(
    'INVALID_ARGUMENT',
    `pythonSnippet: parameter ${show(name)}: ${why} in the Python program. Leave it out with skip.`,
  )
}
