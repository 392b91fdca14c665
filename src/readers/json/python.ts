/** No string of a config begins so. */
const NOT_A_NUMBER = '\u0000NaN'

/**
 * JSON as Python's json module reads it: NaN, Infinity and -Infinity are numbers, and a byte order mark is passed over.
 * @throws SyntaxError as JSON.parse
 */
export function parsePythonJson(text: string): unknown {
  const plain = text.replace(/^\ufeff/, '')
  // Whole strings are matched first, so that nothing inside of one is changed. 1e999 is Infinity in JSON.parse.
  const json = plain.replace(/"(?:[^"\\]|\\.)*"|\bNaN\b|\bInfinity\b/g, (token) =>
    token === 'NaN' ? JSON.stringify(NOT_A_NUMBER) : token === 'Infinity' ? '1e999' : token,
  )
  if (json === plain) return JSON.parse(plain)
  return JSON.parse(json, (_, value: unknown) => (value === NOT_A_NUMBER ? Number.NaN : value))
}
