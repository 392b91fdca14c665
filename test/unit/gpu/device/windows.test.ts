// How buffers are cut into bindings: windows within a device's limits that together cover every element once.
import { describe, expect, test } from 'vitest'
import { type BindingLimits, type BindingWindow, bindingWindows } from '../../../../src/gpu/device/windows.js'
import { seededWords } from '../../../support/seeded.js'

interface Region {
  readonly bufferByteLength: number
  readonly byteOffset: number
  readonly elementCount: number
  readonly byteWidth: 1 | 2 | 4 | 8
}

const up4 = (bytes: number): number => Math.ceil(bytes / 4) * 4

/** Everything that a shader and a device need of a list of windows; returns the first fault. */
function fault(region: Region, limits: BindingLimits, windows: readonly BindingWindow[]): string | undefined {
  const { bufferByteLength, byteOffset, elementCount, byteWidth } = region
  let next = 0
  for (const [index, { binding, start, count, firstWord }] of windows.entries()) {
    const at = `window ${index}`
    if (start !== next) return `${at} starts at ${start}, not ${next}`
    if (!Number.isSafeInteger(count) || count < 1) return `${at} has ${count} elements`
    next = start + count
    if (binding.offset % limits.minStorageBufferOffsetAlignment !== 0) return `${at} is bound at ${binding.offset}`
    if (binding.byteLength > limits.maxStorageBufferBindingSize) return `${at} binds ${binding.byteLength} bytes`
    if (binding.byteLength % 4 !== 0 || binding.byteLength < 4) return `${at} binds ${binding.byteLength} bytes`
    if (binding.offset + binding.byteLength > bufferByteLength) return `${at} ends past the buffer`
    if (!Number.isInteger(firstWord) || firstWord < 0) return `${at} begins at word ${firstWord}`
    // Where the elements lie in the buffer, by the window and by the region.
    if (binding.offset + 4 * firstWord !== byteOffset + start * byteWidth) return `${at} shows other elements`
    if (4 * firstWord + up4(count * byteWidth) > binding.byteLength) return `${at} holds its elements only partly`
    // Eight elements are whole words in every dtype: only the last window has a tail.
    if (index < windows.length - 1 && count % 8 !== 0) return `${at} has a tail`
  }
  return next === elementCount ? undefined : `${next} of ${elementCount} elements`
}

const small: BindingLimits = { maxStorageBufferBindingSize: 1024, minStorageBufferOffsetAlignment: 256 }
const widths = [2, 4] as const

describe.each(widths)('%d bytes an element', (byteWidth) => {
  test.each([1, 2, 3, 7, 8, 9, 31, 64, 100, 127])(
    '%d elements in a buffer below the limit: one window',
    (elementCount) => {
      const region = { bufferByteLength: 1024, byteOffset: 12, elementCount, byteWidth }
      const windows = bindingWindows(region, small)
      expect(fault(region, small, windows)).toBeUndefined()
      expect(windows).toEqual([
        { binding: { offset: 0, byteLength: 1024 }, start: 0, count: elementCount, firstWord: 3 },
      ])
    },
  )

  test.each([1, 2, 3, 9, 255, 256, 257, 511, 512, 513, 1023, 4095, 4096, 4097])(
    '%d elements in a buffer above the limit, at every offset up to 2 KiB',
    (elementCount) => {
      for (let byteOffset = 0; byteOffset <= 2048; byteOffset += 4) {
        const least = byteOffset + up4(elementCount * byteWidth)
        for (const bufferByteLength of [least, least + 4, least + 4096]) {
          const region = { bufferByteLength, byteOffset, elementCount, byteWidth }
          const found = fault(region, small, bindingWindows(region, small))
          if (found !== undefined) expect.fail(`${JSON.stringify(region)}: ${found}`)
        }
      }
    },
  )

  test('a buffer of exactly the limit, and one word more', () => {
    for (const bufferByteLength of [1024, 1028]) {
      const region = { bufferByteLength, byteOffset: 0, elementCount: bufferByteLength / byteWidth, byteWidth }
      const windows = bindingWindows(region, small)
      expect(fault(region, small, windows)).toBeUndefined()
      expect(windows.length > 1).toBe(bufferByteLength > 1024)
    }
  })

  test('two parameters of a packed buffer above the limit never share a word', () => {
    const first = { bufferByteLength: 65536, byteOffset: 0, elementCount: 1001, byteWidth }
    const second = { bufferByteLength: 65536, byteOffset: 4096, elementCount: 7777, byteWidth }
    for (const region of [first, second]) expect(fault(region, small, bindingWindows(region, small))).toBeUndefined()
  })
})

test.each([1, 8] as const)('constants of %d bytes an element', (byteWidth) => {
  for (const elementCount of [1, 3, 5, 1000, 1027, 5003]) {
    for (const byteOffset of [0, 4, 1020, 1024]) {
      const region = {
        bufferByteLength: byteOffset + up4(elementCount * byteWidth),
        byteOffset,
        elementCount,
        byteWidth,
      }
      expect(fault(region, small, bindingWindows(region, small))).toBeUndefined()
    }
  }
})

test('limits that are no multiple of 4, or of the alignment', () => {
  const next = seededWords(20)
  for (let i = 0; i < 3000; i++) {
    const limits = {
      maxStorageBufferBindingSize: 1024 + (next() % 5000),
      minStorageBufferOffsetAlignment: [32, 64, 256][next() % 3]!,
    }
    const byteWidth = widths[next() % 2]!
    const elementCount = 1 + (next() % 9000)
    const byteOffset = 4 * (next() % 3000)
    const bufferByteLength = byteOffset + up4(elementCount * byteWidth) + 4 * (next() % 100)
    const region = { bufferByteLength, byteOffset, elementCount, byteWidth }
    const found = fault(region, limits, bindingWindows(region, limits))
    if (found !== undefined) expect.fail(`${JSON.stringify({ region, limits })}: ${found}`)
  }
})

describe('real sizes', () => {
  // The least that WebGPU guarantees, and what SwiftShader and a large GPU have.
  test.each([
    ['the default limit of 128 MiB', 2 ** 27],
    ['1 GiB', 2 ** 30],
    ['2 GiB - 4', 2 ** 31 - 4],
    ['4 GiB - 4', 2 ** 32 - 4],
  ])('a tensor of 6 GiB under %s', (_, limit) => {
    const limits = { maxStorageBufferBindingSize: limit, minStorageBufferOffsetAlignment: 256 }
    const region = {
      bufferByteLength: 6 * 2 ** 30,
      byteOffset: 260,
      elementCount: 1_500_000_001,
      byteWidth: 4 as const,
    }
    const windows = bindingWindows(region, limits)
    expect(fault(region, limits, windows)).toBeUndefined()
    expect(windows.length).toBeLessThanOrEqual(Math.ceil((3 * 6 * 2 ** 30) / limit))
  })

  test('GPT-2’s embedding under 128 MiB', () => {
    const region = {
      bufferByteLength: 50257 * 768 * 4,
      byteOffset: 0,
      elementCount: 50257 * 768,
      byteWidth: 4 as const,
    }
    const limits = { maxStorageBufferBindingSize: 2 ** 27, minStorageBufferOffsetAlignment: 256 }
    expect(fault(region, limits, bindingWindows(region, limits))).toBeUndefined()
  })
})

test('the check here can fail', () => {
  const region = { bufferByteLength: 4096, byteOffset: 0, elementCount: 1000, byteWidth: 4 as const }
  const [good] = bindingWindows(region, small)
  expect(fault(region, small, [good!])).toBe(`${good?.count} of 1000 elements`)
  expect(fault(region, small, [{ ...good!, firstWord: 1 }])).toBe('window 0 shows other elements')
  expect(fault(region, small, [{ ...good!, binding: { offset: 0, byteLength: 2048 } }])).toBe(
    'window 0 binds 2048 bytes',
  )
})
