// How many words of its stream a call takes, where the call tells: all calls but a truncated normal by rejection.

import { normalWords, smallNormalWords, TORCH_BLOCK } from '../cpu.js'
import { randpermWords } from '../randperm.js'
import { familyOf } from './elements.js'
import type { Call, Place } from './types.js'

const move = (place: Place, words: number): Place => ({ ...place, position: place.position + words })

function afterNormals({ count, dtype, layout }: Pick<Call, 'count' | 'dtype' | 'layout'>, place: Place): Place {
  if (count < TORCH_BLOCK || layout !== undefined) return afterSingle(count, place)
  if (dtype === 'float64') return move(place, 2 * normalWords(count))
  if (dtype === 'float32') return move(place, normalWords(count))
  const tail = count % TORCH_BLOCK
  return move(place, count - tail + (tail === 0 ? 0 : TORCH_BLOCK))
}

/** One by one: a normal that was kept first, then pairs of four words each, of which the last may leave one. */
function afterSingle(count: number, { seed, position, cachedAt }: Place): Place {
  const end = position + smallNormalWords(count, cachedAt !== undefined)
  const left = cachedAt === undefined ? count : count - 1
  return left % 2 === 0 ? { seed, position: end } : { seed, position: end, cachedAt: end - 4 }
}

/** Where the call after one begins that is no rejection. */
export function advanced(call: Call, place: Place): Place {
  const { count, dtype } = call
  if (count === 0) return place
  switch (familyOf(call)) {
    case 'uniform_':
      return move(place, dtype === 'float64' ? 2 * count : count)
    case 'normal_':
    case 'orthogonal_':
      return afterNormals(call, place)
    case 'log_normal_':
      return afterSingle(count, place)
    case 'trunc_normal_':
      return move(place, dtype === 'float64' ? 2 * count : count)
    case 'sparse_':
      return move(afterNormals(call, place), call.columns * randpermWords(call.rows))
    case 'randperm':
      return move(place, randpermWords(count))
    case 'random_':
      return move(place, count * integerWords(call))
    default:
      return move(place, 2 * count)
  }
}

/** Words that an element of random_ takes. */
export function integerWords({ arguments: [low, high], dtype }: Call): 1 | 2 {
  if (high === null || high === undefined) return dtype === 'int64' || dtype === 'float64' ? 2 : 1
  return BigInt(high) - BigInt(low ?? 0) >= 2n ** 32n ? 2 : 1
}
