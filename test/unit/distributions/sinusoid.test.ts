// The fixed table of positions: its arithmetic, PyTorch's own table, parts, moments, and that no seed enters.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { sinusoidElements } from '../../../src/distributions/sinusoid.js'
import { initializeModel, planModel, rematerialize, sinusoidal } from '../../../src/index.js'
import { exponential, sineCosine } from '../../../src/random/elementary.js'

test('exponential, sine and cosine are within 2^-50', () => {
  const out = new Float64Array(2)
  let worst = 0
  for (let i = 0; i <= 40000; i++) {
    const x = -i / 57
    if (x >= -700) worst = Math.max(worst, Math.abs(exponential(x) / Math.exp(x) - 1))
    // Small angles, multiples of pi / 4 and their neighbours, and the whole range.
    for (const angle of [i * 1e-4, (i * Math.PI) / 4, i * 26.2139]) {
      sineCosine(out, angle)
      worst = Math.max(worst, Math.abs(out[0]! - Math.sin(angle)), Math.abs(out[1]! - Math.cos(angle)))
    }
  }
  expect(worst).toBeLessThan(2 ** -50)
  expect([exponential(0), exponential(-0)]).toEqual([1, 1])
})

test('PyTorch’s table: most bits equal, all within 1.3e-4, the angle of a last bit of a frequency', () => {
  const { rows, columns, positions, values } = JSON.parse(
    readFileSync(new URL('../../vectors/torch_sinusoids.json', import.meta.url), 'utf8'),
  )
  const distribution = { kind: 'sinusoid', rows, columns, maxTimescale: 10000, arrangement: 'halves' } as const
  let equal = 0
  for (const [index, position] of positions.entries()) {
    const ours = sinusoidElements(distribution, position * columns, columns)
    const theirs = Float32Array.from(values[index])
    for (let j = 0; j < columns; j++) {
      expect(Math.abs(ours[j]! - theirs[j]!)).toBeLessThan(1.3e-4)
      if (ours[j] === theirs[j]) equal++
    }
  }
  expect(equal).toBeGreaterThan(0.85 * positions.length * columns)
})

const model = { parameters: [{ name: 'p', shape: [90, 12], role: 'embedding' as const }] }

test('the same for every seed; rows and columns of it are its parts; the manifest makes it again', async () => {
  const read = async (options: object) => [
    ...(await (await initializeModel(model, sinusoidal, { device: 'cpu', ...options })).read('p')),
  ]
  const whole = await read({ seed: 1 })
  expect(await read({ seed: 2 })).toEqual(whole)
  const part = await read({
    seed: 3,
    slice: { p: { start: [5, 3], end: [9, 10] } },
  })
  expect(part).toEqual([5, 6, 7, 8].flatMap((row) => whole.slice(row * 12 + 3, row * 12 + 10)))
  const weights = await initializeModel(model, 'sinusoidal', { arrangement: 'interleaved' }, { device: 'cpu', seed: 1 })
  const again = await rematerialize(JSON.stringify(weights.manifest()), 'cpu')
  expect(await again.read('p')).toEqual(await weights.read('p'))
  expect((await again.verify()).ok).toBe(true)
})

test.each(['halves', 'interleaved'])('%s: mean and std of the plan are those of the values', async (arrangement) => {
  const weights = await initializeModel(model, 'sinusoidal', { arrangement } as never, { device: 'cpu', seed: 1 })
  const { mean, std, expected } = (await weights.statistics()).get('p')!
  expect(mean).toBeCloseTo(expected.mean, 5)
  expect(std).toBeCloseTo(expected.std, 3)
  expect([expected.min, expected.max]).toEqual([-1, 1])
})

test('other libraries’ generators draw nothing for it', () => {
  for (const generator of ['torch-cpu', 'jax'] as const) {
    const [planned] = planModel(model, sinusoidal, { seed: 1, generator }).parameters
    expect(planned?.generatorSource).toBeUndefined()
  }
})
