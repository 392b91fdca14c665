import { show, WeightInitError } from '../../core/errors.js'

/** JSON as it came: objects are Maps, so that no name (`__proto__`) means anything, and no key can come twice unseen. */
export type StrictJson = string | number | boolean | null | StrictJson[] | Map<string, StrictJson>

/**
 * Parses JSON (RFC 8259) and refuses what `JSON.parse` lets pass: duplicate keys, and nesting deeper than `maxDepth`.
 * @param what what the messages call the text
 * @throws WeightInitError `INVALID_FILE` naming the position
 */
export function parseStrictJson(text: string, what: string, maxDepth: number): StrictJson {
  let at = 0

  const fail = (message: string): never => {
    throw new WeightInitError('INVALID_FILE', `${what} is not valid JSON at character ${at}: ${message}`)
  }
  const skipSpace = (): void => {
    while (at < text.length && ' \t\n\r'.includes(text[at]!)) at++
  }
  const expect = (character: string): void => {
    if (text[at] !== character)
      fail(`expected ${show(character)}, but found ${at < text.length ? show(text[at]) : 'the end'}.`)
    at++
  }
  /** A token by a sticky pattern; its text. */
  const token = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const match = pattern.exec(text)?.[0]
    if (match !== undefined) at += match.length
    return match
  }
  const string = (): string => {
    const raw = token(stringPattern)
    if (raw === undefined) return fail('expected a string.')
    return raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1)
  }

  const value = (depth: number): StrictJson => {
    skipSpace()
    const character = text[at]
    if (character === '"') return string()
    if (character === '{' || character === '[') {
      if (depth >= maxDepth) fail(`nested deeper than ${maxDepth} levels.`)
      at++
      return character === '{' ? object(depth + 1) : array(depth + 1)
    }
    const number = token(numberPattern)
    if (number !== undefined) return Number(number)
    const word = token(wordPattern)
    if (word !== undefined) return word === 'null' ? null : word === 'true'
    return fail(at < text.length ? `unexpected ${show(character)}.` : 'unexpected end.')
  }
  const object = (depth: number): Map<string, StrictJson> => {
    const map = new Map<string, StrictJson>()
    skipSpace()
    if (text[at] === '}') {
      at++
      return map
    }
    for (;;) {
      skipSpace()
      const key = string()
      if (map.has(key)) fail(`the key ${show(key)} comes twice.`)
      skipSpace()
      expect(':')
      map.set(key, value(depth))
      skipSpace()
      if (text[at] !== ',') break
      at++
    }
    expect('}')
    return map
  }
  const array = (depth: number): StrictJson[] => {
    const list: StrictJson[] = []
    skipSpace()
    if (text[at] === ']') {
      at++
      return list
    }
    for (;;) {
      list.push(value(depth))
      skipSpace()
      if (text[at] !== ',') break
      at++
    }
    expect(']')
    return list
  }

  const result = value(0)
  skipSpace()
  if (at < text.length) fail(`unexpected ${show(text[at])} after the value.`)
  return result
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these in a string
const stringPattern = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const numberPattern = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const wordPattern = /true|false|null/y
