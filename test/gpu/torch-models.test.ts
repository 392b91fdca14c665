// Every hash of resnet18 and mobilenet_v3_small as real PyTorch makes them, on the device.
import { describe, expect, test } from 'vitest'
import { adapterName, useDevice } from '../support/gpu.js'
import { torchModelCases, torchModels, wrongTorchParameters } from '../support/torch-models.js'

const gpu = useDevice()

describe.each(torchModels)(`%s on ${adapterName}`, (model) => {
  test.each(torchModelCases(model))('seed %s: %s', async (...golden) => {
    const { wrong, checked } = await wrongTorchParameters(model, golden, gpu.device)
    expect(wrong).toEqual([])
    expect(checked).toBeGreaterThan(20)
    expect(gpu.liveBuffers()).toBeLessThan(10)
  })
})
