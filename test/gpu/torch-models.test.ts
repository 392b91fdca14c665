// resnet18 and mobilenet_v3_small as real PyTorch makes them, on the device: every hash of one seed. A seed changes only the
// words that the host makes; test/unit/generators/torch/models.slow.test.ts has all seeds.
import { describe, expect, test } from 'vitest'
import { torchModelCases, torchModels, wrongTorchParameters } from '../support/golden/torch-models.js'
import { adapterName, useDevice } from '../support/gpu.js'

const gpu = useDevice()

describe.each(torchModels)(`%s on ${adapterName}`, (model) => {
  test.each(torchModelCases(model).filter(([seed]) => seed === '42'))('seed %s: %s', async (...golden) => {
    const { wrong, checked } = await wrongTorchParameters(model, golden, gpu.device)
    expect(wrong).toEqual([])
    expect(checked).toBeGreaterThan(20)
    expect(gpu.liveBuffers()).toBeLessThan(10)
  })
})
