// Every value of every golden file meets a check, and passes it on the CPU (test/gpu/golden.test.ts: on the device).
import { expect, test } from 'vitest'
import { TorchGenerator } from '../../../src/index.js'
import { goldenChecks, goldenElsewhere } from '../../support/golden/files.js'
import { checkGolden, type GoldenCheck } from '../../support/golden/golden.js'
import { GoldenRows, hostTarget } from '../../support/golden/rows.js'
import { loadVectors, vectorFiles } from '../../support/golden/vectors.js'

test('a row without a check is found', async () => {
  const checks: GoldenCheck[] = [{ path: /^a\|x$/, check: () => {} }]
  expect(await checkGolden({ _meta: { m: 1 }, a: { x: 1, y: 2 }, b: 3 }, checks)).toEqual(['a|y', 'b'])
})

test('a wrong value is found, whatever makes it, and named', async () => {
  const rows = new GoldenRows(hostTarget)
  const generatorSource = { generator: 'jax', key: [0, 1], count: 3 } as const
  rows.draw('row', { distribution: { kind: 'uniform', low: 0, high: 1 }, generatorSource }, [0, 3], (values) => {
    expect(values.length).toBe(3)
    expect([...values]).toEqual([0, 0, 0])
  })
  await expect(rows.run()).rejects.toThrow(/^row: expected/)
})

test('every file of test/vectors has checks', () => {
  const known = [...Object.keys(goldenChecks), ...Object.keys(goldenElsewhere)]
  expect(vectorFiles()).toEqual(known.sort())
})

test.each(Object.entries(goldenChecks))('%s', async (file, checks) => {
  const rows = new GoldenRows(hostTarget)
  expect(await checkGolden(loadVectors(file), checks(rows))).toEqual([])
  await rows.run()
})

test('a cached normal survives getState and setState in the middle of a sequence', () => {
  const calls: ((g: TorchGenerator) => ArrayLike<number>)[] = [
    (g) => g.normal(3),
    (g) => g.uniform(5, -1, 1),
    (g) => g.randperm(9),
    (g) => g.normal(20),
    (g) => g.truncNormal(7, 0, 1, -1, 1),
    (g) => g.truncNormal(40, 0, 1, 1, 3),
    (g) => g.normal(1),
    (g) => g.truncNormal(1000),
    (g) => g.normal(5, 2, 0.5),
  ]
  const whole = new TorchGenerator(77)
  let state = new TorchGenerator(77).getState()
  for (const call of calls) {
    const g = new TorchGenerator(1).setState(JSON.parse(JSON.stringify(state)))
    expect([...(call(g) as Float32Array)]).toEqual([...(call(whole) as Float32Array)])
    state = g.getState()
    expect(state).toEqual(whole.getState())
  }
})

test('any position is reached in seconds, and is the same by walking', () => {
  const near = new TorchGenerator(5)
  near.skip(2 ** 29 + 12345)
  const far = new TorchGenerator(5)
  far.skip(2 ** 52)
  expect(far.position).toBe(2 ** 52)
  expect([...far.uniform(3)].every((x) => x >= 0 && x < 1)).toBe(true)
  // From numpy's MT19937, word after word: after 2^29 + 12345 words of seed 5.
  expect(near.random()).toBe(NEAR_WORD)
})
const NEAR_WORD = 1794325033
