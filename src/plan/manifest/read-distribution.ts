import type { DType } from '../../core/dtype.js'
import { show } from '../../core/errors.js'
import {
  checkDistribution,
  distributionFields,
  distributionKinds,
  fitsElements,
  isDistribution,
} from '../../distributions/registry.js'
import type { Distribution } from '../../ir/distribution.js'
import { fail, record } from './fields.js'

/** JSON has no infinite numbers: a bound that is not there is null. */
const absentBound: Readonly<Record<string, number>> = {
  'lower bound': Number.NEGATIVE_INFINITY,
  'upper bound': Number.POSITIVE_INFINITY,
}

/** The distribution of a manifest's parameter, of whose whole tensor `elementCount` are the elements. */
export function readDistribution(value: unknown, dtype: DType, elementCount: number, where: string): Distribution {
  if (!isDistribution(value)) {
    const kinds = distributionKinds.filter((kind) => distributionFields(kind) !== undefined)
    return fail(`${where}: unknown distribution ${show(value)}; known kinds: ${kinds.join(', ')}.`)
  }
  const { kind } = value
  const fields = distributionFields(kind)
  if (fields === undefined) {
    return fail(
      `${where} has a sampler of its own (defineSampler), whose code is not in the manifest; call initializeModel with it ` +
        'and the same seed.',
    )
  }
  const given = { ...record(value, `${where}: distribution`, ['kind', ...Object.keys(fields)]) }
  for (const [key, field] of Object.entries(fields)) {
    if (field in absentBound) given[key] ??= absentBound[field]
    if (field !== 'text' && field !== 'list' && typeof given[key] !== 'number') {
      fail(`${where}: distribution.${key} must be a number, but found ${show(given[key])}.`)
    }
  }
  const distribution = given as unknown as Distribution
  if (!fitsElements(distribution, elementCount)) {
    fail(`${where}: ${show(distribution)} is not a ${kind} distribution of its ${elementCount} elements.`)
  }
  return checkDistribution(distribution, dtype, where)
}
