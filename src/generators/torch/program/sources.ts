// Where each parameter of a recorded program has its values from: a plain draw where it is one, else its writes.

import { refuse, show, WeightInitError } from '../../../core/errors.js'
import type { Distribution } from '../../../ir/distribution.js'
import type { GeneratorSource, TorchCpuSource, TorchCpuVariant, TorchProgramSource } from '../../../ir/generator.js'
import type { RecordedRow, RecordedTensor, TorchProgram } from '../../../ir/program.js'
import type { Drawing } from '../../kind.js'
import { TORCH_BLOCK } from '../cpu.js'
import { advanced } from './advance.js'
import { isDrawable } from './draw.js'
import { type Draw, familyOf, numbersOf, sourceOf } from './elements.js'
import { isRanged, MOST_WHOLE } from './evaluate.js'
import { fail, type ReadProgram, readProgram, record } from './parse.js'
import { placesOf } from './places.js'
import type { ProgramTensor, Write } from './types.js'

const unsupported = /* @__PURE__ */ refuse('UNSUPPORTED_GENERATOR')

const programKeys = ['format', 'version', 'parameters', 'values', 'generators', 'calls', 'refusal']

/** A program as a caller gave it, checked again: it may have come through a message or a file. */
function checkedProgram(given: TorchProgram): { readonly raw: TorchProgram; readonly read: ReadProgram } {
  const raw = record(given, programKeys, 'program') as unknown as TorchProgram
  if (raw.format !== 'webgpu-init-program' || raw.version !== 1) {
    fail(`the program must be what readRecording gave, but found ${show(given)}.`)
  }
  if (raw.refusal !== undefined) unsupported(`The program cannot be replayed: ${raw.refusal}`)
  return { raw, read: readProgram(raw) }
}

/**
 * @throws WeightInitError `UNSUPPORTED_GENERATOR` naming the parameter, or the call that cannot be followed
 */
export function assignProgram(
  given: TorchProgram,
  seed: bigint,
  variant: TorchCpuVariant,
): (drawing: Drawing, distribution: Distribution) => GeneratorSource {
  const { raw, read } = checkedProgram(given)
  const placeOf = placesOf(read, seed, variant)
  const rows = new Map(raw.parameters.map((tensor) => [tensor.name, tensor]))
  const values = new Map(raw.values.map((tensor) => [tensor.name, tensor]))
  const drawOf = (call: number): Draw => ({ call: read.calls[call]!, place: placeOf(call), variant })
  return (drawing, distribution) => {
    const { name, where, elementCount } = drawing
    const tensor = read.parameters.get(name)
    if (tensor === undefined) {
      return unsupported(
        `${where}: the program says nothing of it. Initialise it with the default generator, or skip it.`,
      )
    }
    if (tensor.elementCount !== elementCount) {
      unsupported(`${where} has ${elementCount} elements, but the program writes ${tensor.elementCount}.`)
    }
    const plain = plainSource(tensor, drawing, distribution, drawOf)
    if (plain !== undefined) return plain
    if (distribution.kind === 'orthogonal') {
      unsupported(
        `${where}: its orthogonal matrices are not consecutive calls of the program. Use the default generator.`,
      )
    }
    const needed = neededOf(rows.get(name)!, values)
    const source: TorchProgramSource = {
      generator: 'torch-program',
      variant,
      tensor: needed.tensor,
      values: needed.values,
      calls: needed.calls.map((call) => withoutGenerator(raw.calls[call]!)),
      places: needed.calls.map(placeOf),
    }
    for (const call of needed.calls) {
      if (!isDrawable(read.calls[call]!)) {
        unsupported(
          `${where}: ${read.calls[call]!.operation} of dtype ${read.calls[call]!.dtype} is not replayed. Skip it.`,
        )
      }
    }
    if (!isRanged({ tensor, values: read.values, drawOf }) && elementCount > MOST_WHOLE) {
      throw new WeightInitError(
        'LIMIT_EXCEEDED',
        `${where} of ${elementCount} elements is made whole on the host, which takes at most 2^28. Skip it.`,
      )
    }
    return source
  }
}

/** The source of a parameter that one call draws as a whole, as the distribution says. */
function plainSource(
  { writes, dtype, elementCount }: ProgramTensor,
  drawing: Drawing,
  distribution: Distribution,
  drawOf: (call: number) => Draw,
): TorchCpuSource | undefined {
  const own = withoutPadding(writes, drawing)
  const [first] = own
  if (first?.call === undefined) return undefined
  if (distribution.kind === 'orthogonal') return orthogonalSource(own, distribution, drawOf)
  if (own.length !== 1 || first.part !== undefined || first.dtype !== undefined) return undefined
  const draw = drawOf(first.call)
  const { call } = draw
  const numbers = numbersOf(call)
  if (call.layout !== undefined || call.dtype !== dtype) return undefined
  const float32 = dtype === 'float32'
  // A half's normals are float32 normals, rounded when they are stored; unless it has a block of its own at the end.
  const rounded = dtype === drawing.dtype && (elementCount < TORCH_BLOCK || elementCount % TORCH_BLOCK === 0)
  const kind = familyOf(call)
  if (distribution.kind === 'uniform' && kind === 'uniform_') {
    const same = distribution.low === numbers[0] && distribution.high === numbers[1]
    return same && float32 ? withoutCache(sourceOf(draw, 'uniform')) : undefined
  }
  if (distribution.kind === 'normal' && kind === 'normal_') {
    const same = distribution.mean === numbers[0] && distribution.std === numbers[1]
    if (!same || !(float32 || rounded)) return undefined
    const source = sourceOf(draw, 'normal')
    return elementCount < TORCH_BLOCK ? source : withoutCache(source)
  }
  if (distribution.kind === 'truncated-normal' && kind === 'trunc_normal_' && call.inversion === undefined) {
    const { mean, std, low, high } = distribution
    const same = [mean, std, low, high].every((x, i) => x === numbers[i])
    return same && float32 ? { ...sourceOf(draw, 'truncated-normal'), truncation: 'rejection' } : undefined
  }
  if (distribution.kind === 'sparse' && kind === 'sparse_') {
    const { rows, columns, zeros, std } = distribution
    const same =
      rows === call.rows && columns === call.columns && std === numbers[1] && zeros === Math.ceil(numbers[0]! * rows)
    return same && float32 ? sourceOf(draw, 'sparse') : undefined
  }
  return undefined
}

/** Only fewer than a block of normals take the one that was kept. */
const withoutCache = ({ cachedAt: _, ...source }: TorchCpuSource): TorchCpuSource => source

/** The writes without the last one, where that sets the padding row to 0: the plan does it too. */
function withoutPadding(writes: readonly Write[], { paddingRow }: Drawing): readonly Write[] {
  const last = writes.at(-1)
  if (paddingRow === undefined || last?.operation !== 'fill_' || Number(last.arguments[0]) !== 0) return writes
  const { part, dtype } = last
  const row = part?.dense && part.offset === paddingRow.first && part.elementCount === paddingRow.count
  return row && dtype === undefined ? writes.slice(0, -1) : writes
}

/** Matrices one after another in the tensor, drawn by calls one after another. */
function orthogonalSource(
  writes: readonly Write[],
  { batch, rows, columns, gain, field }: Distribution & { kind: 'orthogonal' },
  drawOf: (call: number) => Draw,
): TorchCpuSource | undefined {
  if (writes.length !== batch || field !== 1) return undefined
  const draws = writes.map(({ call }) => (call === undefined ? undefined : drawOf(call)))
  const first = draws[0]!
  let place = first.place
  for (const [i, draw] of draws.entries()) {
    if (draw?.call.operation !== 'orthogonal_') return undefined
    const { call } = draw
    const offset = writes[i]!.part?.offset ?? 0
    const same =
      call.rows === rows &&
      call.columns === columns &&
      numbersOf(call)[0] === gain &&
      call.dtype === 'float32' &&
      offset === i * rows * columns
    const next =
      draw.place.seed === place.seed && draw.place.position === place.position && draw.place.cachedAt === place.cachedAt
    if (!same || !next) return undefined
    place = advanced(call, place)
  }
  const source = sourceOf(first, 'orthogonal', batch * rows * columns)
  return rows * columns < TORCH_BLOCK ? source : withoutCache(source)
}

const optionsOf = (row: RecordedRow): Record<string, unknown> | undefined => {
  const last = row.at(-1)
  return typeof last === 'object' && last !== null ? (last as Record<string, unknown>) : undefined
}

const withOptions = (row: RecordedRow, options: Record<string, unknown>): RecordedRow =>
  Object.keys(options).length === 0 ? row.slice(0, -1) : [...row.slice(0, -1), options]

function withoutGenerator(row: RecordedRow): RecordedRow {
  const options = optionsOf(row)
  if (options?.generator === undefined) return row
  const { generator: _, ...rest } = options
  return withOptions(row, rest)
}

/** A tensor, the values that it needs, in order, and the calls, whose numbers in the writes count within this list. */
function neededOf(
  tensor: RecordedTensor,
  all: ReadonlyMap<string, RecordedTensor>,
): { readonly tensor: RecordedTensor; readonly values: RecordedTensor[]; readonly calls: number[] } {
  const calls: number[] = []
  const local = new Map<number, number>()
  const values = new Map<string, RecordedTensor>()
  const visit = (one: RecordedTensor): RecordedTensor => ({
    name: one.name,
    shape: one.shape,
    dtype: one.dtype,
    writes: one.writes.map((row) => {
      const options = optionsOf(row)
      const from = options?.from as string | undefined
      // Values use earlier ones only, so that this ends.
      if (from !== undefined && !values.has(from)) {
        const value = visit(all.get(from)!)
        values.set(from, value)
      }
      const call = options?.call as number | undefined
      if (call === undefined) return row
      if (!local.has(call)) {
        local.set(call, calls.length)
        calls.push(call)
      }
      return withOptions(row, { ...options, call: local.get(call)! })
    }),
  })
  return { tensor: visit(tensor), values: [...values.values()], calls }
}
