import { byteWidth, type DType, floatFormats, integerFormats, isFloatDType, largestFinite } from '../core/dtype.js'
import { show } from '../core/errors.js'
import { float32Bits } from '../core/half.js'
import type { DistributionOf } from '../ir/distribution.js'
import { brief, fail } from './checks.js'
import type { DistributionDefinition } from './kind.js'

export function checkConstant(value: number, dtype: DType, where: string): void {
  if (typeof value !== 'number' || !Number.isFinite(value))
    fail(where, `constant ${show(value)} is not a finite number.`)
  if (isFloatDType(dtype)) {
    const largest = largestFinite(dtype)
    if (Math.abs(value) > largest)
      fail(where, `constant ${value} is out of bounds for ${dtype}, whose largest finite value is ${largest}.`)
    return
  }
  const { low, high } = integerFormats[dtype]
  if (!Number.isInteger(value) || BigInt(value) < low || BigInt(value) > high) {
    fail(where, `constant ${value} is not an integer in [${low}, ${high}], the range of ${dtype}.`)
  }
}

/** The 16 bytes of which a constant parameter is a repetition. They hold a whole number of elements of any dtype. */
export function constantPattern(value: number, dtype: DType): Uint8Array {
  const width = byteWidth(dtype)
  const element = isFloatDType(dtype)
    ? BigInt(floatFormats[dtype].encode(float32Bits(value)))
    : BigInt.asUintN(8 * width, BigInt(value))
  return Uint8Array.from({ length: 16 }, (_, at) => Number((element >> BigInt(8 * (at % width))) & 0xffn))
}

export const constantDistribution: DistributionDefinition<DistributionOf<'constant'>> = {
  drawn: false,
  fields: { value: 'number' },
  check(distribution, dtype, where) {
    checkConstant(distribution.value, dtype, where)
    return distribution
  },
  expected: ({ value }) => ({ mean: value, std: 0, min: value, max: value }),
  describe: ({ value }) => `constant(${brief(value)})`,
  fill: ({ value }, dtype) => ({ source: { kind: 'constant', pattern: constantPattern(value, dtype) }, patches: [] }),
}
