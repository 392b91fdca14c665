// GPU equals CPU in every bit: distributions, dtypes, counts, offsets, shifts.
import { describe, expect, test } from 'vitest'
import { byteWidth, type DType, type FloatDType, floatDTypes } from '../../src/core/dtype.js'
import { fillBytes } from '../../src/cpu/fill.js'
import { constantPattern } from '../../src/distributions/constant.js'
import { fillSpecOf } from '../../src/distributions/registry.js'
import { runJobs } from '../../src/gpu/run-jobs.js'
import type { Distribution } from '../../src/ir/distribution.js'
import type { FillJob } from '../../src/ir/job.js'
import { parameterStream, type Stream } from '../../src/random/keys.js'
import { countDifferences } from '../support/bits.js'
import { randomDistributions } from '../support/distributions.js'
import { adapterName, readBuffer, useDevice } from '../support/gpu.js'

const gpu = useDevice()

function job(
  distribution: Distribution,
  dtype: FloatDType,
  firstElement: number,
  elementCount: number,
  stream: Stream = parameterStream('w', 42),
): FillJob {
  return { name: 'w', dtype, firstElement, elementCount, ...fillSpecOf(distribution, dtype, stream) }
}

/** Runs a job into a buffer of 0xAA bytes and compares all of it: the elements, and that nothing else was touched. */
async function differences(fill: FillJob, byteOffset = 0, spare = 0): Promise<number> {
  const width = byteWidth(fill.dtype)
  const size = Math.ceil((byteOffset + fill.elementCount * width + spare) / 4) * 4
  const before = new Uint8Array(size).fill(0xaa)
  const buffer = gpu.device.createBuffer({
    size,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
  })
  gpu.device.queue.writeBuffer(buffer, 0, before)
  await runJobs(gpu.state, [{ job: fill, buffer, byteOffset }])
  const expected = before
  expected.set(fillBytes(fill, 0, fill.elementCount), byteOffset)
  const actual = await readBuffer(gpu.device, buffer)
  buffer.destroy()
  return countDifferences(actual, expected, 1).count
}

const dtypes: readonly FloatDType[] = floatDTypes

describe(`parity with the CPU on ${adapterName}`, () => {
  test.each([
    ['standard normal', 'float32'],
    ['symmetric uniform', 'float32'],
    ['general uniform', 'float32'],
  ] as const)('2^24 values of %s, %s', async (name, dtype) => {
    // In parts, so that the host holds 16 MiB at a time.
    const part = 2 ** 22
    for (let first = 0; first < 2 ** 24; first += part) {
      expect(await differences(job(randomDistributions[name]!, dtype, first, part))).toBe(0)
    }
  })

  test('ones on a diagonal whose elements share words, in every dtype of a byte and of two', async () => {
    const pattern = (dtype: DType): Uint8Array => constantPattern(1, dtype)
    for (const dtype of ['float8_e4m3fn', 'float8_e5m2', 'float16', 'uint8', 'int16'] as const) {
      for (const stride of [2, 3, 5]) {
        const one: FillJob = {
          name: 'w',
          dtype,
          firstElement: 0,
          elementCount: 997,
          source: { kind: 'constant', pattern: new Uint8Array(16) },
          patches: [
            { kind: 'diagonal', first: 1, stride, count: Math.floor(500 / stride), pattern: pattern(dtype) },
            {
              kind: 'diagonal',
              first: 500,
              stride: stride + 1,
              count: Math.floor(497 / (stride + 1)),
              pattern: pattern(dtype),
            },
          ],
        }
        expect(await differences(one, 8, 12), `${dtype} ${stride}`).toBe(0)
      }
    }
  })

  test.each(Object.entries(randomDistributions))('%s in every dtype, an odd count', async (_, distribution) => {
    for (const dtype of dtypes) expect(await differences(job(distribution, dtype, 0, 100_003))).toBe(0)
  })

  test.each(dtypes)('every tail of 1..9 elements from every shift 0..7, %s', async (dtype) => {
    for (let count = 1; count <= 9; count++) {
      for (let first = 0; first < 8; first++) {
        for (const name of ['shifted normal', 'general uniform']) {
          const wrong = await differences(job(randomDistributions[name]!, dtype, first, count), 8, 12)
          if (wrong !== 0) expect({ name, count, first, wrong }).toEqual({ name, count, first, wrong: 0 })
        }
      }
    }
  })

  test.each([4, 12, 252, 256, 260, 1028])('byte offset %i', async (byteOffset) => {
    for (const dtype of dtypes)
      expect(await differences(job(randomDistributions['small normal']!, dtype, 3, 4097), byteOffset, 64)).toBe(0)
  })

  test.each([
    ['the low counter word wraps', { key: 5n, counter: 0xffff_fffen }, 0],
    ['the whole counter wraps', { key: 0xffff_ffff_ffff_ffffn, counter: 0xffff_ffff_ffff_fffen }, 0],
    ['the low word wraps inside a slice', { key: 1n, counter: 0n }, 4 * 0xffff_fff0],
    ['elements beyond 2^33', { key: 2n, counter: 12345678901234567n }, 2 ** 33 + 1],
    ['the last addressable elements', { key: 2n, counter: 7n }, 2 ** 53 - 5001],
  ])('64-bit counters: %s', async (_, stream, firstElement) => {
    for (const name of ['standard normal', 'unit uniform']) {
      expect(await differences(job(randomDistributions[name]!, 'float32', firstElement, 4999, stream))).toBe(0)
    }
  })

  test('a slice is the part of the whole', async () => {
    const distribution = randomDistributions['standard normal']!
    const whole = fillBytes(job(distribution, 'float32', 0, 5000), 0, 5000)
    for (const [first, count] of [
      [0, 5000],
      [1, 1],
      [1023, 77],
      [4990, 10],
    ] as const) {
      const slice = fillBytes(job(distribution, 'float32', first, count), 0, count)
      expect(countDifferences(slice, whole.subarray(4 * first, 4 * (first + count)), 4).count).toBe(0)
    }
  })
})
