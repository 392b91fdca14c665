// What a tensor's writes need, directly or through other tensors: found once for every tensor, in the order of the recording.

import { isDrawable } from '../../generators/torch/program/draw.js'
import { isExact } from '../../generators/torch/program/evaluate.js'
import type { ReadProgram } from '../../generators/torch/program/parse.js'
import type { ProgramTensor, Write } from '../../generators/torch/program/types.js'

export interface Summary {
  /** Whether anything is drawn for it. */
  readonly drawn: boolean
  /** A table that it needs: one that depends on draws, where there is one. */
  readonly table?: Write
  /** Why what is drawn for it cannot be drawn here. */
  readonly refusal?: string
  readonly orthogonal: boolean
  /** Whether every bit is PyTorch's. */
  readonly exact: boolean
  /** Elements that are touched to make it; an upper bound. */
  readonly work: number
}

/** A summary of each tensor that is asked for. Values are summarised here: they use earlier ones only. */
export function summarise(program: ReadProgram): (tensor: ProgramTensor) => Summary {
  const { calls, values, generators } = program
  const refusalOf = ({ call }: Write): string | undefined => {
    if (call === undefined) return undefined
    const { operation, dtype, generator } = calls[call]!
    if (!isDrawable(calls[call]!)) return `it comes from ${operation} of dtype ${dtype}, which is not replayed`
    const followed = generator === undefined || generators[generator] !== null
    return followed ? undefined : 'it comes from a generator that cannot be followed'
  }
  const known = new Map<string, Summary>()
  const of = ({ writes, elementCount }: ProgramTensor): Summary => {
    const needed = writes.flatMap(({ from }) => (from === undefined ? [] : [known.get(from)!]))
    const tables = [
      ...writes.filter(({ operation }) => operation === 'table'),
      ...needed.flatMap(({ table }) => table ?? []),
    ]
    const refusal = [...writes.map(refusalOf), ...needed.map((one) => one.refusal)].find(
      (reason) => reason !== undefined,
    )
    const table = tables.find(({ random }) => random) ?? tables[0]
    return {
      drawn: writes.some(({ call }) => call !== undefined) || needed.some(({ drawn }) => drawn),
      ...(table === undefined ? {} : { table }),
      ...(refusal === undefined ? {} : { refusal }),
      orthogonal:
        writes.some(({ call }) => call !== undefined && calls[call]!.operation === 'orthogonal_') ||
        needed.some(({ orthogonal }) => orthogonal),
      exact: isExact(writes, calls) && needed.every(({ exact }) => exact),
      work: needed.reduce((sum, { work }) => sum + work, writes.length * elementCount),
    }
  }
  for (const [name, value] of values) known.set(name, of(value))
  return of
}
