// Every recording of a Python model, replayed on the CPU: bits against PyTorch's by SHA-256, distributions against the writes.
import { describe, expect, test } from 'vitest'
import { initializeModel, planModel, readRecording } from '../../../src/index.js'
import {
  nextDraw,
  recordedSeeds,
  recordingJson,
  recordingNames,
  recordingText,
  replayed,
} from '../../support/recordings.js'

describe.each(recordingNames)('%s', (name) => {
  test.each(recordedSeeds)('has the bits of torch.manual_seed(%i)', async (seed) => {
    const { wrong, compared } = await replayed(name, seed, 'cpu')
    expect(wrong).toEqual([])
    expect(compared).toBeGreaterThan(0)
  })
})

/** What one draw of a whole parameter says, worked out from the row alone. */
function expectedOf([operation, a, b, c, d]: readonly unknown[]): Record<string, unknown> | undefined {
  if (operation === 'normal_' || operation === 'randn') return { kind: 'normal', mean: a, std: b }
  if (operation === 'uniform_' || operation === 'rand') return { kind: 'uniform', low: a, high: b }
  if (operation === 'trunc_normal_') return { kind: 'truncated-normal', mean: a, std: b, low: c, high: d }
  return operation === 'fill_' ? { kind: 'constant', value: a } : undefined
}

describe.each(recordingNames)('%s', (name) => {
  test('every parameter has the distribution of its write', () => {
    const { model, recipe } = readRecording(recordingText(name))
    const plan = planModel(model, recipe, { seed: 1 })
    const writes = new Map(recordingJson(name).parameters.map((entry) => [entry.name, entry.writes ?? []]))
    for (const parameter of plan.parameters) {
      const [first = [], ...more] = writes.get(parameter.name)!
      const expected = more.length === 0 ? expectedOf(first) : undefined
      // An infinite constant is outside.
      if (expected !== undefined && typeof expected.value !== 'string') expect(parameter.distribution).toEqual(expected)
    }
  })

  test('its weights have the distributions that the plan says', async () => {
    const { weights } = await replayed(name, 1, 'cpu')
    const { parameters } = await weights.check()
    // Not the tests of the whole model: PyTorch's own transformer begins as copies of one layer.
    expect(parameters.filter(({ ok }) => !ok)).toEqual([])
  })
})

test('the calls take as many words as in PyTorch: what is drawn next agrees', async () => {
  for (const name of recordingNames) {
    const json = JSON.parse(recordingText(name))
    const writes = [['rand', 0, 1, { call: json.program.length }]]
    json.parameters.push({ name: '@next', shape: [1], dtype: 'float32', module: 'M', writes })
    json.program.push(['rand', '@next', 1, 0, 1])
    const { model, recipe, program } = readRecording(json)
    for (const seed of [0, 1, 12345]) {
      const options = { seed, generator: { name: 'torch-cpu', program }, only: '@next' } as const
      const weights = await initializeModel(model, recipe, { device: 'cpu', ...options })
      expect([name, (await weights.read('@next'))[0]]).toEqual([name, nextDraw(name, seed)])
    }
  }
})
