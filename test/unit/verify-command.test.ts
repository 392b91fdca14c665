// webgpu-init verify: a checkpoint against its manifest and its laws, on the CPU.
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { runCli } from '../../src/cli/main.js'
import { initializeModel, linear, type Model, relu, sequential } from '../../src/index.js'
import { parseSafetensorsHeader } from '../../src/interop/safetensors-header.js'
import { writeSafetensors } from '../../src/node/write-weights.js'

let folder: string
let file: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'verify-'))
  file = join(folder, 'w.safetensors')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const model = sequential(linear(60, 40), relu(), linear(40, 10))

async function write(from: Model = model, dtype: 'float32' | 'bfloat16' = 'float32', metadata = true) {
  const weights = await initializeModel(from, 'kaiming', {}, { device: 'cpu', seed: 5, dtype })
  const manifest = JSON.stringify(weights.manifest())
  await writeSafetensors(file, weights, metadata ? { 'webgpu-init': manifest } : {})
  return manifest
}

async function verify(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const out = { stdout: '', stderr: '' }
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      out[stream] += text
      return true
    }),
  )
  try {
    return { status: await runCli(['verify', file, '--device', 'cpu', ...args], '0'), ...out }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

/** Changes bytes of a tensor in the file. */
async function change(name: string, edit: (bytes: Uint8Array) => void): Promise<void> {
  const bytes = new Uint8Array(await readFile(file))
  const tensor = parseSafetensorsHeader(bytes, bytes.length).tensors.find((t) => t.name === name)!
  edit(bytes.subarray(tensor.byteOffset, tensor.byteOffset + tensor.byteLength))
  await writeFile(file, bytes)
}

describe('webgpu-init verify', () => {
  test.each(['float32', 'bfloat16'] as const)(
    'a sound %s file with its manifest inside: exit 0 and a table',
    async (dtype) => {
      await write(model, dtype)
      const { status, stdout } = await verify()
      expect(stdout).toMatch(/0\.weight\s+40 x 60\s+normal\(0, .*equal\s+\d+ passed/)
      expect(stdout).toContain('Parity: 0 of all 2,850 elements differ')
      expect(stdout).toMatch(/Tests: all \d+ passed/)
      expect(status).toBe(0)
    },
  )

  test('a manifest beside it, as JSON for machines', async () => {
    const manifest = await write(model, 'float32', false)
    await writeFile(join(folder, 'm.json'), manifest)
    const { status, stdout } = await verify('--manifest', join(folder, 'm.json'), '--json')
    const result = JSON.parse(stdout)
    expect(result).toMatchObject({ ok: true, parity: { mismatchCount: 0, complete: true }, check: { ok: true } })
    expect(result.check.parameters[0].statistics.histogram.counts).toHaveLength(64)
    expect(status).toBe(0)
  })

  test('one changed bit: exit 1, which element, and how far', async () => {
    await write()
    await change('2.weight', (bytes) => {
      bytes[4 * 7]! ^= 2
    })
    const { status, stdout } = await verify()
    expect(stdout).toMatch(/2\.weight .*1 differ, from \[7\], by up to 2 ulp/)
    expect(stdout).toContain('Parity FAILED: 1 of 2,850')
    expect(status).toBe(1)
  })

  test('a NaN: the tests say so too', async () => {
    await write()
    await change('0.weight', (bytes) => bytes.fill(0xff, 40, 44))
    const { status, stdout } = await verify('--quiet')
    expect(stdout).toMatch(/0\.weight: non-finite: 1 elements are NaN or infinite/)
    expect(status).toBe(1)
  })

  const mismatches: [string, Model, RegExp][] = [
    [
      'a tensor that is missing',
      sequential(linear(60, 40), relu()),
      /lacks "2\.bias", "2\.weight"|lacks "2\.weight", "2\.bias"/,
    ],
    ['one too many', sequential(linear(60, 40), relu(), linear(40, 10), linear(10, 2)), /has "3\.(weight|bias)"/],
    [
      'another shape',
      sequential(linear(60, 40), relu(), linear(40, 11)),
      /tensor "2\..*" has shape .*11.*manifest says .*10/,
    ],
  ]
  test.each(mismatches)('%s is an error', async (_, other, message) => {
    const manifest = await write()
    await writeFile(join(folder, 'm.json'), manifest)
    await write(other)
    const { status, stderr, stdout } = await verify('--manifest', join(folder, 'm.json'))
    expect(stderr).toMatch(/does not match the manifest/)
    expect(stderr).toMatch(message)
    expect(stdout).toBe('')
    expect(status).toBe(1)
  })

  test('another dtype is an error', async () => {
    const manifest = await write()
    await writeFile(join(folder, 'm.json'), manifest)
    await write(model, 'bfloat16')
    const { status, stderr } = await verify('--manifest', join(folder, 'm.json'))
    expect(stderr).toMatch(/has dtype BF16, but the manifest says float32/)
    expect(status).toBe(1)
  })

  test('a file that is cut off, one without a manifest, one that is not there, and a manifest that is none', async () => {
    await write()
    await truncate(file, 8000)
    expect(await verify()).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/w\.safetensors.*data_offsets|ends? at byte/),
    })
    await write(model, 'float32', false)
    expect(await verify()).toMatchObject({ status: 1, stderr: expect.stringContaining('--manifest') })
    await writeFile(join(folder, 'm.json'), '{"format":')
    const broken = await verify('--manifest', join(folder, 'm.json'))
    expect(broken).toMatchObject({ status: 1, stderr: expect.stringContaining('not valid JSON') })
    await rm(file)
    expect(await verify()).toMatchObject({ status: 1, stderr: expect.stringContaining('Cannot read') })
  })

  test('a false-alarm rate that is none is wrong usage', async () => {
    await write()
    expect(await verify('--false-alarm-rate', '2')).toMatchObject({ status: 2 })
  })
})
