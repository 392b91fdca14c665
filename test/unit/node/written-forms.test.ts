// verify and inspect take every form that init writes: one file, shards, raw, a folder of .npy files, and folders of them.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { runCli } from '../../../src/cli/main.js'
import { linear, relu, sequential } from '../../../src/index.js'
import { type InitializeFileOptions, initializeFile } from '../../../src/node/initialize-file.js'
import { inspectCheckpoint } from '../../../src/node/inspect-checkpoint.js'
import { expectRefusal } from '../../support/refusal.js'

const model = sequential(linear(60, 40), relu(), linear(40, 10))
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'webgpu-init-forms-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))
const at = (name: string): string => join(folder, name)
const write = (name: string, options: InitializeFileOptions = {}) =>
  initializeFile(at(name), model, 'kaiming', {}, { device: 'cpu', seed: 5, ...options })

async function run(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const out = { stdout: '', stderr: '' }
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      out[stream] += text
      return true
    }),
  )
  try {
    return { status: await runCli(args, '0'), ...out }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

describe.each<[form: string, options: InitializeFileOptions, written: string, paths: readonly string[]]>([
  ['one file', {}, 'one/model.safetensors', ['one/model.safetensors', 'one']],
  ['shards', { maxShardBytes: 7000 }, 'shards/model.safetensors', ['shards/model.safetensors.index.json', 'shards']],
  ['raw', { format: 'raw' }, 'raw/w.bin', ['raw/w.bin', 'raw/w.bin.json']],
  ['npy', { format: 'npy' }, 'npy', ['npy', 'npy/index.json']],
])('%s', (_, options, written, paths) => {
  beforeAll(async () => {
    const { mkdir } = await import('node:fs/promises')
    if (written.includes('/')) await mkdir(at(written.split('/')[0]!), { recursive: true })
    await write(written, options)
  })

  test.each(paths)('%s is verified, and inspected', async (path) => {
    const { status, stdout } = await run('verify', at(path), '--device', 'cpu')
    expect(stdout).toContain('Parity: 0 of all 2,850 elements differ')
    expect(status).toBe(0)
    const { tensors } = await inspectCheckpoint(at(path))
    expect(tensors.map(({ name }) => name).sort()).toEqual(['0.bias', '0.weight', '2.bias', '2.weight'])
    const weight = tensors.find(({ name }) => name === '0.weight')
    expect(weight?.shape).toEqual([40, 60])
    expect(weight?.statistics?.std).toBeCloseTo(Math.sqrt(2 / 60), 2)
  })
})

test('a bit that differs in a .npy file is found', async () => {
  await write('broken', { format: 'npy' })
  const file = at('broken/0.weight.npy')
  const bytes = await readFile(file)
  bytes[bytes.length - 1]! ^= 1
  await writeFile(file, bytes)
  const { status, stdout } = await run('verify', at('broken'), '--device', 'cpu')
  expect([status, stdout.includes('Parity FAILED: 1 of')]).toEqual([1, true])
})

test('a file with copies from another checkpoint: what the manifest covers is verified, the rest is named', async () => {
  await write('base.safetensors')
  await write('tuned.safetensors', { from: at('base.safetensors'), only: '2.*', seed: 6 })
  const { status, stdout } = await run('verify', at('tuned.safetensors'), '--device', 'cpu')
  expect(stdout).toContain('Parity: 0 of all 410 elements differ')
  expect(stdout).toMatch(/Not compared: 2 tensors .* such as 0\.weight/)
  expect(status).toBe(0)
})

test('an index that its file does not bear out is refused', async () => {
  await write('cut.bin', { format: 'raw' })
  await writeFile(at('cut.bin'), (await readFile(at('cut.bin'))).subarray(0, 100))
  await expectRefusal(() => inspectCheckpoint(at('cut.bin')), 'INVALID_FILE', 'cut.bin', '100 bytes')
  await write('lie', { format: 'npy' })
  const index = JSON.parse(await readFile(at('lie/index.json'), 'utf8'))
  for (const [change, fragment] of [
    [{ file: '../base.safetensors' }, 'no name of a .npy file'],
    [{ byteLength: 7 }, '7 bytes'],
    [{ dtype: 'float99' }, 'float99'],
  ] as const) {
    const tensors = [{ ...index.tensors[0], ...change }]
    await writeFile(at('lie/index.json'), JSON.stringify({ ...index, tensors }))
    await expectRefusal(() => inspectCheckpoint(at('lie')), 'INVALID_FILE', fragment)
  }
})
