// Whole models as real PyTorch makes them, on the device: mobilenet_v3_small in full, resnet18 with one of its two seeds, as
// it has five times the elements. The other is checked on the CPU, which test/gpu/generators.test.ts compares with the device.
import { describe, expect, test } from 'vitest'
import { adapterName, useDevice } from '../support/gpu.js'
import { torchModelCases, torchModels, wrongTorchParameters } from '../support/torch-models.js'

const gpu = useDevice()

describe.each(torchModels)(`%s on ${adapterName}`, (model) => {
  const cases = torchModelCases(model).filter(([seed]) => model !== 'resnet18' || seed === '42')
  test.each(cases)('seed %s: %s', async (...golden) => {
    const { wrong, checked } = await wrongTorchParameters(model, golden, gpu.device)
    expect(wrong).toEqual([])
    expect(checked).toBeGreaterThan(20)
    expect(gpu.liveBuffers()).toBeLessThan(10)
  })
})
