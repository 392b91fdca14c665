// Every row of the golden files of PyTorch's CPU generator on the device; test/unit/generators/golden.test.ts has the CPU.
import { expect, test } from 'vitest'
import { checkGolden } from '../support/golden.js'
import { torchCpuChecks } from '../support/golden-torch-cpu.js'
import { adapterName, useDevice } from '../support/gpu.js'
import { loadVectors } from '../support/vectors.js'

const gpu = useDevice()

test(`torch_cpu_draws.json and torch_cpu_default.json on ${adapterName}`, async () => {
  const { device } = gpu
  expect(await checkGolden(loadVectors('torch_cpu_draws.json'), torchCpuChecks({ device }))).toEqual([])
  const scalar = torchCpuChecks({ device, variant: 'no-contraction', tolerance: 2e-6 })
  expect(await checkGolden(loadVectors('torch_cpu_default.json'), scalar)).toEqual([])
}, 120_000)
