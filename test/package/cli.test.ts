// The installed command line as a process: files, output, exit codes, refusals, and signals while it works.
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process'
import { lstat, mkdir, mkdtemp, readFile, readlink, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Distribution, PlannedParameter } from '../../src/index.js'
import {
  type Consumer,
  createConsumer,
  filesBelow,
  gpuEnvironment,
  importInstalled,
  type Output,
  plainEnvironment,
  repository,
  runFile,
  runNode,
  smallGpt2,
  withoutDawn,
} from '../support/package/package.js'
import { parseSafetensors, type Safetensors, valuesOf } from '../support/package/safetensors.js'

let consumer: Consumer
let cli: string
let environment: Record<string, string>
/** A new working folder for each test, with config.json (the small GPT-2). */
let folder: string

beforeAll(async () => {
  consumer = await createConsumer()
  cli = join(consumer.installed, 'dist', 'cli.js')
  environment = await gpuEnvironment()
})
afterAll(() => consumer?.remove())

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'webgpu-init-cli-')))
  await writeFile(join(folder, 'config.json'), JSON.stringify(smallGpt2))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const run = (...args: string[]): Promise<Output> => runNode([cli, ...args], { cwd: folder, env: environment })

const bytesOf = (name: string): Promise<Uint8Array> => readFile(join(folder, name))

async function parse(name: string): Promise<Safetensors> {
  return parseSafetensors(await bytesOf(name))
}

/** Runs `init config.json -o out.safetensors` with more arguments and gives what it wrote. */
async function write(...args: string[]): Promise<Safetensors & Output> {
  const output = await run('init', 'config.json', '-o', 'out.safetensors', ...args)
  expect({ status: output.status, stderr: output.stderr }).toEqual({ status: 0, stderr: '' })
  return { ...(await parse('out.safetensors')), ...output }
}

/** Names and shapes of transformers' GPT2LMHeadModel, by hand. */
function gpt2Shapes({ n_layer, n_embd, n_positions, vocab_size }: typeof smallGpt2): [string, number[]][] {
  const layers = Array.from({ length: n_layer }, (_, i): [string, number[]][] => [
    [`transformer.h.${i}.ln_1.weight`, [n_embd]],
    [`transformer.h.${i}.ln_1.bias`, [n_embd]],
    [`transformer.h.${i}.attn.c_attn.weight`, [n_embd, 3 * n_embd]],
    [`transformer.h.${i}.attn.c_attn.bias`, [3 * n_embd]],
    [`transformer.h.${i}.attn.c_proj.weight`, [n_embd, n_embd]],
    [`transformer.h.${i}.attn.c_proj.bias`, [n_embd]],
    [`transformer.h.${i}.ln_2.weight`, [n_embd]],
    [`transformer.h.${i}.ln_2.bias`, [n_embd]],
    [`transformer.h.${i}.mlp.c_fc.weight`, [n_embd, 4 * n_embd]],
    [`transformer.h.${i}.mlp.c_fc.bias`, [4 * n_embd]],
    [`transformer.h.${i}.mlp.c_proj.weight`, [4 * n_embd, n_embd]],
    [`transformer.h.${i}.mlp.c_proj.bias`, [n_embd]],
  ])
  return [
    ['transformer.wte.weight', [vocab_size, n_embd]],
    ['transformer.wpe.weight', [n_positions, n_embd]],
    ...layers.flat(),
    ['transformer.ln_f.weight', [n_embd]],
    ['transformer.ln_f.bias', [n_embd]],
  ]
}

function standardDeviation(values: readonly number[]): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  return Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length)
}

/** The initializer that draws a distribution of the manifest, by its name and settings. */
function rule(distribution: Distribution): { initializer: string; config: Record<string, number> } {
  if (distribution.kind === 'constant') return { initializer: 'constant', config: { value: distribution.value } }
  if (distribution.kind === 'uniform')
    return { initializer: 'uniform', config: { a: distribution.low, b: distribution.high } }
  if (distribution.kind === 'normal')
    return { initializer: 'normal', config: { mean: distribution.mean, std: distribution.std } }
  throw new Error(`no initializer for ${distribution.kind}`)
}

/** Whether a file belongs to an unfinished run, whatever it is called. */
const isUnfinished = (name: string): boolean => !['config.json', 'out.safetensors'].includes(name)

describe('init writes', () => {
  it('a valid file with the names, shapes and order of GPT-2, tightly packed', async () => {
    const { names, tensors } = await write('--seed', '42', '--device', 'cpu')
    const expected = gpt2Shapes(smallGpt2)
    expect(names).toEqual(expected.map(([name]) => name))
    let at = 0
    for (const [name, shape] of expected) {
      const tensor = tensors.get(name)
      const byteLength = 4 * shape.reduce((a, b) => a * b)
      expect(tensor).toMatchObject({ dtype: 'F32', shape, offsets: [at, at + byteLength] })
      at += byteLength
    }
    expect(at).toBe(4 * 134_144)
  })

  it("the values of the model's own recipe", async () => {
    const { tensors } = await write('--seed', '42', '--device', 'cpu')
    for (const [name, tensor] of tensors) {
      const values = valuesOf(tensor)
      if (/ln_\w+\.weight$/.test(name)) expect(new Set(values), name).toEqual(new Set([1]))
      else if (name.endsWith('.bias')) expect(new Set(values), name).toEqual(new Set([0]))
      else {
        const std = name.endsWith('c_proj.weight') ? 0.02 / Math.sqrt(2 * smallGpt2.n_layer) : 0.02
        // Five standard errors of a sample standard deviation.
        expect(Math.abs(standardDeviation(values) / std - 1), name).toBeLessThan(5 / Math.sqrt(2 * values.length))
      }
    }
  })

  it('byte for byte the same on the GPU and on the CPU, equal to initializeModel', async () => {
    const gpu = await run('init', 'config.json', '-o', 'gpu.safetensors', '--seed', '42', '--device', 'gpu')
    const cpu = await run('init', 'config.json', '-o', 'cpu.safetensors', '--seed', '42', '--device', 'cpu')
    expect([gpu.status, cpu.status]).toEqual([0, 0])
    expect(gpu.stdout.split('\n')[0]).toMatch(
      /^gpt2: 28 parameters, 134,144 elements, 536\.6 kB; seed 42; on (?!the CPU$)./,
    )
    expect(cpu.stdout.split('\n')[0]).toBe('gpt2: 28 parameters, 134,144 elements, 536.6 kB; seed 42; on the CPU')
    expect(Buffer.compare(await bytesOf('gpu.safetensors'), await bytesOf('cpu.safetensors'))).toBe(0)

    const { initializeModel, readHuggingFaceConfig } = await importInstalled(consumer)
    const { model, recipe } = readHuggingFaceConfig(smallGpt2)
    const weights = await initializeModel(model, recipe, { device: 'cpu', seed: 42 })
    const { tensors } = await parse('gpu.safetensors')
    expect([...weights.parameters.keys()]).toEqual([...tensors.keys()])
    for (const [name, { bytes }] of tensors) {
      expect(Buffer.compare(await weights.readBytes(name), bytes), name).toBe(0)
    }
  })

  for (const [dtype, code, digits] of [
    ['float16', 'F16', 11],
    ['bfloat16', 'BF16', 8],
  ] as const) {
    it(`${dtype}: the float32 values rounded to ${digits} bits, the same on both devices`, async () => {
      const wide = await write('--seed', '9', '--device', 'cpu')
      const narrow = await write('--seed', '9', '--device', 'gpu', '--dtype', dtype)
      const onGpu = await bytesOf('out.safetensors')
      await write('--seed', '9', '--device', 'cpu', '--dtype', dtype)
      expect(Buffer.compare(onGpu, await bytesOf('out.safetensors'))).toBe(0)
      for (const [name, tensor] of narrow.tensors) {
        expect(tensor.dtype).toBe(code)
        const exact = valuesOf(wide.tensors.get(name)!)
        const values = valuesOf(tensor)
        expect(values.length).toBe(exact.length)
        let worst = 0
        for (let i = 0; i < values.length; i++) {
          // float16 is subnormal below 2^-14: there its step is 2^-24.
          const exponent = Math.max(
            Math.floor(Math.log2(Math.abs(exact[i]!) || 1e-30)),
            dtype === 'float16' ? -14 : -126,
          )
          worst = Math.max(worst, Math.abs(values[i]! - exact[i]!) / 2 ** (exponent - digits + 1))
        }
        expect(worst, `${name}, in units of the last place`).toBeLessThanOrEqual(0.5)
      }
    })
  }

  it('the dtype of the config where no --dtype is given', async () => {
    await writeFile(join(folder, 'config.json'), JSON.stringify({ ...smallGpt2, torch_dtype: 'bfloat16' }))
    const { tensors } = await write('--seed', '1', '--device', 'cpu')
    expect(new Set([...tensors.values()].map(({ dtype }) => dtype))).toEqual(new Set(['BF16']))
    const { tensors: overridden } = await write('--seed', '1', '--device', 'cpu', '--dtype', 'float32')
    expect(new Set([...overridden.values()].map(({ dtype }) => dtype))).toEqual(new Set(['F32']))
  })

  it('names without the prefix for a config without a head', async () => {
    const { architectures: _, ...headless } = smallGpt2
    await writeFile(join(folder, 'config.json'), JSON.stringify(headless))
    const { names } = await write('--seed', '1', '--device', 'cpu')
    expect(names).toEqual(gpt2Shapes(smallGpt2).map(([name]) => name.replace('transformer.', '')))
  })

  it('--init kaiming --mode fan_out by the Conv1D layout', async () => {
    const { tensors } = await write('--seed', '3', '--device', 'gpu', '--init', 'kaiming', '--mode', 'fan_out')
    const std = (name: string): number => standardDeviation(valuesOf(tensors.get(`transformer.h.0.${name}.weight`)!))
    // [in, out]: the fan out is the last axis. 12288 and 16384 elements: within 4 %.
    expect(std('attn.c_attn') / Math.sqrt(2 / 192)).toBeCloseTo(1, 1.3)
    expect(std('mlp.c_fc') / Math.sqrt(2 / 256)).toBeCloseTo(1, 1.3)
    expect(std('mlp.c_proj') / Math.sqrt(2 / 64)).toBeCloseTo(1, 1.3)
    expect(new Set(valuesOf(tensors.get('transformer.h.0.ln_1.weight')!))).toEqual(new Set([1]))
    expect(new Set(valuesOf(tensors.get('transformer.h.0.attn.c_attn.bias')!))).toEqual(new Set([0]))
  })

  it('--init uniform --a -0.5 --b 0.5 within [-0.5, 0.5), reaching both ends', async () => {
    const { tensors } = await write('--seed', '3', '--device', 'gpu', '--init', 'uniform', '--a', '-0.5', '--b', '0.5')
    const values = valuesOf(tensors.get('transformer.wte.weight')!)
    const [low, high] = values.reduce(([l, h], x) => [Math.min(l, x), Math.max(h, x)], [0, 0])
    expect(low).toBeGreaterThanOrEqual(-0.5)
    expect(low).toBeLessThan(-0.499)
    expect(high).toBeLessThan(0.5)
    expect(high).toBeGreaterThan(0.499)
    const joined = await write('--seed', '3', '--device', 'cpu', '--init=uniform', '--a=-0.5', '--b=0.5')
    expect(
      Buffer.compare(joined.tensors.get('transformer.wte.weight')!.bytes, tensors.get('transformer.wte.weight')!.bytes),
    ).toBe(0)
  })

  it('a manifest from which the same bytes can be made again', async () => {
    const { metadata, tensors } = await write(
      '--seed',
      '18446744073709551615',
      '--device',
      'cpu',
      '--init',
      'kaiming_uniform',
    )
    expect(Object.keys(metadata).sort()).toEqual(['format', 'webgpu-init'])
    expect(metadata.format).toBe('pt')
    const manifest = JSON.parse(metadata['webgpu-init']!)
    expect(manifest).toMatchObject({
      format: 'webgpu-init-manifest',
      version: 1,
      valueContract: 1,
      generator: 'philox',
      seed: '18446744073709551615',
    })
    const { initializeModel } = await importInstalled(consumer)
    type Entry = Pick<PlannedParameter, 'name' | 'shape' | 'dtype' | 'role' | 'distribution'>
    const entries = manifest.parameters as Entry[]
    expect(entries.map(({ name }) => name)).toEqual([...tensors.keys()])
    const weights = await initializeModel(
      { parameters: entries.map(({ name, shape, dtype, role }) => ({ name, shape, dtype, role })) },
      entries.map(({ name, distribution }) => ({
        match: (parameter: { name: string }) => parameter.name === name,
        ...rule(distribution),
      })) as never,
      { device: 'cpu', seed: BigInt(manifest.seed), generator: manifest.generator },
    )
    for (const [name, { bytes }] of tensors) {
      expect(Buffer.compare(await weights.readBytes(name), bytes), name).toBe(0)
    }
  })

  it('the seed that it drew, which makes the same file again', async () => {
    const first = await write('--device', 'cpu')
    const seed = /; seed (\d+);/.exec(first.stdout)?.[1]
    expect(JSON.parse(first.metadata['webgpu-init']!).seed).toBe(seed)
    const bytes = await bytesOf('out.safetensors')
    const second = await write('--device', 'cpu', '--quiet')
    expect(/; seed (\d+);/.exec(second.stdout)?.[1]).not.toBe(seed)
    await write('--device', 'cpu', '--seed', seed!)
    expect(Buffer.compare(await bytesOf('out.safetensors'), bytes)).toBe(0)
  })

  it('negative seeds and seeds beyond 64 bits, mod 2^64', async () => {
    await write('--device', 'cpu', '--seed', '-1')
    const minusOne = (await parse('out.safetensors')).tensors.get('transformer.wte.weight')!.bytes
    await write('--device', 'cpu', '--seed', '36893488147419103231') // 2^65 - 1
    const big = (await parse('out.safetensors')).tensors.get('transformer.wte.weight')!.bytes
    expect(Buffer.compare(minusOne, big)).toBe(0)
  })

  it('over an older file, and leaves nothing else in the folder', async () => {
    await writeFile(join(folder, 'out.safetensors'), precious)
    await write('--seed', '1', '--device', 'cpu')
    expect(await filesBelow(folder)).toEqual(['config.json', 'out.safetensors'])
  })

  it('through a symbolic link into the file it points at, or not at all: the link stays', async () => {
    await writeFile(join(folder, 'real.safetensors'), precious)
    await symlink('real.safetensors', join(folder, 'link.safetensors'))
    const { status } = await run(
      'init',
      'config.json',
      '-o',
      'link.safetensors',
      '--seed',
      '1',
      '--device',
      'cpu',
      '--quiet',
    )
    expect(await readlink(join(folder, 'link.safetensors'))).toBe('real.safetensors')
    if (status === 0) expect((await parse('real.safetensors')).names).toHaveLength(28)
    else expect(await readFile(join(folder, 'real.safetensors'), 'utf8')).toBe(precious)
  })
})

describe('init prints', () => {
  it('a row for every parameter: shape, rule, expected and measured std, parity', async () => {
    const { stdout } = await write('--seed', '42', '--device', 'gpu')
    const lines = stdout.split('\n')
    const header = lines.findIndex((line) => line.startsWith('parameter '))
    expect(lines[header]).toMatch(/^parameter +shape +rule +expected std +measured std +GPU = CPU$/)
    const rows = lines.slice(header + 2, lines.indexOf('', header)).map((line) => line.split(/ {2,}/))
    expect(rows.map(([name, shape]) => [name, shape])).toEqual(
      gpt2Shapes(smallGpt2).map(([name, shape]) => [name, shape.join(' x ')]),
    )
    for (const [name, , rule, expected, measured, parity, ...surplus] of rows) {
      expect(surplus).toEqual([])
      expect(parity, name).toBe('equal')
      const [, kind, scale] = /^(normal\(0, |constant\()([\d.]+)\)$/.exec(rule!)!
      expect(Number(expected)).toBeCloseTo(kind === 'constant(' ? 0 : Number(scale), 6)
      expect(Math.abs(Number(measured) - Number(expected)), name).toBeLessThanOrEqual(0.05 * Number(expected))
    }
    expect(lines).toContain('Parity: 0 of all 134,144 elements differ from the CPU in any bit.')
    expect(stdout).toMatch(/^Initialised in [\d.]+ s: [\d.]+ [kMGT]elements\/s, [\d.]+ [kMGT]B\/s/m)
    expect(lines.at(-2)).toBe('Wrote out.safetensors')
  })

  it('no table with --quiet, but still the seed and the parity', async () => {
    const { stdout } = await write('--seed', '42', '--device', 'cpu', '--quiet')
    expect(stdout).not.toContain('wte.weight')
    expect(stdout.trimEnd().split('\n')).toHaveLength(4)
    expect(stdout).toContain('seed 42')
    expect(stdout).toContain('The CPU, twice: 0 of all 134,144 elements differ')
  })

  it('how much it compared when --verify limits it, and nothing for --verify 0', async () => {
    const some = await write('--seed', '42', '--device', 'gpu', '--verify', '10000')
    const [, compared] = /^Parity: 0 of ([\d,]+) compared, of 134,144 elements, differ/m.exec(some.stdout)!
    expect(Number(compared!.replaceAll(',', ''))).toBeGreaterThan(5_000)
    expect(Number(compared!.replaceAll(',', ''))).toBeLessThan(20_000)
    const none = await write('--seed', '42', '--device', 'gpu', '--verify', '0')
    expect(none.stdout).not.toContain('Parity')
    expect(none.stdout.match(/not compared/g)).toHaveLength(28)
    expect(
      Buffer.compare(
        none.tensors.get('transformer.wte.weight')!.bytes,
        some.tensors.get('transformer.wte.weight')!.bytes,
      ),
    ).toBe(0)
  })

  it('no escape code and no progress bar into a pipe', async () => {
    const { stdout, stderr } = await write('--seed', '42', '--device', 'gpu')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape codes are what this looks for
    expect(stdout + stderr).not.toMatch(/[\x00-\x09\x0b-\x1f]/)
  })

  it('that it uses the CPU when there is no device and none was demanded', async () => {
    const bare = await withoutDawn(consumer)
    const program = [
      join(bare, 'node_modules', 'webgpu-init', 'dist', 'cli.js'),
      'init',
      'config.json',
      '-o',
      'out.safetensors',
    ]
    const auto = await runNode([...program, '--seed', '5', '--quiet'], { cwd: folder })
    expect(auto.status).toBe(0)
    expect(auto.stderr).toMatch(/npm install webgpu[^\n]*\nUsing the CPU\.\n$/)
    expect(auto.stdout).toContain('on the CPU')
    const fallback = await bytesOf('out.safetensors')
    await rm(join(folder, 'out.safetensors'))
    const gpu = await runNode([...program, '--seed', '5', '--device', 'gpu'], { cwd: folder })
    expect(gpu.status).toBe(1)
    expect(gpu.stderr).toContain('npm install webgpu')
    expect(await filesBelow(folder)).toEqual(['config.json'])
    await write('--seed', '5', '--device', 'gpu')
    expect(Buffer.compare(fallback, await bytesOf('out.safetensors'))).toBe(0)
  })
})

describe('a model of layers', () => {
  const deep = { layers: Array.from({ length: 20 }, () => [['linear', 64, 64], 'relu']).flat() }
  const reports = ['--report', 'report.html']
  /** What the page carries. */
  const pageData = async (name = 'report.html') =>
    JSON.parse(/id="report-data">([^<]*)</.exec(await readFile(join(folder, name), 'utf8'))![1]!)

  beforeEach(() => writeFile(join(folder, 'deep.json'), JSON.stringify(deep)))

  it('init --report measures the signal on the device: terminal, JSON and page agree; verify --model finds it again', async () => {
    const kaiming = ['--init', 'kaiming_normal', '--seed', '42']
    const args = ['init', 'deep.json', '-o', 'deep.safetensors', '--device', 'gpu', ...kaiming, ...reports]
    const machine = await run(...args, '--json')
    expect(machine.status, machine.stderr).toBe(0)
    const { ok, backend, files, parity, check, signal } = JSON.parse(machine.stdout)
    expect({ ok, backend, files }).toEqual({ ok: true, backend: 'webgpu', files: ['deep.safetensors'] })
    expect([parity.mismatchCount, check.ok, check.parameters.length]).toEqual([0, true, 40])
    expect(signal).toMatchObject({ verdict: 'healthy', backend: 'webgpu', batch: 64, inputShape: [64], advice: [] })
    expect(signal.layers.map((layer: { kind: string }) => layer.kind)).toEqual(deep.layers.map((l) => [l].flat()[0]))
    const page = await pageData()
    // Where JSON has no word for a number the page has text: a gain without a layer before it.
    expect(page.signal).toEqual({ ...signal, gains: page.signal.gains })
    expect(page.checks.map(({ name }: { name: string }) => name)).toEqual(
      expect.arrayContaining(['signal: activations', 'signal: gradients']),
    )
    const verified = await run(
      'verify',
      'deep.safetensors',
      '--device',
      'gpu',
      '--model',
      'deep.json',
      '--json',
      ...reports,
    )
    expect(verified.status, verified.stderr).toBe(0)
    expect(JSON.parse(verified.stdout).signal).toEqual(signal)
    expect((await pageData()).signal).toEqual(page.signal)
  })

  it('Xavier through 20 layers of ReLU: vanishing, which gain would mend it, the weights all the same, exit 1', async () => {
    const xavier = ['--init', 'xavier_normal', '--seed', '42', '--device', 'cpu']
    const { status, stdout } = await run('init', 'deep.json', '-o', 'deep.safetensors', ...xavier, ...reports)
    // Each layer halves the mean square of what comes after the first; 20 layers, seed and width fixed.
    expect(stdout).toMatch(
      /^Activations are vanishing: mean square x 10\^-(5|6)\.\d\d from 0 to 38, x 0\.\d+ a step\.$/m,
    )
    expect(stdout).toMatch(/^2 +linear +64 +-?\d\.\d\d +-\d\.\d\d +0 % +(vanishing|healthy)$/m)
    expect(stdout).toMatch(/^The 19 weight layers after relu: gain .* but 1\.41 keeps the activations\./m)
    expect(stdout).toMatch(/Wrote report\.html\nWrote deep\.safetensors\n$/)
    expect((await parse('deep.safetensors')).names).toHaveLength(40)
    expect((await pageData()).signal.verdict).toBe('vanishing')
    expect(status).toBe(1)
  })

  it('without layers, or without all of them, the page and the terminal say why there is no depth plot', async () => {
    const cpu = ['-o', 'out.safetensors', '--device', 'cpu', '--quiet', ...reports]
    for (const [model, only, why] of [
      ['config.json', [], /not measured: the file lists parameters, not what is computed with them/],
      ['deep.json', ['--only', '0.*'], /not measured: 38 of the model's parameters are not made here, "2\.weight"/],
    ] as const) {
      const { status, stdout } = await run('init', model, ...cpu, ...only)
      expect(stdout).toMatch(why)
      const { signal, signalNote } = await pageData()
      expect([status, signal]).toEqual([0, undefined])
      expect(signalNote).toMatch(new RegExp(why, 'i'))
    }
  })

  it('an input whose shape nothing tells is refused before any work', async () => {
    await writeFile(join(folder, 'conv.json'), '{ "layers": [["conv2d", 3, 8, 3], "relu"] }')
    const { status, stdout, stderr } = await run(
      'init',
      'conv.json',
      '-o',
      'c.safetensors',
      '--device',
      'cpu',
      ...reports,
    )
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toMatch(/layer "0" \(conv2d\) .* "signal": \{ "inputShape": \[3, 32, 32\] \}/)
    expect((await filesBelow(folder)).sort()).toEqual(['config.json', 'conv.json', 'deep.json'])
  })
})

describe('help', () => {
  for (const args of [
    ['--help'],
    ['-h'],
    ['help'],
    ['init', '--help'],
    ['init', '-h'],
    ['init', 'x', '--nope', '--help'],
  ]) {
    it(`webgpu-init ${args.join(' ')} exits 0`, async () => {
      const { status, stdout, stderr } = await run(...args)
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      expect(stdout).toContain('webgpu-init init <model>')
    })
  }

  it('names every option', async () => {
    const { stdout } = await run('init', '--help')
    for (const option of [
      '-o',
      '--output',
      '--init',
      '--mode',
      '--seed',
      '--dtype',
      '--device',
      '--verify',
      '--quiet',
    ]) {
      expect(stdout).toContain(option)
    }
    for (const name of ['xavier', 'kaiming', 'uniform', 'normal', 'float16', 'bfloat16', 'cpu', 'gpu']) {
      expect(stdout).toContain(name)
    }
  })
})

/** A mistake: found before any work, told on stderr in one plain message, and nothing is left behind. */
async function expectRefusal(args: readonly string[], status: 1 | 2, message: RegExp): Promise<void> {
  await writeFile(join(folder, 'kept.safetensors'), precious)
  const before = await filesBelow(folder)
  const output = await run(...args)
  expect(output.stderr).toMatch(message)
  expect(output.stderr, 'a message, not a stack trace').not.toMatch(/\n\s+at |node:internal|^Error:/)
  expect(output.stdout, 'nothing was begun').toBe('')
  expect(output.status).toBe(status)
  expect(await filesBelow(folder)).toEqual(before)
  expect(await readFile(join(folder, 'kept.safetensors'), 'utf8')).toBe(precious)
}

const out = ['-o', 'kept.safetensors'] as const
const init = ['init', 'config.json', ...out] as const

describe('wrong usage exits 2', () => {
  const cases: [string, readonly string[], RegExp][] = [
    ['an unknown command', ['initialise', 'config.json', ...out], /Unknown command "initialise"; known: init/],
    ['an unknown flag', [...init, '--sed', '1'], /--sed/],
    ['no config', ['init', ...out], /config\.json/],
    ['no output', ['init', 'config.json'], /-o/],
    ['an empty output', ['init', 'config.json', '-o', ''], /-o/],
    ['an output without value', ['init', 'config.json', '-o'], /-o|--output/],
    ['two configs', [...init, 'other.json'], /other\.json/],
    ['a seed that is a word', [...init, '--seed', 'abc'], /--seed must be an integer.*"abc"/],
    ['a fractional seed', [...init, '--seed', '1.5'], /--seed must be an integer.*"1\.5"/],
    ['an empty seed', [...init, '--seed='], /--seed must be an integer/],
    ['a seed without value', [...init, '--seed'], /--seed/],
    [
      'an unknown dtype',
      [...init, '--dtype', 'float64'],
      /--dtype must be one of float32, float16, bfloat16.*"float64"/,
    ],
    ['an integer dtype', [...init, '--dtype', 'int8'], /--dtype must be one of/],
    ['an unknown device', [...init, '--device', 'tpu'], /--device must be one of auto, gpu, cpu.*"tpu"/],
    ['a setting without --init', [...init, '--std', '0.1'], /--std is a setting of --init/],
    ['a setting that is no number', [...init, '--init', 'normal', '--std', 'wide'], /--std must be a number.*"wide"/],
    ['a NaN setting', [...init, '--init', 'normal', '--std', 'NaN'], /--std must be a number.*"NaN"/],
    ['an empty setting', [...init, '--init', 'normal', '--std='], /--std must be a number/],
    ['a verify that is a word', [...init, '--verify', 'some'], /--verify must be a number.*"some"/],
    ['a negative verify', [...init, '--verify', '-1'], /verify/],
    ['a verify below one', [...init, '--verify', '0.5'], /verify/],
    ['a value for --quiet', [...init, '--quiet=no'], /--quiet/],
    ['a flag twice', [...init, '--seed', '1', '--seed', '2'], /--seed is given twice/],
  ]
  for (const [name, args, message] of cases) {
    it(`${name}: ${args.slice(1).join(' ')}`, async () => {
      await expectRefusal(args, 2, message)
    })
  }

  it('no arguments: prints the usage', async () => {
    const { status, stdout, stderr } = await run()
    expect(status).toBe(2)
    expect(stdout + stderr).toContain('webgpu-init init <model>')
  })

  it('tells how to get help', async () => {
    expect((await run('nope')).stderr).toContain('webgpu-init --help')
    expect((await run('init')).stderr).toContain('webgpu-init init --help')
  })
})

describe('failure exits 1', () => {
  const cases: [string, readonly string[], RegExp][] = [
    ['an initializer nobody knows', [...init, '--init', 'glorious'], /Unknown initializer "glorious"; known: xavier/],
    ['an unknown mode', [...init, '--init', 'kaiming', '--mode', 'fan_avg'], /fan_avg.*fan_in.*fan_out/],
    ['an unknown nonlinearity', [...init, '--init', 'kaiming', '--nonlinearity', 'swoosh'], /swoosh/],
    ['a setting of another family', [...init, '--init', 'xavier', '--std', '1'], /"std".*known keys/],
    ['a negative std', [...init, '--init', 'normal', '--std', '-0.02'], /std >= 0\.0.*-0\.02/],
    ['an infinite std', [...init, '--init', 'normal', '--std', 'Infinity'], /std must be a finite number.*Infinity/],
    ['a above b', [...init, '--init', 'uniform', '--a', '1', '--b', '-1'], /from=1 > to=-1/],
    [
      'a constant beyond float16',
      [...init, '--init', 'constant', '--value', '1e6', '--dtype', 'float16'],
      /float16.*65504/,
    ],
    ['a config that is not there', ['init', 'absent.json', ...out], /absent\.json.*no such file/],
    ['a folder without a model', ['init', '/', ...out], /The folder "\/" holds none of config\.json/],
    [
      'an output in a missing folder',
      ['init', 'config.json', '-o', 'no/where.safetensors'],
      /"no\/where\.safetensors"/,
    ],
    ['an output below a file', ['init', 'config.json', '-o', 'config.json/x'], /"config\.json\/x"/],
  ]
  for (const [name, args, message] of cases) {
    it(`${name}: ${args.slice(1).join(' ')}`, async () => {
      await expectRefusal(args, 1, message)
    })
  }

  const configs: [string, string, RegExp][] = [
    ['an empty file', '', /not valid JSON/],
    ['half a file', '{"model_type": "gpt2", "n_la', /"config\.json" is not valid JSON/],
    ['an empty list', '[]', /parameters/],
    ['null', 'null', /none of the files that are read/],
    ['no model_type', '{}', /model_type/],
    ['an unknown model_type', '{"model_type":"rwkv"}', /unknown model_type "rwkv"; known: gpt2, llama/],
    ['a model_type from the prototype', '{"model_type":"constructor"}', /unknown model_type "constructor"/],
    ['layers in words', '{"model_type":"gpt2","n_layer":"twelve"}', /n_layer must be an integer.*"twelve"/],
    ['no layers', '{"model_type":"gpt2","n_layer":0}', /n_layer must be an integer.*0/],
    ['a negative width', '{"model_type":"gpt2","n_embd":-768}', /n_embd must be an integer.*-768/],
    ['half a position', '{"model_type":"gpt2","n_positions":1.5}', /n_positions must be an integer.*1\.5/],
    ['a vocabulary beyond reason', '{"model_type":"gpt2","vocab_size":1e300}', /vocab_size must be an integer/],
    ['more bytes than can be counted', '{"model_type":"gpt2","n_embd":2000000000}', /2\^53/],
    ['a negative initializer_range', '{"model_type":"gpt2","initializer_range":-0.02}', /initializer_range.*-0\.02/],
    ['an initializer_range in words', '{"model_type":"gpt2","initializer_range":"NaN"}', /initializer_range.*"NaN"/],
    ['an integer torch_dtype', '{"model_type":"gpt2","torch_dtype":"int8"}', /torch_dtype/],
    ['an unknown torch_dtype', '{"model_type":"gpt2","torch_dtype":"float8"}', /torch_dtype.*"float8"/],
  ]
  for (const [name, text, message] of configs) {
    it(`a config.json with ${name}`, async () => {
      await writeFile(join(folder, 'config.json'), text)
      await expectRefusal(init, 1, message)
    })
  }

  it('an output that is a folder', async () => {
    await mkdir(join(folder, 'weights'))
    await expectRefusal(['init', 'config.json', '-o', 'weights', '--device', 'cpu'], 1, /weights/)
    await expectRefusal(['init', 'config.json', '-o', 'weights/', '--device', 'cpu'], 1, /weights/)
    expect((await lstat(join(folder, 'weights'))).isDirectory()).toBe(true)
  })

  it('an output that is no regular file: it is neither replaced nor removed', async () => {
    expect((await runFile('mkfifo', ['pipe'], { cwd: folder })).status).toBe(0)
    await expectRefusal(['init', 'config.json', '-o', 'pipe', '--device', 'cpu'], 1, /pipe/)
    expect((await lstat(join(folder, 'pipe'))).isFIFO()).toBe(true)
  })

  it('a model that no memory can hold, on either device', async () => {
    // 3.4 PB: beyond any address space, within 2^53 bytes.
    await writeFile(join(folder, 'config.json'), JSON.stringify({ ...smallGpt2, n_embd: 2 ** 24 }))
    for (const device of ['cpu', 'gpu']) {
      const { status, stderr } = await run(...init, '--device', device)
      expect(stderr).toMatch(/transformer\.(wte|h\.0\.attn\.c_attn)\.weight/)
      expect(stderr).not.toMatch(/\n\s+at /)
      expect(status).toBe(1)
      expect(await filesBelow(folder)).toEqual(['config.json'])
    }
  })
})

/** An older file of the kind that is written. */
const precious = `\x02${'\0'.repeat(7)}{}precious`

describe('interrupted', () => {
  interface Child {
    readonly process: ChildProcess
    readonly ended: Promise<{ status: number | null; stdout: string; stderr: string }>
    /** Resolves when stdout has its first line. */
    readonly begun: Promise<void>
  }
  interface Interrupted {
    readonly status: number | null
    readonly stdout: string
    readonly stderr: string
    /** The names in the folder when the signal was sent. */
    readonly files: readonly string[]
  }

  /** Runs the command with a signal that it sends itself: test/support/package/interrupt-itself.mjs. */
  async function interrupted(signal: string, at: 'first-line' | 'second-write', ...args: string[]) {
    const hook = pathToFileURL(join(repository, 'test', 'support', 'package', 'interrupt-itself.mjs')).href
    const child = start(['--import', hook], { INTERRUPT_SIGNAL: signal, INTERRUPT_AT: at }, args)
    const files = new Promise<readonly string[]>((resolve) => {
      child.process.once('message', (message) => resolve((message as { files: string[] }).files))
      child.process.once('close', () => resolve(['ended without a signal']))
    })
    return { files: await files, ...(await child.ended) } satisfies Interrupted
  }

  function start(
    flags: readonly string[],
    variables: Readonly<Record<string, string>>,
    args: readonly string[],
  ): Child {
    const child = spawn(process.execPath, [...flags, cli, ...args], {
      cwd: folder,
      env: { ...environment, ...variables },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    }) as ChildProcessByStdio<null, Readable, Readable>
    let stdout = ''
    let stderr = ''
    const begun = new Promise<void>((resolve) => {
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text
        if (stdout.includes('\n')) resolve()
      })
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    const ended = new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve) => {
      child.once('close', (status) => resolve({ status, stdout, stderr }))
    })
    return { process: child, begun, ended }
  }

  const medium = { model_type: 'gpt2', n_layer: 4, n_embd: 512 }

  for (const [signal, code, device] of [
    ['SIGINT', 130, 'cpu'],
    ['SIGTERM', 143, 'cpu'],
    ['SIGHUP', 129, 'cpu'],
    ['SIGINT', 130, 'gpu'],
  ] as const) {
    it(`by ${signal} while it initialises on the ${device}: exits ${code}, the old file stays, nothing else`, async () => {
      await writeFile(join(folder, 'config.json'), JSON.stringify(medium))
      await writeFile(join(folder, 'out.safetensors'), precious)
      const args = ['init', 'config.json', '-o', 'out.safetensors', '--seed', '1', '--device', device]
      const { files, status, stderr, stdout } = await interrupted(signal, 'first-line', ...args)
      expect(files.filter(isUnfinished), 'its file was there').toHaveLength(1)
      expect(stderr).toBe('Interrupted; no file was written.\n')
      expect(status).toBe(code)
      expect(stdout).not.toContain('Wrote')
      expect(await filesBelow(folder)).toEqual(['config.json', 'out.safetensors'])
      expect(await readFile(join(folder, 'out.safetensors'), 'utf8')).toBe(precious)
    })
  }

  it('by SIGINT while it writes: exits 130, no file under either name', async () => {
    const args = ['init', 'config.json', '-o', 'out.safetensors', '--init', 'zeros', '--device', 'cpu', '--verify', '0']
    const { files, status, stderr } = await interrupted('SIGINT', 'second-write', ...args)
    expect(files.filter(isUnfinished)).toHaveLength(1)
    expect(stderr).toBe('Interrupted; no file was written.\n')
    expect(status).toBe(130)
    expect(await filesBelow(folder)).toEqual(['config.json'])
  })

  it('by nobody, but by another run with the same output: one whole file, and exit 0 only for who wrote it', async () => {
    const slow = { ...smallGpt2, n_embd: 256, vocab_size: 20_000 }
    await writeFile(join(folder, 'slow.json'), JSON.stringify(slow))
    const args = ['--seed', '1', '--device', 'cpu', '--quiet', '--verify', '0']
    const whole: Record<string, Uint8Array> = {}
    for (const name of ['slow', 'config']) {
      expect((await run('init', `${name}.json`, '-o', `${name}.safetensors`, ...args)).status).toBe(0)
      whole[name] = await bytesOf(`${name}.safetensors`)
    }
    const child = start([], {}, ['init', 'slow.json', '-o', 'out.safetensors', ...args])
    await child.begun
    const quick = await run('init', 'config.json', '-o', 'out.safetensors', ...args)
    const status = { slow: (await child.ended).status, config: quick.status }
    const written = await bytesOf('out.safetensors')
    const owners = Object.keys(whole).filter((name) => Buffer.compare(whole[name]!, written) === 0)
    expect(owners, "the file is one run's whole output").toHaveLength(1)
    expect(status[owners[0] as 'slow' | 'config']).toBe(0)
    expect((await filesBelow(folder)).filter((name) => name.includes('partial'))).toEqual([])
  })

  it('by a reader that goes away (| head): no stack trace, no half file', async () => {
    const shell = `"$0" "$1" init config.json -o out.safetensors --seed 1 --device cpu | head -n 1; echo "status \${PIPESTATUS[0]}"`
    const { stdout, stderr } = await runFile('bash', ['-c', shell, process.execPath, cli], {
      cwd: folder,
      env: plainEnvironment(),
    })
    expect(stdout).toMatch(/^gpt2: 28 parameters/)
    expect(stderr).not.toMatch(/\n\s+at |Unhandled|EPIPE/)
    const files = await filesBelow(folder)
    expect(files).not.toContain('out.safetensors.partial')
    if (files.includes('out.safetensors')) expect((await parse('out.safetensors')).names).toHaveLength(28)
    expect(stdout).toMatch(/status (0|141|1)\n$/)
  })
})
