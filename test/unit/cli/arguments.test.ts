// How arguments are read and refused, and what --help prints.
import { describe, expect, it } from 'vitest'
import { Arguments } from '../../../src/cli/arguments.js'
import { type Command, commandHelp } from '../../../src/cli/command.js'
import { bytesOf, patternFlag, patternsOf, seedOf, verifyOf } from '../../../src/cli/flags.js'
import { UsageError } from '../../../src/cli/usage.js'

const flags = {
  seed: { value: 'N', help: 'a seed' },
  a: { value: 'X', help: 'a number' },
  skip: patternFlag('leave out'),
  verify: { value: 'V', help: 'how many' },
  limit: { value: 'BYTES', help: 'bytes' },
  json: { help: 'JSON' },
  output: { value: 'PATH', short: 'o', help: 'where' },
}
const parse = (...args: string[]): Arguments => new Arguments(args, flags)

describe('Arguments', () => {
  it('reads flags in every spelling, and negative numbers as values', () => {
    const args = parse('model.json', '-o', 'out', '--a', '-0.5', '--json', '--seed=-7')
    expect(args.positionals).toEqual(['model.json'])
    expect(args.text('output')).toBe('out')
    expect(args.number('a')).toBe(-0.5)
    expect(args.has('json')).toBe(true)
    expect(args.has('skip')).toBe(false)
    expect(seedOf(args)).toBe(-7n)
    expect(args.operand('plan', 'a model')).toBe('model.json')
  })

  for (const [name, args, message] of [
    ['an unknown flag', ['--nope'], /--nope/],
    ['a value for a switch', ['--json=yes'], /--json/],
    ['no value', ['--seed'], /--seed/],
    ['a flag twice', ['--seed', '1', '--seed=2'], /--seed is given twice/],
    ['a switch twice', ['--json', '--json'], /--json is given twice/],
  ] as const) {
    it(`refuses ${name}`, () => {
      expect(() => parse(...args)).toThrow(UsageError)
      expect(() => parse(...args)).toThrow(message)
    })
  }

  it('refuses flags that exclude each other, and operands too few or too many', () => {
    expect(() => parse('--a', '1', '--seed', '2').exclusive('a', 'seed')).toThrow('--a and --seed exclude each other')
    expect(() => parse('--a', '1').exclusive('a', 'seed')).not.toThrow()
    expect(() => parse().operand('plan', 'a model')).toThrow('plan needs a model')
    expect(() => parse('x', 'y').operand('plan', 'a model')).toThrow('remove "y"')
  })

  it('reads patterns: globs as they are, regular expressions between slashes', () => {
    expect(patternsOf(parse('--skip', 'h.*', '--skip', '/bias$/i'), 'skip')).toEqual(['h.*', /bias$/i])
    expect(patternsOf(parse(), 'skip')).toEqual([])
    expect(() => patternsOf(parse('--skip', '/(/'), 'skip')).toThrow(/--skip "\/\(\/"/)
    expect(() => patternsOf(parse('--skip='), 'skip')).toThrow('--skip is empty')
  })

  it('reads bytes in decimal and binary units', () => {
    const bytes = (text: string): number | undefined => bytesOf(parse('--limit', text), 'limit')
    expect(['1', '5GB', '1.5G', '2GiB', '3 MB', '7K'].map(bytes)).toEqual([1, 5e9, 1.5e9, 2 ** 31, 3e6, 7000])
    for (const wrong of ['0', '-1', 'GB', '1 PB', '1e9', '', '0.1']) {
      expect(() => bytes(wrong), wrong).toThrow('--limit must be a number of bytes')
    }
  })

  it('reads how much to verify', () => {
    expect(['all', '0', '100'].map((text) => verifyOf(parse('--verify', text)))).toEqual(['all', 0, 100])
    for (const wrong of ['some', '-1', '0.5', '1e99'])
      expect(() => verifyOf(parse('--verify', wrong)), wrong).toThrow(/--verify must be/)
  })
})

describe('commandHelp', () => {
  it('names every flag with its value, and every example, within 120 columns', () => {
    const help = commandHelp({
      name: 'demo',
      synopsis: 'demo <model> [options]',
      summary: 'shows',
      description: 'It shows what the help of a command looks like. '.repeat(8),
      flags: { ...flags, long: { value: 'LONGER-THAN-THE-COLUMN', help: 'words '.repeat(40) } },
      examples: ['webgpu-init demo config.json'],
      run: async () => 0,
    } satisfies Command)
    expect(help).toMatch(/^Usage: webgpu-init demo <model> \[options\]\n/)
    expect(help).toMatch(/^ {2}-o, --output PATH +where$/m)
    expect(help).toMatch(/^ {6}--json +JSON$/m)
    expect(help).toMatch(/^ {2}-h, --help /m)
    expect(help).toContain('\n  webgpu-init demo config.json\n')
    expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120)
  })
})
