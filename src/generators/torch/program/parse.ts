// Checks what a recorded program says, which may come from anywhere: every number is bounded by what the program itself is
// long, or refused. The format is in python/record.py.

import { refuse, refuseUnknownKeys, show } from '../../../core/errors.js'
import { isInteger } from '../../../core/integers.js'
import type { RecordedRow, RecordedTensor } from '../../../ir/program.js'
import {
  type Argument,
  type ArrayDType,
  arrayDTypes,
  type Call,
  type ProgramTensor,
  type Region,
  type Write,
} from './types.js'

export const fail: (message: string) => never = /* @__PURE__ */ refuse('INVALID_FILE', 'Recording: ')

/** More axes than any tensor of PyTorch has. */
const MOST_AXES = 64
/** Far beyond any model; sums of so many counts are exact. */
const MOST_ELEMENTS = 2 ** 45
/** Values that use each other, one after another. */
const MOST_DEPTH = 1000

/** Arguments of the random calls. */
const draws: Readonly<Record<string, number>> = {
  normal_: 2,
  randn: 2,
  uniform_: 2,
  rand: 2,
  trunc_normal_: 4,
  orthogonal_: 1,
  sparse_: 2,
  randperm: 0,
  bernoulli_: 1,
  random_: 2,
  exponential_: 1,
  cauchy_: 2,
  log_normal_: 2,
  geometric_: 1,
}
/** Arguments of the calls that draw nothing, or something that is not known. */
const controls: Readonly<Record<string, number>> = { manual_seed: 1, get_state: 1, set_state: 1, unknown: 1 }
/** Fewest and most arguments of the operations that change what was there. */
const changes: Readonly<Record<string, readonly [least: number, most: number]>> = {
  to: [0, 0],
  mul_: [1, 1],
  div_: [1, 1],
  add_: [1, 2],
  sub_: [1, 2],
  clamp_: [2, 2],
  pow_: [1, 1],
  ...Object.fromEntries(
    ['erfinv_', 'neg_', 'exp_', 'expm1_', 'log_', 'log1p_', 'sqrt_', 'rsqrt_', 'reciprocal_', 'abs_', 'sin_', 'cos_']
      .concat('tanh_', 'sigmoid_', 'sign_', 'floor_', 'round_')
      .map((name) => [name, [0, 0] as const]),
  ),
}
/** Arguments of the operations that replace what was there without drawing. */
const fixed: Readonly<Record<string, number>> = { fill_: 1, eye_: 0, copy_: 0, table: 0, norm_: 1 }

/** Those that take a tensor in place of their number. */
const withTensors = ['mul_', 'div_', 'add_', 'sub_']

export const isDraw = (operation: string): boolean => Object.hasOwn(draws, operation)
/** Whether it computes with what was there before. */
export const isChange = (operation: string): boolean => Object.hasOwn(changes, operation)

/** @throws WeightInitError `INVALID_FILE` unless `value` is an object with no other keys than these */
export function record(value: unknown, keys: readonly string[], where: string): Record<string, unknown> {
  refuseUnknownKeys(value, keys, `recording: ${where}`, 'INVALID_FILE')
  // A key that is not there must not be found in a prototype.
  return Object.assign(Object.create(null), value)
}

export function list(value: unknown, where: string): readonly unknown[] {
  return Array.isArray(value) ? Array.from(value) : fail(`${where} must be a list, but found ${show(value)}.`)
}

export function text(value: unknown, where: string): string {
  return typeof value === 'string' ? value : fail(`${where} must be a string, but found ${show(value)}.`)
}

function index(value: unknown, end: number, where: string): number {
  return isInteger(value, 0, end - 1)
    ? value
    : fail(`${where} must be an integer from 0 to ${end - 1}, but found ${show(value)}.`)
}

const words: Readonly<Record<string, number>> = {
  inf: Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
  nan: Number.NaN,
}

function argument(value: unknown, where: string): Argument {
  if (value === null || (typeof value === 'number' && Number.isFinite(value))) return value
  if (typeof value === 'string') {
    if (Object.hasOwn(words, value)) return words[value]!
    if (/^-?[0-9]{1,40}$/.test(value)) return BigInt(value)
  }
  return fail(
    `${where}: an argument must be a number, null, "inf", "-inf", "nan" or decimal digits, but found ${show(value)}.`,
  )
}

/** An argument that has to be a number. */
export function numberOf(value: Argument | undefined, where: string): number {
  if (typeof value === 'bigint') return Number(value)
  return typeof value === 'number' ? value : fail(`${where}: an argument must be a number, but found ${show(value)}.`)
}

export function readShape(value: unknown, where: string): { shape: readonly number[]; elementCount: number } {
  const shape = list(value, `${where}: shape`)
  if (shape.length > MOST_AXES) fail(`${where}: shape has ${shape.length} axes, more than ${MOST_AXES}.`)
  let elementCount = 1
  for (const length of shape) {
    if (!isInteger(length, 0, MOST_ELEMENTS)) {
      fail(`${where}: shape ${show(value)} must have integers from 0 to 2^45, but found ${show(length)}.`)
    }
    elementCount *= length as number
    if (elementCount > MOST_ELEMENTS) fail(`${where}: shape ${show(value)} has more than 2^45 elements.`)
  }
  return { shape: shape as readonly number[], elementCount }
}

export function rowMajor(shape: readonly number[]): number[] {
  const strides: number[] = []
  let step = 1
  for (const length of [...shape].reverse()) {
    strides.unshift(step)
    step *= Math.max(length, 1)
  }
  return strides
}

/** A region of `size` elements of memory. */
function region(offset: unknown, shapeValue: unknown, strideValue: unknown, size: number, where: string): Region {
  const { shape, elementCount } = readShape(shapeValue, where)
  const expected = rowMajor(shape)
  const strides = strideValue === undefined ? expected : list(strideValue, `${where}: strides`)
  if (!isInteger(offset, 0, MOST_ELEMENTS)) fail(`${where}: offset must be an integer >= 0, but found ${show(offset)}.`)
  if (strides.length !== shape.length || !strides.every((stride) => isInteger(stride, 0, MOST_ELEMENTS))) {
    fail(`${where}: strides must be ${shape.length} integers >= 0, but found ${show(strideValue)}.`)
  }
  const steps = strides as readonly number[]
  const last = shape.reduce((sum, length, axis) => sum + (length - 1) * steps[axis]!, offset as number)
  if (elementCount === 0 || !(last < size)) {
    fail(`${where}: ${show({ offset, shape, strides })} is no part of ${size} elements.`)
  }
  const dense = shape.every((length, axis) => length === 1 || steps[axis] === expected[axis])
  return { offset: offset as number, shape, strides: steps, elementCount, dense }
}

function readRegion(value: unknown, size: number, where: string): Region {
  const { offset, shape, strides } = record(value, ['offset', 'shape', 'strides'], where)
  return region(offset, shape, strides, size, where)
}

/** All of a tensor. */
export const wholeRegion = (shape: readonly number[], elementCount: number): Region => ({
  offset: 0,
  shape,
  strides: rowMajor(shape),
  elementCount,
  dense: true,
})

const isDType = (value: unknown): value is ArrayDType => (arrayDTypes as readonly unknown[]).includes(value)

/** A row's operation, arguments and options. */
function split(row: unknown, first: number, where: string) {
  const cells = list(row, where)
  const last = cells.at(-1)
  const hasOptions = cells.length > first && typeof last === 'object' && last !== null
  return {
    operation: text(cells[0], `${where}: the operation`),
    cells,
    arguments: cells.slice(first, hasOptions ? -1 : undefined),
    options: hasOptions ? last : {},
  }
}

const callOptions = ['dtype', 'shape', 'strides', 'generator', 'rows', 'columns', 'method', 'uniform', 'scale']

/** Call `number` of a program with so many generators of its own. */
export function readCall(row: RecordedRow | unknown, number: number, generatorCount: number): Call {
  const where = `program[${number}]`
  const { operation, cells, arguments: given, options } = split(row, 3, where)
  const wanted = Object.hasOwn(draws, operation)
    ? draws[operation]!
    : Object.hasOwn(controls, operation)
      ? controls[operation]!
      : undefined
  if (wanted === undefined) return fail(`${where}: unknown operation ${show(operation)}.`)
  const target = cells[1] === null ? null : text(cells[1], `${where}: the target`)
  const count = cells[2]
  if (!isInteger(count, 0, MOST_ELEMENTS))
    return fail(`${where}: count must be an integer from 0 to 2^45, but found ${show(count)}.`)
  const named = record(options, callOptions, where)
  const nothing = { target, count, rows: 0, columns: 0, dtype: 'float32' } as const
  if (operation === 'unknown') {
    return { ...nothing, operation, arguments: [] }
  }
  if (given.length !== wanted) fail(`${where}: ${operation} takes ${wanted} arguments, but found ${show(given)}.`)
  const dtype = named.dtype === undefined ? 'float32' : text(named.dtype, `${where}: dtype`)
  // How PyTorch draws another dtype is not known.
  if (!isDType(dtype)) return { ...nothing, operation: 'unknown', arguments: [] }
  const layout = named.strides === undefined ? undefined : region(0, named.shape, named.strides, MOST_ELEMENTS, where)
  if (layout !== undefined && layout.elementCount !== count)
    fail(`${where}: shape ${show(named.shape)} has not ${count} elements.`)
  const matrix = operation === 'orthogonal_' || operation === 'sparse_'
  const rows = matrix ? index(named.rows, MOST_ELEMENTS, `${where}: rows`) : 0
  const columns = matrix ? index(named.columns, MOST_ELEMENTS, `${where}: columns`) : 0
  if (matrix && rows * columns !== count) fail(`${where}: ${rows} x ${columns} is not ${count}.`)
  const { method } = named
  if (method !== undefined && (method !== 'inversion' || operation !== 'trunc_normal_')) {
    fail(`${where}: unknown method ${show(method)} of ${operation}.`)
  }
  const numbers = given.map((value) => argument(value, where))
  if (operation === 'random_') checkRange(numbers, where)
  else if (Object.hasOwn(controls, operation)) checkInteger(numbers[0], where)
  else for (const value of numbers) numberOf(value, where)
  return {
    operation,
    target,
    count,
    arguments: numbers,
    dtype,
    ...(layout === undefined || layout.dense ? {} : { layout }),
    ...(named.generator === undefined
      ? {}
      : { generator: index(named.generator, generatorCount, `${where}: generator`) }),
    rows,
    columns,
    ...(method === undefined ? {} : { inversion: readInversion(named, where) }),
  }
}

const isWhole = (value: Argument | undefined): boolean => typeof value === 'bigint' || Number.isSafeInteger(value)

function checkInteger(value: Argument | undefined, where: string): void {
  if (!isWhole(value)) fail(`${where}: its argument must be an integer, but found ${show(value)}.`)
}

/** random_: low <= x < high, or no bounds. */
function checkRange([low = null, high = null]: readonly Argument[], where: string): void {
  for (const bound of [low, high]) if (bound !== null) checkInteger(bound, where)
  if (high !== null && BigInt(low ?? 0) >= BigInt(high)) fail(`${where}: random_ from ${low} to ${high} is empty.`)
}

function readInversion({ uniform, scale }: Record<string, unknown>, where: string) {
  const [low, high, ...more] = list(uniform, `${where}: uniform`)
  const numbers = [low, high, scale].map((value) => numberOf(argument(value, where), where))
  if (more.length > 0) fail(`${where}: uniform must be [low, high], but found ${show(uniform)}.`)
  return { low: numbers[0]!, high: numbers[1]!, scale: numbers[2]! }
}

const writeOptions = ['part', 'dtype', 'call', 'from', 'source', 'dims', 'keepdim', 'operations', 'random', 'data']

/** What a write may refer to. */
export interface Known {
  readonly calls: readonly Call[]
  /** The tensors that are no parameters, by name. */
  readonly values: ReadonlyMap<string, ProgramTensor>
}

function readWrite(row: unknown, size: number, known: Known, where: string): Write {
  const { operation, arguments: given, options } = split(row, 1, where)
  const named = record(options, writeOptions, where)
  const from = named.from === undefined ? undefined : text(named.from, `${where}: from`)
  const value = from === undefined ? undefined : known.values.get(from)
  if (from !== undefined && value === undefined) fail(`${where}: from ${show(from)} is no earlier value.`)
  const takesTensor = from !== undefined && withTensors.includes(operation)
  const [least, most] = Object.hasOwn(changes, operation)
    ? changes[operation]!.map((n) => (takesTensor ? n - 1 : n))
    : Object.hasOwn(fixed, operation)
      ? [fixed[operation]!, fixed[operation]!]
      : Object.hasOwn(draws, operation)
        ? [0, 4]
        : fail(`${where}: unknown operation ${show(operation)}.`)
  if (given.length < least! || given.length > most!) {
    fail(`${where}: ${operation} takes ${least} to ${most} arguments, but found ${show(given)}.`)
  }
  const part = named.part === undefined ? undefined : readRegion(named.part, size, `${where}: part`)
  const count = part?.elementCount ?? size
  const call = named.call === undefined ? undefined : index(named.call, known.calls.length, `${where}: call`)
  if (Object.hasOwn(draws, operation)) checkDraw(operation, call, count, known, where)
  else if (call !== undefined) fail(`${where}: ${operation} draws nothing, but has call ${call}.`)
  if ((operation === 'copy_' || operation === 'norm_') && from === undefined) fail(`${where}: ${operation} needs from.`)
  const source =
    value === undefined
      ? undefined
      : named.source === undefined
        ? wholeRegion(value.shape, value.elementCount)
        : readRegion(named.source, value.elementCount, `${where}: source`)
  const one = takesTensor && source?.shape.length === 0
  if (source !== undefined && operation !== 'norm_' && !one && source.elementCount !== count) {
    fail(`${where}: the source has ${source.elementCount} elements, but ${count} are written.`)
  }
  const dtype = named.dtype === undefined ? undefined : text(named.dtype, `${where}: dtype`)
  const table = operation === 'table'
  const made = table ? list(named.operations, `${where}: operations`).map((o) => text(o, `${where}: operations`)) : []
  // What a dtype without a home here holds is as unknown as a table.
  if (dtype !== undefined && !isDType(dtype)) return { ...unknownTable, operations: [`dtype ${dtype}`] }
  const numbers = given.map((cell) => argument(cell, where))
  if (operation !== 'clamp_' && operation !== 'random_') for (const cell of numbers) numberOf(cell, where)
  return {
    operation,
    arguments: numbers,
    ...(part === undefined ? {} : { part }),
    ...(dtype === undefined ? {} : { dtype: dtype as ArrayDType }),
    ...(call === undefined ? {} : { call }),
    ...(from === undefined ? {} : { from }),
    ...(source === undefined ? {} : { source }),
    dims: operation === 'norm_' ? readDims(named.dims, source!, count, where) : [],
    operations: made,
    random: table && named.random === true,
    ...(named.data === undefined ? {} : { data: text(named.data, `${where}: data`) }),
  }
}

const unknownTable = { operation: 'table', arguments: [], dims: [], random: true } as const

function checkDraw(operation: string, call: number | undefined, count: number, { calls }: Known, where: string): void {
  const made = calls[call ?? fail(`${where}: ${operation} needs its call.`)]!
  if (made.operation !== operation && made.operation !== 'unknown') {
    fail(`${where}: ${operation} is no call of ${made.operation}, which program[${call}] is.`)
  }
  if (made.count !== count) fail(`${where}: program[${call}] draws ${made.count} elements, but ${count} are written.`)
}

function readDims(value: unknown, source: Region, count: number, where: string): readonly number[] {
  const axes = source.shape.length
  const dims = list(value, `${where}: dims`).map((axis) =>
    isInteger(axis, -axes, axes - 1)
      ? (axis + axes) % axes
      : fail(`${where}: dims ${show(value)} are no axes of ${show(source.shape)}.`),
  )
  if (new Set(dims).size !== dims.length) fail(`${where}: dims ${show(value)} name an axis twice.`)
  const summed = dims.reduce((product, axis) => product * source.shape[axis]!, 1)
  if (source.elementCount / summed !== count) fail(`${where}: the norms are not ${count}.`)
  return dims
}

/** A tensor of a program and its writes; undefined for one whose dtype has no place here. */
export function readTensor(
  { name, shape: given, dtype, writes }: Readonly<Record<keyof RecordedTensor, unknown>>,
  known: Known,
  where: string,
): ProgramTensor | undefined {
  const { shape, elementCount } = readShape(given, where)
  const rows = list(writes, `${where}: writes`)
  if (!isDType(text(dtype, `${where}: dtype`))) return undefined
  const tensor = { name: text(name, `${where}: name`), shape, elementCount, dtype: dtype as ArrayDType }
  if (elementCount === 0) return { ...tensor, writes: [] }
  return { ...tensor, writes: rows.map((row, i) => readWrite(row, elementCount, known, `${where}: writes[${i}]`)) }
}

/** What a program says, checked. */
export interface ReadProgram extends Known {
  readonly parameters: ReadonlyMap<string, ProgramTensor>
  readonly generators: readonly (bigint | null)[]
}

/** @throws WeightInitError `INVALID_FILE` naming the place, the value and what it should be */
export function readProgram(
  program: Readonly<Record<'parameters' | 'values' | 'generators' | 'calls', unknown>>,
): ReadProgram {
  const generators = list(program.generators, 'generators').map((value, i) => {
    const { seed } = record(value, ['seed'], `generators[${i}]`)
    const number = argument(seed, `generators[${i}]`)
    if (number === null || typeof number === 'bigint') return number
    return Number.isSafeInteger(number)
      ? BigInt(number)
      : fail(`generators[${i}]: seed must be an integer, but found ${show(seed)}.`)
  })
  const calls = list(program.calls, 'program').map((row, i) => readCall(row, i, generators.length))
  const values = new Map<string, ProgramTensor>()
  const known = { calls, values }
  const depths = new Map<string, number>()
  for (const [i, entry] of list(program.values, 'values').entries()) {
    const fields = record(entry, ['name', 'shape', 'dtype', 'writes'], `values[${i}]`) as Record<
      keyof RecordedTensor,
      unknown
    >
    const name = text(fields.name, `values[${i}]: name`)
    if (values.has(name)) fail(`two values are called ${show(name)}.`)
    const tensor = readTensor(fields, known, `value ${show(name)}`)
    const depth =
      (tensor?.writes ?? []).reduce((most, { from }) => Math.max(most, from === undefined ? 0 : depths.get(from)!), 0) +
      1
    if (depth > MOST_DEPTH)
      fail(`value ${show(name)} is computed from more than ${MOST_DEPTH} values, one after another.`)
    depths.set(name, depth)
    const { shape, elementCount } = readShape(fields.shape, `value ${show(name)}`)
    values.set(
      name,
      tensor ?? {
        name,
        shape,
        elementCount,
        dtype: 'float32',
        writes: [{ ...unknownTable, operations: [`dtype ${String(fields.dtype)}`] }],
      },
    )
  }
  const parameters = new Map<string, ProgramTensor>()
  for (const [i, entry] of list(program.parameters, 'parameters').entries()) {
    const fields = record(entry, ['name', 'shape', 'dtype', 'writes'], `parameters[${i}]`) as Record<
      keyof RecordedTensor,
      unknown
    >
    const name = text(fields.name, `parameters[${i}]: name`)
    if (parameters.has(name)) fail(`two parameters are called ${show(name)}.`)
    const tensor = readTensor(fields, known, `parameter ${show(name)}`)
    if (tensor !== undefined) parameters.set(name, tensor)
  }
  return { calls, values, generators, parameters }
}
