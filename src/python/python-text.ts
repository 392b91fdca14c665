// Python as text: what the programs of python-torch.ts and python-jax.ts have in common.
import { show, WeightInitError } from '../core/errors.js'
import type { InitializationManifest } from '../plan/manifest/types.js'

export type Entry = InitializationManifest['parameters'][number]

/** A string as Python reads it: JSON's escapes are Python's. */
export const text = (name: string): string => JSON.stringify(name)
export const tuple = (shape: readonly number[]): string => `(${shape.map((n) => `${n},`).join(' ')})`
export const set = (name: string, value: string): string => `weights[${text(name)}] = ${value}`

/** A float; JSON has null for an infinite bound. */
export function float(x: number | null, ifNull = ''): string {
  if (x === null || !Number.isFinite(x)) return x === null ? ifNull : `float("${x > 0 ? 'inf' : '-inf'}")`
  return String(x)
}

/** The shape that is drawn: a part is cut out of it. */
export const drawnShape = ({ shape, part }: Entry): readonly number[] => part?.fullShape ?? shape

/** `[start:end, ...]` of a part; nothing for a whole parameter. */
export function cut({ part }: Entry): string {
  if (part === undefined) return ''
  return `[${part.start.map((start, axis) => `${start}:${part.end[axis]}`).join(', ')}]`
}

/** What a tied parameter holds: its owner's elements, in a shape of its own. */
export function tied({ shape, tiedTo = '' }: Entry, { parameters }: InitializationManifest): string {
  const owner = parameters.find(({ name }) => name === tiedTo)
  const same = owner?.shape.length === shape.length && owner.shape.every((length, axis) => length === shape[axis])
  return `weights[${text(tiedTo)}]${same ? '' : `.reshape(${tuple(shape)})`}`
}

/** The runs of a diagonal distribution. */
export function runs({ distribution }: Entry): string {
  if (distribution.kind !== 'diagonal') return '[]'
  return `[${distribution.runs.map(({ first, stride, count }) => `(${first}, ${stride}, ${count})`).join(', ')}]`
}

/** A share of zeros from which ceil(share * rows) gives the zeros of a sparse distribution, however it rounds. */
export const sparsity = ({ zeros, rows }: { readonly zeros: number; readonly rows: number }): string =>
  zeros === 0 ? '0.0' : String((zeros - 0.5) / rows)

/** The other library has no call that gives these elements. */
export function unsupported(
  { name, distribution }: Entry,
  why = `a ${distribution.kind} distribution has no equal`,
): never {
  throw new WeightInitError(
    'INVALID_ARGUMENT',
    `pythonSnippet: parameter ${show(name)}: ${why} in the Python program. Leave it out with skip.`,
  )
}
