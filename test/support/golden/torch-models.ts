// Whole models as real PyTorch initialises them: test/vectors/torch_cpu_resnet18.json, torch_cpu_mobilenet_v3_small.json.
import { expect } from 'vitest'
import {
  initializeModel,
  KaimingInitializer,
  NormalInitializer,
  UniformInitializer,
  XavierInitializer,
} from '../../../src/index.js'
import type { Initializer } from '../../../src/initializers/initializer.js'
import { sha256InBackground } from '../bits.js'
import { loadVectors } from './vectors.js'

export const torchModels = ['resnet18', 'mobilenet_v3_small'] as const

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

interface Golden {
  readonly parameters: readonly (readonly [name: string, shape: number[], module: string])[]
  /** By seed, initializer and parameter: SHA-256 of the values' bytes. */
  readonly init: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, string>>>>>>
}

const golden = (model: (typeof torchModels)[number]): Golden => loadVectors<Golden>(`torch_cpu_${model}.json`)

/** Every seed and initializer that a model has hashes of. */
export function torchModelCases(model: (typeof torchModels)[number]): [seed: string, initializer: string][] {
  return Object.entries(golden(model).init).flatMap(([seed, rows]) =>
    Object.keys(rows).map((initializer): [string, string] => [seed, initializer]),
  )
}

/** Initialises a model as PyTorch did; the parameters whose bytes are not PyTorch's, and how many were looked at. */
export async function wrongTorchParameters(
  model: (typeof torchModels)[number],
  [seed, initializer]: readonly [seed: string, initializer: string],
  device: GPUDevice | 'cpu',
): Promise<{ wrong: string[]; checked: number }> {
  const { parameters, init } = golden(model)
  const progress: number[] = []
  const weights = await initializeModel(
    { parameters: parameters.map(([name, shape]) => ({ name, shape })) },
    [{ match: ({ shape }) => shape.length >= 2, initializer: initializers[initializer]! }],
    {
      device,
      seed: BigInt(seed),
      generator: 'torch-cpu',
      buffers: 'packed',
      onProgress: ({ bytesDone, bytesTotal }) => progress.push(bytesDone / bytesTotal),
    },
  )
  expect(progress.at(-1)).toBe(1)
  expect(progress).toEqual([...progress].sort((a, b) => a - b))
  const found = Object.entries(init[seed]![initializer]!).map(async ([name, hash]) => {
    const bytes = (await weights.readBytes(name)) as Uint8Array<ArrayBuffer>
    return (await sha256InBackground(bytes)) === hash ? [] : [name]
  })
  const wrong = (await Promise.all(found)).flat()
  weights.destroy()
  return { wrong, checked: found.length }
}
