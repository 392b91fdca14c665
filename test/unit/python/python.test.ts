// pythonSnippet: what it prints for every generator, and that Python accepts it where there is a Python.
import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { initializeModel, NormalInitializer, pythonSnippet, UniformInitializer } from '../../../src/index.js'
import type { GeneratorOption } from '../../../src/ir/generator.js'

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

/** What a rank holds: rows of a matrix, of an embedding with a padding row, of an orthogonal matrix and of an identity. */
async function shardSnippet(generator: GeneratorOption): Promise<string> {
  const parameters = [
    { name: 'w', shape: [5, 4] },
    { name: 'table', shape: [6, 3], role: 'embedding', paddingIndex: 4, dtype: 'float16' },
    { name: 'q', shape: [4, 2] },
    { name: 'eye', shape: [4, 3] },
    { name: 'scale', shape: [] },
    { name: 'tied', shape: [5, 4], tiedTo: 'w' },
  ] as const
  const weights = await initializeModel(
    { parameters },
    [
      { match: 'w', initializer: new UniformInitializer({ a: 0.5, b: 2 }) },
      { match: 'table', initializer: new NormalInitializer({ std: 0.02 }) },
      { match: 'q', initializer: 'orthogonal' },
      { match: 'eye', initializer: 'eye' },
      { match: '*', initializer: 'ones' },
    ],
    { device: 'cpu', seed: 9, generator, shard: { axis: 0, index: 1, count: 2 } },
  )
  return pythonSnippet(weights.manifest())
}

// Run in real PyTorch 2.13.0 and JAX 0.10.2: every value is the shard's, `q` within 3e-7 (docs/compatibility.md).
test('a shard: whole tensors are drawn, zeroed where padded, and cut', async () => {
  expect(await shardSnippet('torch-cpu')).toBe(`import math
import torch

# x86-64 Linux, AVX2. Float32 draws, in this order; narrower dtypes are rounded afterwards.
def place(values, shape, runs, dtype=torch.float32):  # elements first, first + stride, ... of a tensor of zeros
    flat = torch.zeros(math.prod(shape), dtype=dtype, device=values.device)
    for (first, stride, count), run in zip(runs, values.split([count for _, _, count in runs])):
        flat[first : first + (count - 1) * stride + 1 : stride] = run.to(dtype)
    return flat.reshape(shape)

torch.manual_seed(9)
weights = {}
weights["w"] = torch.empty((5, 4,)).uniform_(0.5, 2)[3:5, 0:4]
weights["table"] = torch.empty((6, 3,)).normal_(0, 0.02)
weights["table"].view(-1)[12 : 15] = 0
weights["table"] = weights["table"][3:6, 0:3].to(torch.float16)
weights["q"] = torch.nn.init.orthogonal_(torch.empty((4, 2)), 1).reshape((4, 2,))[2:4, 0:2]
weights["eye"] = place(torch.full((3,), 1), (4, 3,), [(0, 4, 3)], torch.float32)[2:4, 0:3]
weights["scale"] = torch.full((), 1, dtype=torch.float32)
weights["tied"] = weights["w"]
`)
  expect(await shardSnippet('jax-legacy')).toBe(`import math
import zlib
import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_threefry_partitionable", False)
root = jax.random.key(np.uint32(9))
weights = {}

def key(name):  # the CRC-32 of a name, folded into the key of the seed
    return jax.random.fold_in(root, np.uint32(zlib.crc32(name.encode())))

def place(values, shape, runs):  # elements first, first + stride, ... of an array of zeros
    flat = jnp.zeros(math.prod(shape), values.dtype)
    for first, stride, count in runs:
        flat = flat.at[first : first + (count - 1) * stride + 1 : stride].set(values[:count])
        values = values[count:]
    return flat.reshape(shape)

weights["w"] = (jax.random.uniform(key("w"), (5, 4,), minval=0.5, maxval=2))[3:5, 0:4]
weights["table"] = ((jax.random.normal(key("table"), (6, 3,)) * np.float32(0.02)).reshape(-1).at[12 : 15].set(0).reshape((6, 3,)))[3:6, 0:3].astype("float16")
weights["q"] = (jax.nn.initializers.orthogonal(1)(key("q"), (4, 2)).reshape((4, 2,)))[2:4, 0:2]
weights["eye"] = (place(jnp.full((3,), 1, "float32"), (4, 3,), [(0, 4, 3)]))[2:4, 0:3]
weights["scale"] = jnp.full((), 1, "float32")
weights["tied"] = weights["w"]
`)
  expect(await shardSnippet('torch-stateless')).toBe(`import math
import torch
import torch.func._random as random  # experimental, PyTorch 2.12 and later

def place(values, shape, runs, dtype=torch.float32):  # elements first, first + stride, ... of a tensor of zeros
    flat = torch.zeros(math.prod(shape), dtype=dtype, device=values.device)
    for (first, stride, count), run in zip(runs, values.split([count for _, _, count in runs])):
        flat[first : first + (count - 1) * stride + 1 : stride] = run.to(dtype)
    return flat.reshape(shape)

def orthogonal(normals, gain):  # as torch.nn.init.orthogonal_
    wide = normals.shape[0] < normals.shape[1]
    q, r = torch.linalg.qr(normals.T if wide else normals)
    q = q * r.diagonal().sign()
    return (q.T if wide else q) * gain

# The key of a parameter: the FNV-1a 64 hash of its name, as an int64, folded into the key of the seed.
key = random.key(9, device="cuda")
weights = {}
weights["w"] = random.uniform(random.fold_in(key, -5808541479991114666), (5, 4,), low=0.5, high=2)[3:5, 0:4]
weights["table"] = random.normal(random.fold_in(key, 8583921542012250175), (6, 3,), mean=0, std=0.02)
weights["table"].view(-1)[12 : 15] = 0
weights["table"] = weights["table"][3:6, 0:3].to(torch.float16)
weights["q"] = orthogonal(random.normal(random.fold_in(key, -5808539280967858244), (4, 2)), 1).reshape((4, 2,))[2:4, 0:2]
weights["eye"] = place(torch.full((3,), 1), (4, 3,), [(0, 4, 3)], torch.float32)[2:4, 0:3]
weights["scale"] = torch.full((), 1, dtype=torch.float32)
weights["tied"] = weights["w"]
`)
})

test('philox has no counterpart', async () => {
  await expect(snippet('philox')).rejects.toThrow(/generator "philox" has no counterpart/)
})

const python = spawnSync('python3', ['--version']).status === 0
test.runIf(python)('python3 compiles it', async () => {
  const programs: string[] = []
  for (const generator of ['torch-cpu', 'torch-cuda', 'torch-stateless', 'jax', 'jax-legacy'] as const) {
    programs.push(await snippet(generator), await shardSnippet(generator))
  }
  const parse = 'import ast, json, sys\nfor code in json.load(sys.stdin.buffer): ast.parse(code)'
  const { status, stderr } = spawnSync('python3', ['-c', parse], { input: JSON.stringify(programs) })
  expect(stderr.toString()).toBe('')
  expect(status).toBe(0)
})
