import { byteWidth, type DType, isFloatDType, largestFinite } from '../core/dtype.js'
import { show } from '../core/errors.js'
import { float32Bits, float32ToBfloat16, float32ToFloat16 } from '../core/half.js'
import type { DistributionOf } from '../ir/distribution.js'
import { brief, fail } from './checks.js'
import type { DistributionDefinition } from './kind.js'

const integerRange: Partial<Record<DType, readonly [bigint, bigint]>> = {
  int8: [-128n, 127n],
  uint8: [0n, 255n],
  int16: [-32768n, 32767n],
  uint16: [0n, 65535n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
  bool: [0n, 1n],
}

export function checkConstant(value: number, dtype: DType, where: string): void {
  if (typeof value !== 'number' || !Number.isFinite(value))
    fail(where, `constant ${show(value)} is not a finite number.`)
  if (isFloatDType(dtype)) {
    const largest = largestFinite(dtype)
    if (Math.abs(value) > largest)
      fail(where, `constant ${value} is out of bounds for ${dtype}, whose largest finite value is ${largest}.`)
    return
  }
  const [low, high] = integerRange[dtype] as readonly [bigint, bigint]
  if (!Number.isInteger(value) || BigInt(value) < low || BigInt(value) > high) {
    fail(where, `constant ${value} is not an integer in [${low}, ${high}], the range of ${dtype}.`)
  }
}

/** The 16 bytes that repeat through a constant parameter: a whole number of elements of any dtype. */
export function constantPattern(value: number, dtype: DType): Uint8Array {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  const width = byteWidth(dtype)
  for (let at = 0; at < 16; at += width) {
    if (dtype === 'float32') view.setFloat32(at, value, true)
    else if (dtype === 'float16') view.setUint16(at, float32ToFloat16(float32Bits(value)), true)
    else if (dtype === 'bfloat16') view.setUint16(at, float32ToBfloat16(float32Bits(value)), true)
    else {
      const integer = BigInt.asUintN(8 * width, BigInt(value))
      for (let byte = 0; byte < width; byte++) bytes[at + byte] = Number((integer >> BigInt(8 * byte)) & 0xffn)
    }
  }
  return bytes
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
