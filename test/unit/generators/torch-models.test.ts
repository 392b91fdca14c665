// Whole models as real PyTorch initialises them: every hash of resnet18 and mobilenet_v3_small.
import { describe, expect, test } from 'vitest'
import {
  initializeModel,
  KaimingInitializer,
  NormalInitializer,
  UniformInitializer,
  XavierInitializer,
} from '../../../src/index.js'
import type { Initializer } from '../../../src/initializers/types.js'
import { hashOf } from '../../support/torch-cpu.js'
import { loadVectors } from '../../support/vectors.js'

const initializers: Readonly<Record<string, Initializer>> = {
  xavier_uniform: new XavierInitializer({ distribution: 'uniform' }),
  'xavier_normal gain=2': new XavierInitializer({ distribution: 'normal', gain: 2 }),
  'kaiming_normal fan_out relu': new KaimingInitializer({ mode: 'fan_out', nonlinearity: 'relu' }),
  'kaiming_uniform fan_in leaky a=0.1': new KaimingInitializer({
    nonlinearity: 'leaky_relu',
    a: 0.1,
    distribution: 'uniform',
  }),
  'normal 0 0.02': new NormalInitializer({ std: 0.02 }),
  'uniform -0.5 0.5': new UniformInitializer({ a: -0.5, b: 0.5 }),
}

describe.each(['resnet18', 'mobilenet_v3_small'])('%s', (name) => {
  const golden = loadVectors<{
    parameters: [name: string, shape: number[], module: string][]
    init: Record<string, Record<string, Record<string, string>>>
  }>(`torch_cpu_${name}.json`)
  const parameters = golden.parameters.map(([name, shape]) => ({ name, shape }))
  const cases = Object.keys(golden.init).flatMap((seed) =>
    Object.keys(golden.init[seed]!).map((key) => [seed, key] as const),
  )

  test.each(cases)('seed %s: %s', async (seed, key) => {
    const weights = await initializeModel(
      { parameters },
      [{ match: (p) => p.shape.length >= 2, initializer: initializers[key]! }],
      {
        device: 'cpu',
        seed: BigInt(seed),
        generator: 'torch-cpu',
      },
    )
    const wrong: string[] = []
    for (const [parameter, hash] of Object.entries(golden.init[seed]![key]!)) {
      if (hashOf(await weights.read(parameter)) !== hash) wrong.push(parameter)
    }
    expect(wrong).toEqual([])
    weights.destroy()
  })
})
