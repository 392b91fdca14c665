// The command line on a recording of a Python model: the file that it writes has PyTorch's bits.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { runCli } from '../../../src/cli/main.js'
import { layoutSafetensors } from '../../../src/readers/safetensors.js'
import { sha256 } from '../../support/bits.js'
import { parseSafetensors } from '../../support/package/safetensors.js'
import { recordedHashes, recordingText } from '../../support/recordings.js'

let folder: string
const at = (name: string): string => join(folder, name)

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'webgpu-init-recording-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** What a command line prints; words that begin with `@` are files of the test's folder. */
async function run(...args: string[]): Promise<string> {
  let text = ''
  const keep = (part: unknown): boolean => {
    text += part
    return true
  }
  const spies = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, 'write').mockImplementation(keep))
  try {
    const status = await runCli(
      args.map((arg) => (arg.startsWith('@') ? at(arg.slice(1)) : arg)),
      '1.2.3',
    )
    return `${status}\n${text}`
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

const initRecording = (): Promise<string> =>
  run('init', '@recording.json', '-o', '@w.safetensors', '--seed', '1', '--generator', 'torch-cpu', '--device', 'cpu')

it.each(['nn-mlp', 'transformers-llama-bfloat16', 'own-tied'])('%s: init, verify, plan', async (name) => {
  await writeFile(at('recording.json'), recordingText(name))
  const made = await initRecording()
  expect(made).toMatch(/^0\n/)
  const { tensors } = parseSafetensors(await readFile(at('w.safetensors')))
  const hashes = recordedHashes(name, 1)
  expect(tensors.size).toBeGreaterThan(0)
  for (const [tensor, { bytes }] of tensors) expect([tensor, sha256(bytes)]).toEqual([tensor, hashes.get(tensor)])
  expect(await run('verify', '@w.safetensors', '--device', 'cpu')).toMatch(/^0\n/)
  expect(await run('plan', '@recording.json')).toMatch(/^0\n[\s\S]*recorded/)
})

it('says what is not in the file, and what is within rounding', async () => {
  await writeFile(at('recording.json'), recordingText('transformers-mamba'))
  const made = await initRecording()
  expect(made).toMatch(/^0\n/)
  expect(made).toContain('Not in the file: backbone.layers.0.mixer.A_log: it is a table made by aten.log.default')
  expect(made).toContain("Within rounding of PyTorch's: backbone.layers.0.mixer.dt_proj.bias, ")
  expect(await run('plan', '@recording.json', '--generator', 'torch-cpu')).toContain("Within rounding of PyTorch's: ")
})

it('refuses, by name, what only the program makes, and says how to make it', async () => {
  await writeFile(at('recording.json'), recordingText('transformers-mamba'))
  const refused = await run('init', '@recording.json', '-o', '@w.safetensors', '--seed', '1', '--device', 'cpu')
  expect(refused).toMatch(
    /^1\n[\s\S]*"backbone\.layers\.0\.mixer\.dt_proj\.bias" is computed from draws.*--generator torch-cpu/,
  )
})

it('copies the tables of --values with --from', async () => {
  const writes = [['table', { operations: ['aten.arange.default'], data: 'table' }]]
  const recording = JSON.parse(recordingText('nn-mlp'))
  recording.parameters.push({ name: 'table', shape: [3], dtype: 'float32', module: 'M', buffer: true, writes })
  await writeFile(at('recording.json'), JSON.stringify(recording))
  const table = new Float32Array([1, 2, 3])
  const layout = layoutSafetensors([{ name: 'table', dtype: 'float32', shape: [3] }], {})
  await writeFile(at('values.safetensors'), Buffer.concat([layout.header, new Uint8Array(table.buffer)]))
  const line = ['init', '@recording.json', '--from', '@values.safetensors', '--only', '*.weight', '--only', '*.bias']
  const made = await run(...line, '-o', '@w.safetensors', '--seed', '0', '--generator', 'torch-cpu', '--device', 'cpu')
  expect(made).toMatch(/^0\n/)
  expect(made).not.toContain('Not in the file')
  const { tensors } = parseSafetensors(await readFile(at('w.safetensors')))
  expect(sha256(tensors.get('table')!.bytes)).toBe(sha256(new Uint8Array(table.buffer)))
  expect(sha256(tensors.get('0.weight')!.bytes)).toBe(recordedHashes('nn-mlp', 0).get('0.weight'))
})
