// The golden hashes of value contract version 1 (docs/value-contract.md). They must never change: a change of any
// produced value is a new version of the contract.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parameterStream } from '../../src/random/keys.js'
import { contractCases, contractHash } from '../support/contract.js'
import golden from '../vectors/contract_v1.json' with { type: 'json' }

const hashes: Readonly<Record<string, string>> = golden.sha256

test('the file lists exactly the cases', () => {
  expect(Object.keys(hashes)).toEqual(contractCases.map(({ id }) => id))
})

test.each(contractCases.map((c) => [c.id, c] as const))('%s', async (id, contractCase) => {
  expect(await contractHash(contractCase)).toBe(hashes[id])
})

test('the streams in docs/value-contract.md are right', () => {
  const text = readFileSync(new URL('../../docs/value-contract.md', import.meta.url), 'utf8')
  const rows = [...text.matchAll(/^\| `([^`]*)` +\| (\d+) +\| `(0x[0-9a-f]{16})` \| `(0x[0-9a-f]{16})` \|$/gm)]
  expect(rows.length).toBeGreaterThanOrEqual(3)
  for (const [, name = '', seed = '', streamSeed = '', offset = ''] of rows) {
    expect(parameterStream(name, BigInt(seed))).toEqual({ key: BigInt(streamSeed), counter: BigInt(offset) })
  }
})

test('the hashes in docs/value-contract.md are those of the file', () => {
  const text = readFileSync(new URL('../../docs/value-contract.md', import.meta.url), 'utf8')
  const rows = [...text.matchAll(/^\| `([^`]+)` +\| `([0-9a-f]{64})` \|$/gm)]
  expect(rows.length).toBeGreaterThanOrEqual(6)
  for (const [, id = '', hash = ''] of rows) expect(hash).toBe(hashes[id])
})
