// webgpu-init verify: a checkpoint against its manifest and its distributions, on the CPU.
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { runCli } from '../../../../src/cli/main.js'
import { initializeModel, linear, type Model, propagateSignal, relu, sequential } from '../../../../src/index.js'
import { writeSafetensors } from '../../../../src/node/writers/write-weights.js'
import { parseSafetensorsHeader } from '../../../../src/readers/safetensors-header.js'

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
    expect(stdout).toContain('Parity FAILED: 1 of all 2,850 elements differ from the manifest')
    expect(status).toBe(1)
  })

  test('a NaN: the tests say so too', async () => {
    await write()
    await change('0.weight', (bytes) => bytes.fill(0xff, 40, 44))
    const { status, stdout } = await verify('--quiet')
    expect(stdout).toMatch(/0\.weight: non-finite: 1 elements are NaN or infinite/)
    expect(status).toBe(1)
  })

  const layers = [['linear', 60, 40], 'relu', ['linear', 40, 10]]
  const modelFile = async (json: unknown): Promise<string> => {
    await writeFile(join(folder, 'model.json'), JSON.stringify(json))
    return join(folder, 'model.json')
  }

  test('a model of layers: what becomes of the signal in the weights of the file, layer by layer', async () => {
    await write()
    const path = await modelFile({ layers, signal: { batch: 16, seed: 3 } })
    const { status, stdout } = await verify('--model', path)
    expect(stdout).toMatch(/^2 +linear +10 +\S+ +\S+ +0 % +healthy$/m)
    expect(stdout).toContain('Signal: 16 examples of 60, seed 3.')
    expect(stdout).toMatch(/^Gradients are healthy: mean square x 10\^\S+ from 2 to 0/m)
    expect(status).toBe(0)
    using weights = await initializeModel(model, 'kaiming', {}, { device: 'cpu', seed: 5 })
    const expected = await propagateSignal(model, weights, { batch: 16, seed: 3 })
    const { signal } = JSON.parse((await verify('--model', path, '--json')).stdout)
    expect(signal).toEqual(JSON.parse(JSON.stringify(expected)))
    // The file's own weights, not those of its manifest: 2.weight is zeroed.
    await change('2.weight', (bytes) => bytes.fill(0))
    const broken = JSON.parse((await verify('--model', path, '--json')).stdout)
    expect(broken.signal.verdict).toBe('vanishing')
    expect(broken.signal.layers[2]).toMatchObject({ verdict: 'vanishing', activations: { meanSquare: 0 } })
  })

  test('a signal that is not healthy, by the factor that the model gives, is exit 1', async () => {
    await write()
    const tight = await verify('--quiet', '--model', await modelFile({ layers, signal: { healthyFactor: 1.0001 } }))
    expect(tight.stdout).toMatch(
      /Parity: 0 of all.*\nTests: all .*\n\nSignal: [\s\S]*(exploding|vanishing)[\s\S]*\nFAILED\n$/,
    )
    expect(tight.status).toBe(1)
  })

  test.each<[string, unknown, number, RegExp]>([
    ['without layers', { parameters: [['0.weight', [40, 60]]] }, 2, /--model .* lists parameters.*layers/],
    ['of other shapes', { layers: [['linear', 60, 41]] }, 1, /"0\.weight" has shape \[41,60\], .* says \[40,60\]/],
    ['of other names', { layers: { a: ['linear', 60, 40] } }, 1, /"a\.weight" .* no such parameter/],
    [
      'that cannot be measured',
      { layers: [...layers.slice(0, 2), 'dropout', ['sequential', ['softmax']], ['lstm', 40, 1]] },
      1,
      /"4\.weight_ih_l0"/,
    ],
  ])('a model %s is refused', async (_, json, code, message) => {
    await write()
    const { status, stdout, stderr } = await verify('--model', await modelFile(json))
    expect({ status, stdout }).toEqual({ status: code, stdout: '' })
    expect(stderr).toMatch(message)
  })

  const mismatches: [string, Model, RegExp][] = [
    [
      'a tensor that is missing',
      sequential(linear(60, 40), relu()),
      /lacks "2\.bias", "2\.weight"|lacks "2\.weight", "2\.bias"/,
    ],
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
