// Every hash of resnet18 and mobilenet_v3_small, on the CPU. test/gpu/torch-models.test.ts: on the device.
import { describe, expect, test } from 'vitest'
import { torchModelCases, torchModels, wrongTorchParameters } from '../../../support/golden/torch-models.js'

describe.each(torchModels)('%s', (model) => {
  test.each(torchModelCases(model))('seed %s: %s', async (...golden) => {
    const { wrong, checked } = await wrongTorchParameters(model, golden, 'cpu')
    expect(wrong).toEqual([])
    expect(checked).toBeGreaterThan(20)
  })
})
