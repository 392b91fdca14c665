// Recordings of Python models, replayed on the device: PyTorch's bits, the CPU's bits, and the same again from the manifest.
import { describe, expect, test } from 'vitest'
import { initializeModel, readRecording, rematerialize } from '../../src/index.js'
import { adapterName, useDevice } from '../support/gpu.js'
import { recordingNames, replayed } from '../support/recordings.js'

const gpu = useDevice()

describe(`recordings on ${adapterName}`, () => {
  test.each(recordingNames)('%s', async (name) => {
    const { wrong, compared, weights } = await replayed(name, 12345, gpu.device)
    expect(wrong).toEqual([])
    expect(compared).toBeGreaterThan(0)
    // Those that are PyTorch's within rounding are the CPU's bit for bit.
    expect((await weights.verify({ elements: 'all' })).ok).toBe(true)
    weights.destroy()
  })

  test.each(['own-mixed', 'transformers-bert-bfloat16', 'nn-lstm-gates', 'nn-embedding-padding'])(
    '%s from its manifest',
    async (name) => {
      const { weights } = await replayed(name, 1, gpu.device)
      const again = await rematerialize(JSON.stringify(weights.manifest()), gpu.device)
      for (const parameter of weights.parameters.keys()) {
        expect(await again.readBytes(parameter), parameter).toEqual(await weights.readBytes(parameter))
      }
      weights.destroy()
      again.destroy()
    },
  )

  test.each(['float32', 'bfloat16'])('constants in pieces of %s', async (dtype) => {
    const row = (value: number, offset: number, shape: number[], strides?: number[]) => [
      'fill_',
      value,
      { part: { offset, shape, ...(strides === undefined ? {} : { strides }) } },
    ]
    const json = {
      format: 'webgpu-init-recording',
      version: 1,
      source: { class: 'Net' },
      parameters: [
        { name: 'w', shape: [6, 5], dtype, module: 'M', writes: [['fill_', 2], row(-1, 1, [6], [5]), row(3, 12, [3])] },
        { name: 'gates', shape: [24], dtype, module: 'M', writes: [['fill_', 0], row(1, 7, [5])] },
      ],
      program: [],
      findings: [],
    }
    const { model, recipe } = readRecording(json)
    const weights = await initializeModel(model, recipe, { device: gpu.device, seed: 1 })
    expect((await weights.verify({ elements: 'all' })).ok).toBe(true)
    const expected = Array.from({ length: 30 }, (_, i) => (i >= 12 && i < 15 ? 3 : i % 5 === 1 ? -1 : 2))
    expect(Array.from(await weights.read('w'), Number)).toEqual(expected)
    weights.destroy()
  })
})
