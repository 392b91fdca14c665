// webgpu-init init --shard: separate processes make the files of one checkpoint; joined they are the unsharded file.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { gpuEnvironment, repository, runNode, smallGpt2 } from '../support/package/package.js'
import { parseSafetensors, type Safetensors } from '../support/package/safetensors.js'

const cli = join(repository, 'dist', 'cli.js')

describe('sharded checkpoints', () => {
  let folder: string
  let whole: Safetensors
  const run = async (...args: string[]) =>
    runNode([cli, 'init', 'config.json', '--quiet', ...args], { cwd: folder, env: await gpuEnvironment() })
  const read = async (name: string): Promise<Safetensors> => parseSafetensors(await readFile(join(folder, name)))

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'webgpu-init-shards-'))
    await writeFile(join(folder, 'config.json'), JSON.stringify(smallGpt2))
    const output = await run('-o', 'whole.safetensors', '--seed', '42', '--dtype', 'bfloat16')
    expect({ status: output.status, stderr: output.stderr }).toMatchObject({ status: 0 })
    whole = await read('whole.safetensors')
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test('three processes at once, one on the CPU: joined, the bits of the unsharded file', async () => {
    const outputs = await Promise.all(
      [3, 1, 2].map((index) =>
        run(
          '-o',
          'model.safetensors',
          '--seed',
          '42',
          '--dtype',
          'bfloat16',
          '--shard',
          `${index}/3`,
          ...(index === 2 ? ['--device', 'cpu'] : []),
        ),
      ),
    )
    for (const output of outputs) expect({ status: output.status, stderr: output.stderr }).toMatchObject({ status: 0 })
    const files = (await readdir(folder)).filter((name) => name.startsWith('model')).sort()
    expect(files).toEqual([
      'model-00001-of-00003.safetensors',
      'model-00002-of-00003.safetensors',
      'model-00003-of-00003.safetensors',
      'model.safetensors.index.json',
    ])
    const index = JSON.parse(await readFile(join(folder, 'model.safetensors.index.json'), 'utf8'))
    const bytesOf = (file: Safetensors): number =>
      [...file.tensors.values()].reduce((sum, { bytes }) => sum + bytes.length, 0)
    expect(index.metadata).toEqual({ total_size: bytesOf(whole) })
    expect(Object.keys(index.weight_map)).toEqual(whole.names)
    const parts = new Map(await Promise.all(files.slice(0, 3).map(async (name) => [name, await read(name)] as const)))
    for (const [name, tensor] of whole.tensors) {
      const part = parts.get(index.weight_map[name])!.tensors.get(name)!
      expect({ dtype: part.dtype, shape: part.shape }).toEqual({ dtype: tensor.dtype, shape: tensor.shape })
      expect(Buffer.compare(part.bytes, tensor.bytes)).toBe(0)
    }
    const sizes = [...parts.values()].map(bytesOf)
    expect([...parts.values()].reduce((sum, part) => sum + part.names.length, 0)).toBe(whole.names.length)
    // As even as whole parameters allow: no file is off its share by more than the largest parameter.
    const largest = Math.max(...[...whole.tensors.values()].map(({ bytes }) => bytes.length))
    for (const size of sizes) expect(Math.abs(size - bytesOf(whole) / 3)).toBeLessThanOrEqual(largest)
    // A shard's own manifest makes that shard again.
    const manifest = JSON.parse(parts.get(files[1]!)!.metadata['webgpu-init']!)
    expect(manifest.parameters.map((p: { name: string }) => p.name)).toEqual(parts.get(files[1]!)!.names)
  })

  test.each([
    [['--shard', '1/3'], /needs --seed/],
    [['--seed', '1', '--shard', '0/3'], /1 <= I <= N/],
    [['--seed', '1', '--shard', '4/3'], /1 <= I <= N/],
    [['--seed', '1', '--shard', 'x'], /1 <= I <= N/],
  ])('wrong usage %j', async (args, message) => {
    const output = await run('-o', 'bad.safetensors', ...args)
    expect(output.status).toBe(2)
    expect(output.stderr).toMatch(message)
    expect((await readdir(folder)).filter((name) => name.startsWith('bad'))).toEqual([])
  })

  test('more shards than parameters is refused', async () => {
    const output = await run('-o', 'bad.safetensors', '--seed', '1', '--shard', '1/29')
    expect(output.status).toBe(1)
    expect(output.stderr).toMatch(/29 shards are more than the model's 28 parameters/)
  })
})
