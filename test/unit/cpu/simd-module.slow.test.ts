// The WebAssembly module that is checked in is what assembly/ compiles to.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { compileSimd } from '../../../scripts/build-simd.mjs'

test('src/cpu/simd-module.ts is what assembly/ compiles to', async () => {
  const text = readFileSync(new URL('../../../src/cpu/simd-module.ts', import.meta.url), 'utf8')
  expect(await compileSimd()).toBe(text)
})
