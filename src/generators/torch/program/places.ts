// Where every call of a program begins. All but a truncated normal by rejection take a number of words that the call tells;
// a rejection is drawn to know where it ends.

import { refuse, WeightInitError } from '../../../core/errors.js'
import type { TorchCpuVariant } from '../../../ir/generator.js'
import { LONG_PERMUTATION } from '../randperm.js'
import { afterTruncated, checkTorchTruncated } from '../truncated.js'
import { advanced } from './advance.js'
import { numbersOf, sourceOf } from './elements.js'
import type { ReadProgram } from './parse.js'
import { rejectInDType } from './truncated.js'
import type { Call, Place } from './types.js'

/** Elements that may be drawn to find where rejections end: of parameters, and of draws that are dropped. */
const MOST_REJECTED = 2 ** 34
const MOST_DROPPED = 2 ** 28

const unsupported = /* @__PURE__ */ refuse('UNSUPPORTED_GENERATOR')

/**
 * Where each call of a program begins, for a seed: found in order, and no further than asked.
 * @throws WeightInitError `UNSUPPORTED_GENERATOR` naming the call that is not known, where one lies before the call asked for
 */
export function placesOf(
  { calls, generators }: ReadProgram,
  seed: bigint,
  variant: TorchCpuVariant,
): (call: number) => Place {
  const starting = (value: bigint): Place => ({ seed: Number(value & 0xffff_ffffn), position: 0 })
  const own = generators.map((value) => (value === null ? undefined : starting(value)))
  const slots = new Map<number, Place>()
  const places: (Place | undefined)[] = []
  let place = starting(seed)
  /** Finds where the call after the last one begins: only when something is drawn after it. */
  let settle = (): void => {}
  let rejected = 0
  let dropped = 0

  const after = (call: Call, from: Place, number: number): Place => {
    const where = `program[${number}] (${call.operation}${call.target === null ? '' : ` for ${call.target}`})`
    if (call.operation === 'randperm' && call.count >= LONG_PERMUTATION) {
      return unsupported(
        `${where}: permutations of ${call.count} elements are not replayed, only of fewer than ${LONG_PERMUTATION}.`,
      )
    }
    if (call.operation !== 'trunc_normal_' || call.inversion !== undefined || call.count === 0)
      return advanced(call, from)
    if (call.target === null) dropped += call.count
    else rejected += call.count
    if (rejected > MOST_REJECTED || dropped > MOST_DROPPED) {
      throw new WeightInitError(
        'LIMIT_EXCEEDED',
        `${where}: the program redraws more truncated normals than are followed: 2^34 elements of parameters, 2^28 that are dropped.`,
      )
    }
    if (call.dtype === 'float64' || call.layout !== undefined) {
      return unsupported(
        `${where}: trunc_normal_ is replayed for contiguous float32, float16 and bfloat16 tensors only.`,
      )
    }
    const [mean, std, low, high] = numbersOf(call) as [number, number, number, number]
    const distribution = { kind: 'truncated-normal', mean, std, low, high } as const
    if (!(std > 0 && low < high)) return unsupported(`${where}: std must be > 0 and the interval not empty.`)
    checkTorchTruncated(distribution, where)
    const draw = { call, place: from, variant }
    if (call.dtype !== 'float32') return rejectInDType(draw).after
    const { generatorSource } = afterTruncated(
      distribution,
      { generatorSource: sourceOf(draw, 'truncated-normal') },
      call.count,
    )
    const { position, cachedAt } = generatorSource
    return { seed: from.seed, position, ...(cachedAt === undefined ? {} : { cachedAt }) }
  }

  const step = (number: number): void => {
    settle()
    settle = () => {}
    const call = calls[number]!
    if (call.operation === 'unknown') {
      unsupported(
        `program[${number}]${call.target === null ? '' : `, for ${call.target}`}, is a random operation that is not known: the ` +
          'program cannot be replayed. Use the default generator, or take the weights from PyTorch.',
      )
    }
    const { generator, operation } = call
    const [argument] = call.arguments
    if (operation === 'manual_seed') place = starting(BigInt(argument as number | bigint))
    else if (operation === 'get_state') slots.set(Number(argument), place)
    else if (operation === 'set_state') {
      place = slots.get(Number(argument)) ?? unsupported(`program[${number}] sets a state that no get_state has kept.`)
    } else if (generator === undefined) {
      places[number] = place
      settle = () => {
        place = after(call, place, number)
      }
    } else {
      places[number] = own[generator]
      const at = own[generator]
      settle = () => {
        if (at !== undefined) own[generator] = after(call, at, number)
      }
    }
  }

  let walked = 0
  return (wanted) => {
    for (; walked <= wanted; walked++) step(walked)
    return places[wanted] ?? unsupported(`program[${wanted}] draws from a generator that cannot be followed.`)
  }
}
