// What replays recorded programs: see ../program-engine.ts for why it is installed and not imported.

import { isInteger } from '../../../core/integers.js'
import type { TorchProgramSource } from '../../../ir/generator.js'
import { installProgramEngine, type ProgramEngine } from '../program-engine.js'
import { isDrawable } from './draw.js'
import { type Evaluation, evaluateRange, evaluateWhole, isRanged, MOST_WHOLE } from './evaluate.js'
import { fail, list, readProgram, record } from './parse.js'
import { assignProgram } from './sources.js'
import type { Place } from './types.js'

const sourceKeys = ['generator', 'variant', 'tensor', 'values', 'calls', 'places']
/** As for the generator torch-cpu. */
const LAST_POSITION = 2 ** 52

const engine: ProgramEngine = {
  assign: assignProgram,
  read(value, elementCount, where) {
    const source = record(value, sourceKeys, `${where}: generatorSource`) as unknown as TorchProgramSource
    if (source.variant !== 'fma' && source.variant !== 'no-contraction') fail(`${where}: unknown variant.`)
    const evaluation = compiled(source)
    const { tensor } = evaluation
    if (tensor.elementCount !== elementCount || tensor.elementCount === 0) {
      fail(`${where}: its generatorSource writes ${tensor.elementCount} elements, but it has ${elementCount}.`)
    }
    const ranged = isRanged(evaluation)
    for (const { elementCount: count } of [tensor, ...evaluation.values.values()]) {
      if (!ranged && count > MOST_WHOLE) fail(`${where}: ${count} elements are more than can be made whole, 2^28.`)
    }
    return source
  },
  sample(source, first, count) {
    const evaluation = compiled(source)
    if (isRanged(evaluation)) return evaluateRange(evaluation, first, count)
    if (last?.source !== source) last = { source, values: Float32Array.from(evaluateWhole(evaluation)) }
    return last.values.subarray(first, first + count)
  },
}

/** The tensor that was made whole last: its elements are asked for piece by piece. */
let last: { readonly source: TorchProgramSource; readonly values: Float32Array } | undefined

let known: WeakMap<TorchProgramSource, Evaluation> | undefined

/** A source, checked. */
function compiled(source: TorchProgramSource): Evaluation {
  known ??= new WeakMap()
  const found = known.get(source)
  if (found !== undefined) return found
  const { calls, values, parameters } = readProgram({
    parameters: [source.tensor],
    values: source.values,
    generators: [],
    calls: source.calls,
  })
  const places = list(source.places, 'places').map(readPlace)
  if (places.length !== calls.length) fail(`${places.length} places are not those of ${calls.length} calls.`)
  for (const call of calls) if (!isDrawable(call)) fail(`${call.operation} of dtype ${call.dtype} is not replayed.`)
  const [tensor] = parameters.values()
  const { variant } = source
  const evaluation = {
    tensor: tensor ?? fail(`its dtype is not known.`),
    values,
    drawOf: (call: number) => ({ call: calls[call]!, place: places[call]!, variant }),
  }
  known.set(source, evaluation)
  return evaluation
}

function readPlace(value: unknown, index: number): Place {
  const where = `places[${index}]`
  const { seed, position, cachedAt } = record(value, ['seed', 'position', 'cachedAt'], where)
  if (!isInteger(seed, 0, 2 ** 32 - 1)) return fail(`${where}: seed must be an integer of 32 bits.`)
  if (!isInteger(position, 0, LAST_POSITION)) return fail(`${where}: position must be an integer >= 0.`)
  if (cachedAt === undefined) return { seed, position }
  return isInteger(cachedAt, 0, LAST_POSITION)
    ? { seed, position, cachedAt }
    : fail(`${where}: cachedAt must be an integer >= 0.`)
}

/** Makes `generator: { name: 'torch-cpu', program }` work; may be called more than once. */
export const enableTorchPrograms = (): void => installProgramEngine(engine)
