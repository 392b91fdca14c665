// pythonSnippet: what it prints for every generator, and that Python accepts it where there is a Python.
import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import type { GeneratorOption } from '../../../src/generators/types.js'
import { initializeModel, NormalInitializer, pythonSnippet, UniformInitializer } from '../../../src/index.js'

const model = {
  parameters: [
    { name: 'w', shape: [2, 3] },
    { name: 'größe', shape: [4, 5], dtype: 'bfloat16' },
    { name: 'flat', shape: [7] },
    { name: 'tied', shape: [2, 3], tiedTo: 'w' },
    { name: 'b', shape: [], role: 'bias' },
    { name: 'steps', shape: [1], dtype: 'int64', role: 'buffer' },
  ],
} as const
const rules = [
  { match: 'w', initializer: new UniformInitializer({ a: -0.25, b: 0.25 }) },
  { match: 'größe', initializer: new NormalInitializer({ mean: 1, std: 1e-7 }) },
  { match: 'flat', initializer: new NormalInitializer({ mean: 3, std: 0 }) },
  { match: '*', initializer: 'zeros' },
] as const

async function snippet(generator: GeneratorOption, seed: number | bigint = -1): Promise<string> {
  const weights = await initializeModel(model, rules, { device: 'cpu', seed, generator })
  return pythonSnippet(JSON.parse(JSON.stringify(weights.manifest())))
}

test('torch-cpu: every call in order, the one without spread too', async () => {
  expect(await snippet('torch-cpu')).toBe(`import torch

# x86-64 Linux, AVX2. Float32 draws, in this order; narrower dtypes are rounded afterwards.
torch.manual_seed(18446744073709551615)
weights = {}
weights["w"] = torch.empty((2, 3,)).uniform_(-0.25, 0.25)
weights["größe"] = torch.empty((4, 5,)).normal_(1, 1e-7).to(torch.bfloat16)
weights["flat"] = torch.empty((7,)).normal_(3, 0.0)
weights["tied"] = weights["w"]
weights["b"] = torch.full((), 0, dtype=torch.float32)
weights["steps"] = torch.full((1,), 0, dtype=torch.int64)
`)
})

test('torch-cuda, torch-stateless and jax', async () => {
  const cuda = await snippet({ name: 'torch-cuda', gpu: 'A100' })
  expect(cuda).toContain('holds 221184 threads')
  expect(cuda).toContain('weights["w"] = torch.empty((2, 3,), device="cuda").uniform_(-0.25, 0.25)')
  expect(await snippet('torch-stateless', 7)).toContain(
    // FNV-1a 64 of 'w' is 0xaf63ea4c86020456, from an independent computation; here signed.
    'weights["w"] = random.uniform(random.fold_in(key, -5808541479991114666), (2, 3,), low=-0.25, high=0.25)',
  )
  const jax = await snippet({ name: 'jax', keys: { größe: [1, 2] } })
  expect(jax).toContain('jax.config.update("jax_threefry_partitionable", True)')
  expect(jax).toContain('root = jax.random.key(np.uint32(4294967295))')
  expect(jax).toContain(
    'weights["w"] = jax.random.uniform(key("w"), (2, 3,), minval=-1.0, maxval=1.0) * np.float32(0.25)',
  )
  expect(jax).toContain(
    'jax.random.wrap_key_data(np.array([1, 2], np.uint32)), (4, 5,)) * np.float32(1e-7) + np.float32(1))',
  )
})

test('philox has no counterpart', async () => {
  await expect(snippet('philox')).rejects.toThrow(/generator "philox" has no counterpart/)
})

const python = spawnSync('python3', ['--version']).status === 0
describe.runIf(python)('python3 compiles it', () => {
  test.each(['torch-cpu', 'torch-cuda', 'torch-stateless', 'jax', 'jax-legacy'] as const)('%s', async (generator) => {
    const code = await snippet(generator)
    const { status, stderr } = spawnSync('python3', ['-c', 'import ast, sys; ast.parse(sys.stdin.buffer.read())'], {
      input: code,
    })
    expect(stderr.toString()).toBe('')
    expect(status).toBe(0)
  })
})
