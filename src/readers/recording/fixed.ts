// Parameters that nothing is drawn for: a constant, or a few of them in runs.

import { evaluateWhole } from '../../generators/torch/program/evaluate.js'
import type { ReadProgram } from '../../generators/torch/program/parse.js'
import type { ProgramTensor } from '../../generators/torch/program/types.js'
import type { ConstantRun, Distribution } from '../../ir/distribution.js'
import type { Summary } from './summary.js'

/** Elements that are looked at one by one. */
const MOST_ELEMENTS = 2 ** 20
const MOST_RUNS = 4096
const MOST_WORK = 2 ** 24

/** What a parameter of constants holds; a text says why it cannot be said. */
export function fixedDistribution(
  tensor: ProgramTensor,
  { work }: Summary,
  program: ReadProgram,
): Distribution | string {
  const { writes, elementCount } = tensor
  const [first, ...more] = writes
  const filled = first?.operation === 'fill_' && first.part === undefined && first.dtype === undefined
  const base = filled ? Number(first.arguments[0]) : 0
  const parts = more.every(({ operation, part, dtype }) => operation === 'fill_' && part?.dense && dtype === undefined)
  if (filled && more.length === 0) return constant(base)
  if (
    filled &&
    parts &&
    more.length <= MOST_RUNS &&
    more.every((_, i) => i === 0 || isBehind(more[i - 1]!.part!, more[i]!.part!))
  ) {
    const runs = more.map(({ part, arguments: given }) => {
      return { first: part!.offset, stride: 1, count: part!.elementCount, value: Number(given[0]) }
    })
    return pieces(base, elementCount, runs)
  }
  const [, columns = 0] = tensor.shape
  if (writes.length === 1 && first?.operation === 'eye_' && first.part === undefined) {
    const run = { first: 0, stride: columns + 1, count: Math.min(tensor.shape[0] ?? 0, columns), value: 1 }
    return pieces(0, elementCount, [run])
  }
  if (work > MOST_WORK || elementCount > MOST_ELEMENTS) return 'its constants lie in parts that are too many to follow'
  const elements = evaluateWhole({
    tensor,
    values: program.values,
    drawOf: () => {
      throw new Error('nothing is drawn for a fixed parameter')
    },
  })
  const runs = runsOf(elements)
  if (runs === undefined) return `its constants lie in more than ${MOST_RUNS} runs`
  const [{ value = 0 } = {}] = [...runs].sort((a, b) => b.count - a.count)
  const others = runs.filter((run) => !Object.is(run.value, value))
  // Devices write strided runs over zeros only.
  return pieces(value, elementCount, Object.is(value, 0) ? joined(others) : others)
}

const isBehind = (before: { offset: number; elementCount: number }, part: { offset: number }): boolean =>
  before.offset + before.elementCount <= part.offset

const constant = (value: number): Distribution | string =>
  Number.isFinite(value) ? { kind: 'constant', value } : `it is filled with ${value}, which is not finite`

function pieces(base: number, elementCount: number, runs: readonly ConstantRun[]): Distribution | string {
  const odd = [base, ...runs.map(({ value }) => value)].find((value) => !Number.isFinite(value))
  return odd === undefined ? { kind: 'pieces', base, elementCount, runs } : `it holds ${odd}, which is not finite`
}

/** Runs of equal neighbours; undefined where they are too many. */
function runsOf(elements: Float32Array | Float64Array): ConstantRun[] | undefined {
  const runs: ConstantRun[] = []
  for (let first = 0; first < elements.length; ) {
    const value = elements[first]!
    let end = first + 1
    while (end < elements.length && Object.is(elements[end], value)) end++
    runs.push({ first, stride: 1, count: end - first, value })
    if (runs.length > MOST_RUNS) return undefined
    first = end
  }
  return runs
}

/** Single elements at equal distances are one run. */
function joined(runs: readonly ConstantRun[]): ConstantRun[] {
  const out: { first: number; stride: number; count: number; value: number }[] = []
  for (const run of runs) {
    const before = out.at(-1)
    const distance = before === undefined ? 0 : run.first - (before.first + (before.count - 1) * before.stride)
    const single = run.count === 1 && before !== undefined && Object.is(before.value, run.value) && distance >= 2
    if (single && before.count === 1) Object.assign(before, { stride: distance, count: 2 })
    else if (single && before.stride === distance) before.count++
    else out.push({ ...run })
  }
  return out
}
