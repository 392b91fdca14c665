// Tests of a whole model: copies within and between tensors, and the one error rate over all tests.

import { agreementChance } from './agreement.js'
import { isCoarse, type RoundedDistribution } from './expected/rounded-distribution.js'
import { START_LENGTH } from './fingerprint.js'
import type { MeasuredTensor, TensorMeasurement } from './measured-tensor.js'
import { mergeMeasurements, noMeasurement } from './measurement.js'
import type { Repeats } from './repeats.js'
import type { TestOutcome } from './tests.js'

/**
 * Elements that are followed by the same 16 as others: by chance in valid weights with at most the probability of agreement, or where
 * two of A hashes of 53 bits are equal, A^2 / 2 pairs.
 */
export function copiesTest(tensors: readonly MeasuredTensor[], { anchorCount, count, examples }: Repeats): TestOutcome {
  const agreements = tensors.flatMap(({ agreement }) => (agreement === undefined ? [] : [agreement]))
  const chance = agreementChance(agreements) + (anchorCount ** 2 / 2) * 2 ** -53
  const pairs = new Map<string, { count: number; text: string }>()
  for (const { name, element, firstName, firstElement } of examples) {
    const key = JSON.stringify([name, firstName].sort())
    const known = pairs.get(key)
    if (known !== undefined) known.count++
    else pairs.set(key, { count: 1, text: `${name}[${element}...] is ${firstName}[${firstElement}...]` })
  }
  const listed = [...pairs.values()].slice(0, 5).map(({ text }) => text)
  return {
    test: 'copies',
    pValue: count === 0 ? 1 : Math.min(1, chance),
    statistic: count,
    message:
      count === 0
        ? `no copies among ${anchorCount} places`
        : `${count} of ${anchorCount} places hold the same elements as another: ${listed.join('; ')}`,
  }
}

/** Names of the tensors that `copiesTest` found to share elements. */
export const copiedNames = ({ examples }: Repeats): Set<string> =>
  new Set(examples.flatMap(({ name, firstName }) => [name, firstName]))

/** Tensors whose first elements fall into the same bins, one after another: the same draws, up to scale. */
export interface SameStart {
  readonly names: readonly string[]
  readonly outcome: TestOutcome
}

/**
 * Two tensors agree in the bins of their first L elements by chance with probability at most (likeliest bin)^L + 2^-64; over
 * all pairs, the sum.
 */
export function sameStartTests(measured: readonly TensorMeasurement[]): SameStart[] {
  const groups = new Map<string, { names: string[]; chance: number }>()
  let candidates = 0
  for (const { tensor, measurements } of measured) {
    const { parameter, rounded } = tensor
    if (rounded === undefined || rounded.continuous.zeroInflated || isCoarse(rounded, parameter.elementCount)) continue
    candidates++
    const length = Math.min(parameter.elementCount, START_LENGTH)
    const [a, b] = measurements.reduce(mergeMeasurements, noMeasurement).startHash
    const key = `${length} ${a} ${b}`
    const chance = likeliestBin(rounded) ** length + 2 ** -64
    const group = groups.get(key) ?? { names: [], chance: 0 }
    group.names.push(parameter.name)
    group.chance = Math.max(group.chance, chance)
    groups.set(key, group)
  }
  const pairs = (candidates * (candidates - 1)) / 2
  return [...groups.values()]
    .filter(({ names }) => names.length > 1)
    .map(({ names, chance }) => ({
      names,
      outcome: {
        test: 'same start',
        pValue: Math.min(1, pairs * chance),
        statistic: names.length,
        message: `${names.slice(0, 5).join(', ')}${names.length > 5 ? ', ...' : ''} begin with the same draws, up to scale`,
      },
    }))
}

const likeliestBin = ({ probabilities, variants }: RoundedDistribution): number =>
  Math.max(...probabilities, ...variants.map(likeliestBin))

/**
 * Holm's step-down procedure (1979): with m p-values in rising order, the i-th is adjusted to the largest of (m - k + 1) p_k
 * over k <= i. Refusing what is at most alpha errs in any of them with probability at most alpha, however they depend on each
 * other.
 */
export function holmAdjusted(pValues: readonly number[]): number[] {
  const order = pValues.map((_, index) => index).sort((a, b) => pValues[a]! - pValues[b]!)
  const adjusted = new Array<number>(pValues.length)
  let largest = 0
  order.forEach((index, rank) => {
    largest = Math.max(largest, Math.min(1, (pValues.length - rank) * pValues[index]!))
    adjusted[index] = largest
  })
  return adjusted
}
