// Guards that text from files and users cannot act on a terminal or forge lines: visible, show, showPath, tables.
import { describe, expect, test } from 'vitest'
import { formatTable } from '../../../src/cli/terminal.js'
import { show, showPath } from '../../../src/core/errors.js'
import { visible } from '../../../src/core/visible.js'

const hostile: readonly (readonly [text: string, shown: string])[] = [
  ['\x1b[2J\x1b]0;title\x07', '\\u001b[2J\\u001b]0;title\\u0007'],
  ['a\nOK', 'a\\u000aOK'],
  ['\x9b31m', '\\u009b31m'],
  ['\x7f', '\\u007f'],
  ['\u202egnp.exe', '\\u202egnp.exe'],
  ['\u2066x\u2069', '\\u2066x\\u2069'],
  ['\u2028\u2029\ufeff\u200b', '\\u2028\\u2029\\ufeff\\u200b'],
  ['\ud800x\udc00', '\\ud800x\\udc00'],
]

test.each(hostile)('visible(%j)', (text, shown) => {
  expect(visible(text)).toBe(shown)
})

test('what shows itself stays: letters of all scripts, emoji, spaces', () => {
  for (const text of ['größe 重み', 'שלום', '🦙👩‍💻'.replace('\u200d', ''), 'a b\u00a0c'])
    expect(visible(text)).toBe(text)
})

describe('show', () => {
  test.each(hostile)('of %j is one line that a terminal only shows', (text) => {
    for (const shown of [show(text), show({ [text]: text }), showPath(`/tmp/${text}`)]) {
      expect(shown).toMatch(/^[\x20-\x7e]*$/)
    }
  })

  test('of a function that is named by a symbol', () => {
    const named = Object.defineProperty(() => 0, 'name', { value: Symbol('s') })
    expect(show(named)).toBe('function (anonymous)')
  })
})

test('showPath keeps the name of the file', () => {
  const long = `/${'folder/'.repeat(30)}weights.safetensors`
  expect(showPath(long)).toMatch(/^"\/folder.*\.\.\.\/weights\.safetensors"$/)
  expect(showPath(long).length).toBeLessThanOrEqual(84)
  expect(showPath('/a/b')).toBe('"/a/b"')
  expect(showPath(undefined)).toBe('undefined')
})

test('a table has one line for each row, whatever its cells hold', () => {
  const rows = [
    ['w\nParity: 0 of all 1 elements differ', '1'],
    ['\x1b[1A', '2'],
  ]
  const lines = formatTable(['parameter', 'n'], rows, new Set([1])).split('\n')
  expect(lines).toHaveLength(4)
  expect(lines.join('')).toMatch(/^[\x20-\x7e]*$/)
})
