// How GPUs are named for generator 'torch-cuda'. Its values: golden.slow.test.ts.
import { expect, test } from 'vitest'
import { threadsOfGpu } from '../../../../src/generators/torch/cuda-gpus.js'

test('GPU names', () => {
  expect(threadsOfGpu('NVIDIA GeForce RTX 4090')).toBe(196608)
  expect(threadsOfGpu('tesla t4')).toBe(40960)
  expect(() => threadsOfGpu('RTX 9999')).toThrow(/unknown gpu "RTX 9999"; known: GTX 1050, .*threads = 256 \* SMs/)
})
