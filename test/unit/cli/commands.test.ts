// The commands in this process: what they print, what they refuse, how they exit. test/package/cli.test.ts runs the program.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { runCli } from '../../../src/cli/main.js'
import { initializeModel } from '../../../src/index.js'
import { writeWeights } from '../../../src/node.js'
import { layoutSafetensors } from '../../../src/readers/safetensors.js'
import { parseSafetensors } from '../../support/package/safetensors.js'

let folder: string
const at = (name: string): string => join(folder, name)

const small = {
  model_type: 'gpt2',
  architectures: ['GPT2LMHeadModel'],
  n_layer: 1,
  n_embd: 8,
  n_positions: 4,
  vocab_size: 10,
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'webgpu-init-commands-'))
  await writeFile(at('config.json'), JSON.stringify(small))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

interface Output {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command line; words that begin with `@` are files of the test's folder. */
async function run(...args: string[]): Promise<Output> {
  let stdout = ''
  let stderr = ''
  const out = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    stdout += text
    return true
  })
  const err = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += text
    return true
  })
  try {
    const status = await runCli(
      args.map((arg) => (arg.startsWith('@') ? at(arg.slice(1)) : arg)),
      '1.2.3',
    )
    return { status, stdout, stderr }
  } finally {
    out.mockRestore()
    err.mockRestore()
  }
}

/** A mistake: told on stderr, nothing on stdout, nothing left behind. */
async function refused(status: 1 | 2, message: RegExp, ...args: string[]): Promise<void> {
  const before = (await readdir(folder)).sort()
  const output = await run(...args)
  expect(output.stderr).toMatch(message)
  expect(output.stdout).toBe('')
  expect(output.status).toBe(status)
  expect((await readdir(folder)).sort()).toEqual(before)
}

async function writeCheckpoint(name = 'model.safetensors', options = {}): Promise<void> {
  const parameters = [
    { name: 'body.weight', shape: [8, 4] },
    { name: 'body.bias', shape: [8] },
    { name: 'classifier.weight', shape: [3, 8] },
  ]
  const weights = await initializeModel({ parameters }, 'normal', { std: 2 }, { device: 'cpu', seed: 5 })
  await writeWeights(at(name), weights, options)
}

describe('the program', () => {
  it('prints its version, its commands, and the help of each with examples', async () => {
    expect(await run('--version')).toEqual({ status: 0, stdout: '1.2.3\n', stderr: '' })
    const { stdout } = await run('--help')
    for (const name of ['init', 'plan', 'inspect']) {
      expect(stdout).toMatch(new RegExp(`^ {2}${name} +\\w`, 'm'))
      const help = await run(name, '--help')
      expect(help).toMatchObject({ status: 0, stderr: '' })
      expect(help.stdout).toMatch(new RegExp(`^Usage: webgpu-init ${name} `))
      expect(help.stdout).toMatch(new RegExp(`Examples\\n {2}webgpu-init ${name} `))
      expect(Math.max(...help.stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120)
    }
  })

  it('refuses commands and flags it does not know', async () => {
    await refused(2, /Unknown command "plant"; known: init, plan/, 'plant', '@config.json')
    await refused(2, /--output/, 'plan', '@config.json', '--output', 'x')
    await refused(2, /--seed/, 'inspect', '@config.json', '--seed', '1')
  })
})

describe('plan', () => {
  it('prints a row for every parameter, totals, ties and what looks wrong; no device is asked for', async () => {
    vi.doMock('webgpu', () => {
      throw new Error('a GPU was touched')
    })
    const { status, stdout, stderr } = await run('plan', '@config.json', '--seed', '3')
    vi.doUnmock('webgpu')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const lines = stdout.split('\n')
    expect(lines[0]).toMatch(/^parameter +shape +dtype +rule +because +fan in \/ out +distribution +std +bytes +flags$/)
    const row = lines.find((line) => line.startsWith('transformer.h.0.mlp.c_proj.weight'))
    expect(row!.split(/ {2,}/)).toEqual([
      'transformer.h.0.mlp.c_proj.weight',
      '32 x 8',
      'float32',
      'normal',
      'rules[0]: *c_proj.weight',
      '32 / 8',
      'normal(0, 0.0141421)',
      '0.01414',
      '1,024',
    ])
    expect(stdout).toContain('gpt2: 16 parameters, 1,000 elements, 4,000 bytes (4.0 kB); seed 3\n')
    expect(stdout).toContain('Shared memory: lm_head.weight = transformer.wte.weight\n')
    expect(stdout).toMatch(/Nothing looks wrong\.\n$/)
  })

  it('gives the same as JSON', async () => {
    const { stdout, status } = await run('plan', '@config.json', '--json', '--init', 'normal', '--seed', '-1')
    expect(status).toBe(0)
    const json = JSON.parse(stdout)
    expect(json).toMatchObject({
      model: 'gpt2',
      seed: '-1',
      totals: { parameterCount: 16, elementCount: 1000, byteLength: 4000 },
      tied: { 'lm_head.weight': 'transformer.wte.weight' },
    })
    expect(json.parameters).toHaveLength(16)
    expect(json.parameters[0]).toMatchObject({
      name: 'transformer.wte.weight',
      description: 'normal(0, 1)',
      byteLength: 320,
    })
    expect(json.findings).toEqual([])
  })

  it('flags what looks wrong, kinds together, and exits 0: it is advice', async () => {
    const { stdout, status } = await run('plan', '@config.json', '--init', 'normal', '--std', '5')
    expect(status).toBe(0)
    expect(stdout).toMatch(
      /^warning std-huge: transformer\.h\.0\.attn\.c_attn\.weight: std 5 with fan_in 8 .* And 3 more\.$/m,
    )
    expect(stdout).toMatch(/^note tied-embedding-wide: transformer\.wte\.weight: /m)
    expect(stdout).toMatch(/^transformer\.wte\.weight .* tied-embedding-wide$/m)
  })

  it('reads safetensors, an index, and a model of parameters; PyTorch defaults where no recipe is known', async () => {
    await writeCheckpoint()
    const single = await run('plan', '@model.safetensors', '--json')
    expect(JSON.parse(single.stdout).totals).toEqual({ parameterCount: 3, elementCount: 64, byteLength: 256 })
    expect(JSON.parse(single.stdout).parameters[0].rule.initializer).toBe('torch_default')
    await writeCheckpoint('sharded.safetensors', { maxShardBytes: 100 })
    const sharded = await run('plan', '@sharded.safetensors.index.json', '--json')
    expect(JSON.parse(sharded.stdout).totals).toEqual(JSON.parse(single.stdout).totals)
    await writeFile(at('own.json'), JSON.stringify({ parameters: [{ name: 'w', shape: [3, 4], dtype: 'float16' }] }))
    const own = await run('plan', '@own.json', '--init', 'xavier')
    expect(own.stdout).toContain('own.json: 1 parameters, 12 elements, 24 bytes')
  })

  it('leaves out what --only and --skip leave out', async () => {
    const { stdout } = await run('plan', '@config.json', '--only', '*.h.0.*', '--skip', '/bias$/', '--json')
    const json = JSON.parse(stdout)
    const kept = json.parameters.filter(({ action }: { action: string }) => action === 'initialize')
    expect(kept).toHaveLength(6)
    const { stdout: table } = await run('plan', '@config.json', '--only', '*.h.0.*')
    expect(table).toContain('4 parameters are left out.')
  })

  it('exits 1 where something is left that nothing initialises', async () => {
    await writeFile(
      at('own.json'),
      JSON.stringify({
        parameters: [
          { name: 'w', shape: [2, 2] },
          { name: 'n', shape: [1], role: 'buffer' },
        ],
      }),
    )
    const { status, stdout } = await run('plan', '@own.json', '--init', 'xavier')
    expect(status).toBe(1)
    expect(stdout).toMatch(/^error unmatched: n: No rule initialises it/m)
    await refused(1, /"n": No rule initialises it/, 'init', '@own.json', '--init', 'xavier', '-o', '@x.safetensors')
  })

  it('refuses bad input', async () => {
    await refused(2, /plan needs the path of a model/, 'plan')
    await refused(2, /remove "b"/, 'plan', 'a', 'b')
    await refused(1, /Cannot read .*absent\.json.*no such file/, 'plan', '@absent.json')
    await refused(
      2,
      /--only nothing\.\* matches none of the model's 16 parameters: transformer\.wte\.weight, /,
      'plan',
      '@config.json',
      '--only',
      'nothing.*',
    )
    await refused(2, /--skip \/zzz\/ matches none/, 'plan', '@config.json', '--skip', '/zzz/')
    await refused(2, /--only "\/\(\/".*regular expression/i, 'plan', '@config.json', '--only', '/(/')
    await refused(2, /--std is a setting of --init/, 'plan', '@config.json', '--std', '1')
    for (const [text, message] of [
      ['', /is not valid JSON/],
      ['{"parameters": [', /is not valid JSON/],
      ['{"parameters": []}', /no parameters/],
      ['{"parameters": [{"name": "w"}]}', /"w".*shape/],
      ['{"weight_map": {}}', /weight_map is empty/],
      ['{"weight_map": {"w": "../secret"}}', /no name of a .safetensors file beside the index/],
      ['{"weight_map": {"w": "absent.safetensors"}}', /Cannot read .*absent\.safetensors/],
      ['{}', /model_type/],
    ] as const) {
      await writeFile(at('bad.json'), text)
      await refused(1, message, 'plan', '@bad.json')
    }
    await writeFile(at('bad.safetensors'), 'no header')
    await refused(1, /bad\.safetensors": Not a valid \.safetensors file/, 'plan', '@bad.safetensors')
  })
})

describe('init', () => {
  const base = ['init', '@config.json', '--device', 'cpu', '--seed', '1'] as const

  it('writes shards, npy and raw', async () => {
    const sharded = await run(...base, '-o', '@m.safetensors', '--max-shard-bytes', '2KB')
    expect(sharded).toMatchObject({ status: 0, stderr: '' })
    expect(sharded.stdout).toMatch(
      /Wrote .*m-00001-of-00003\.safetensors\nWrote .*\n.*\nWrote .*m\.safetensors\.index\.json\n$/,
    )
    expect((await run(...base, '-o', '@npy', '--format', 'npy')).status).toBe(0)
    expect(await readdir(at('npy'))).toHaveLength(17)
    expect((await run(...base, '-o', '@w.bin', '--format', 'raw', '--dtype', 'bfloat16')).status).toBe(0)
    expect(JSON.parse(await readFile(at('w.bin.json'), 'utf8')).tensors).toHaveLength(16)
  })

  it('writes the same file whatever memory it may use', async () => {
    await run(...base, '-o', '@a.safetensors')
    const parts = await run(...base, '-o', '@b.safetensors', '--memory', '1KB')
    // The CPU made both: nothing says that a GPU was compared.
    expect(parts.stdout).toContain(
      "The CPU, twice: 0 of all 1,000 elements differ from the CPU's second run in any bit; no GPU was compared.",
    )
    expect(parts.stdout).toMatch(/measured std +CPU, twice$/m)
    expect(parts.stdout).not.toContain('GPU = CPU')
    expect(parts.stdout.match(/ equal$/gm)).toHaveLength(16)
    expect(Buffer.compare(await readFile(at('a.safetensors')), await readFile(at('b.safetensors')))).toBe(0)
  })

  it('gives a checkpoint a new head and copies the rest', async () => {
    await writeCheckpoint()
    const before = parseSafetensors(await readFile(at('model.safetensors')))
    const output = await run(
      'init',
      '--from',
      '@model.safetensors',
      '--only',
      'classifier.*',
      '-o',
      '@tuned.safetensors',
      '--device',
      'cpu',
      '--seed',
      '9',
    )
    expect(output).toMatchObject({ status: 0, stderr: '' })
    expect(output.stdout).toMatch(
      /^model\.safetensors: 1 parameters, 24 elements, 96 B; seed 9; on the CPU\n2 other tensors, 160 B, copied from /,
    )
    const { tensors } = parseSafetensors(await readFile(at('tuned.safetensors')))
    for (const name of ['body.weight', 'body.bias']) {
      expect(Buffer.compare(tensors.get(name)!.bytes, before.tensors.get(name)!.bytes)).toBe(0)
    }
    expect(
      Buffer.compare(tensors.get('classifier.weight')!.bytes, before.tensors.get('classifier.weight')!.bytes),
    ).not.toBe(0)
  })

  it('refuses bad input', async () => {
    await writeCheckpoint()
    const out = ['-o', '@out.safetensors'] as const
    await refused(
      2,
      /--shard and --max-shard-bytes exclude/,
      ...base,
      ...out,
      '--shard',
      '1/2',
      '--max-shard-bytes',
      '1GB',
    )
    await refused(2, /for --format safetensors, not npy/, ...base, '-o', '@out', '--format', 'npy', '--shard', '1/2')
    await refused(2, /--format must be one of safetensors, npy, raw/, ...base, ...out, '--format', 'gguf')
    await refused(2, /--max-shard-bytes must be a number of bytes/, ...base, ...out, '--max-shard-bytes', 'big')
    await refused(2, /--memory must be a number of bytes/, ...base, ...out, '--memory', '0')
    await refused(2, /--from needs --only or --skip/, 'init', '--from', '@model.safetensors', ...out)
    await refused(2, /--only head\.\* matches none/, 'init', '--from', '@model.safetensors', '--only', 'head.*', ...out)
    await refused(1, /Cannot read .*absent/, 'init', '--from', '@absent.safetensors', '--only', 'a', ...out)
    await refused(
      1,
      /"transformer\.wte\.weight" is not initialised, and .*model\.safetensors/,
      ...base,
      '--from',
      '@model.safetensors',
      '--only',
      '*.h.*',
      ...out,
    )
    await refused(1, /\.npy has no type for bfloat16/, ...base, '-o', '@out', '--format', 'npy', '--dtype', 'bfloat16')
    await refused(1, /Nothing is left to write/, ...base, ...out, '--skip', '*')
    await mkdir(at('full'))
    await writeFile(at('full/mine.txt'), 'precious')
    await refused(1, /holds "mine\.txt"/, ...base, '-o', '@full', '--format', 'npy')
  })
})

describe('inspect', () => {
  /** Values whose statistics are known by hand, in several dtypes. */
  async function writeKnown(): Promise<void> {
    const entries = [
      { name: 'a', shape: [2, 2], dtype: 'float32' as const },
      { name: 'half', shape: [4], dtype: 'float16' as const },
      { name: 'brain', shape: [3], dtype: 'bfloat16' as const },
      { name: 'wide', shape: [2], storedDType: 'F64' },
      { name: 'counts', shape: [2], dtype: 'int64' as const },
      { name: 'eight', shape: [2], dtype: 'float8_e4m3fn' as const },
      { name: 'none', shape: [0, 3], dtype: 'float32' as const },
      { name: 'bad', shape: [3], dtype: 'float32' as const },
    ]
    const { header, offsets, byteLength } = layoutSafetensors(entries, { format: 'pt', note: 'x'.repeat(100) })
    const bytes = new Uint8Array(byteLength)
    bytes.set(header)
    const view = new DataView(bytes.buffer)
    ;[1, -3, 5, 1].forEach((x, i) => void view.setFloat32(offsets[0]! + 4 * i, x, true))
    // 1, -2, 0, 65504
    ;[0x3c00, 0xc000, 0, 0x7bff].forEach((x, i) => void view.setUint16(offsets[1]! + 2 * i, x, true))
    // 1, 2, 3
    ;[0x3f80, 0x4000, 0x4040].forEach((x, i) => void view.setUint16(offsets[2]! + 2 * i, x, true))
    ;[1e300, -1e300].forEach((x, i) => void view.setFloat64(offsets[3]! + 8 * i, x, true))
    ;[2n ** 40n, -1n].forEach((x, i) => void view.setBigInt64(offsets[4]! + 8 * i, x, true))
    ;[Number.NaN, Number.NEGATIVE_INFINITY, 2].forEach((x, i) => void view.setFloat32(offsets[7]! + 4 * i, x, true))
    // -448, 0.5
    bytes.set([0xfe, 0x30], offsets[5]!)
    await writeFile(at('known.safetensors'), bytes)
  }

  it('measures every dtype that holds numbers', async () => {
    await writeKnown()
    const { status, stdout } = await run('inspect', '@known.safetensors', '--json')
    expect(status).toBe(0)
    const { tensors, files, metadata } = JSON.parse(stdout)
    expect(files).toEqual([
      { path: at('known.safetensors'), byteLength: (await readFile(at('known.safetensors'))).length },
    ])
    expect(metadata.format).toBe('pt')
    const of = (name: string) => tensors.find((tensor: { name: string }) => tensor.name === name)
    expect(of('a')).toMatchObject({ storedDType: 'F32', shape: [2, 2], byteLength: 16, elementCount: 4 })
    expect(of('a').statistics).toEqual({
      count: 4,
      mean: 1,
      std: Math.sqrt(8),
      min: -3,
      max: 5,
      nonFiniteCount: 0,
      zeroCount: 0,
    })
    expect(of('half').statistics).toMatchObject({ mean: 65503 / 4, min: -2, max: 65504, zeroCount: 1 })
    expect(of('brain').statistics).toMatchObject({ mean: 2, std: Math.sqrt(2 / 3), min: 1, max: 3 })
    expect(of('wide').statistics).toMatchObject({ mean: 0, min: -1e300, max: 1e300 })
    expect(of('counts').statistics).toMatchObject({ mean: (2 ** 40 - 1) / 2, max: 2 ** 40 })
    expect(of('eight')).toMatchObject({ dtype: 'float8_e4m3fn', statistics: { mean: -223.75, min: -448, max: 0.5 } })
    expect(of('none').statistics).toMatchObject({ count: 0, mean: null, std: null })
    expect(of('bad').statistics).toMatchObject({ count: 1, mean: 2, std: 0, nonFiniteCount: 2 })
  })

  it('prints a table, totals, metadata, and what is not finite', async () => {
    await writeKnown()
    const { stdout } = await run('inspect', '@known.safetensors')
    const lines = stdout.split('\n')
    expect(lines[0]).toMatch(/^tensor +shape +dtype +bytes +mean +std +min +max +non-finite +zeros$/)
    expect(lines.find((line) => line.startsWith('a '))!.split(/ {2,}/)).toEqual([
      'a',
      '2 x 2',
      'F32',
      '16',
      '1.0000',
      '2.8284',
      '-3.0000',
      '5.0000',
      '0',
      '0',
    ])
    expect(stdout).toMatch(/^eight +2 +F8_E4M3 +2 +-223\.75 /m)
    expect(stdout).toContain('known.safetensors: 8 tensors, 20 elements, 76 B\n')
    expect(stdout).toContain(`metadata note: ${'x'.repeat(77)}...\n`)
    expect(stdout).toMatch(/\n2 elements are not finite\.\n$/)
  })

  it('streams: statistics over many pieces are those over one', async () => {
    // 9 MiB: three pieces, the last of them short.
    const parameters = [{ name: 'w', shape: [9 * 2 ** 18 + 1] }]
    const rule = [{ match: '*', initializer: 'normal', config: { mean: 1000, std: 0.5 } }] as const
    const weights = await initializeModel({ parameters }, rule, { device: 'cpu', seed: 1 })
    await writeWeights(at('w.safetensors'), weights)
    const { stdout } = await run('inspect', '@w.safetensors', '--json')
    const { statistics } = JSON.parse(stdout).tensors[0]
    const whole = (await weights.statistics()).get('w')!
    expect(statistics.count).toBe(whole.count)
    expect(Math.abs(statistics.mean - whole.mean)).toBeLessThan(1e-9)
    expect(Math.abs(statistics.std - whole.std)).toBeLessThan(1e-9)
    expect([statistics.min, statistics.max]).toEqual([whole.min, whole.max])
  })

  it('reads the header alone, an index, and tensors by name', async () => {
    await writeCheckpoint('model.safetensors', { maxShardBytes: 100 })
    const header = await run('inspect', '@model.safetensors.index.json', '--header', '--only', '*.weight')
    expect(header.stdout).toMatch(/^tensor +shape +dtype +bytes\n/)
    expect(header.stdout).toContain('2 tensors, 56 elements, 224 B in 3 files')
    expect(header.stdout).not.toContain('body.bias')
    const json = JSON.parse((await run('inspect', '@model.safetensors.index.json', '--json')).stdout)
    expect(json.tensors.map(({ name }: { name: string }) => name)).toEqual([
      'body.weight',
      'body.bias',
      'classifier.weight',
    ])
  })

  it('refuses bad input', async () => {
    await writeKnown()
    await refused(2, /inspect needs the path/, 'inspect')
    await refused(2, /--only zzz matches no tensor/, 'inspect', '@known.safetensors', '--only', 'zzz')
    await refused(1, /Cannot read .*absent/, 'inspect', '@absent.safetensors')
    await refused(1, /no object weight_map/, 'inspect', '@config.json')
    await writeFile(at('short.safetensors'), 'abc')
    await refused(
      1,
      /short\.safetensors": Not a valid \.safetensors file: it has 3 bytes/,
      'inspect',
      '@short.safetensors',
    )
    const bytes = await readFile(at('known.safetensors'))
    await writeFile(at('cut.safetensors'), bytes.subarray(0, bytes.length - 1))
    await refused(1, /cut\.safetensors": Not a valid/, 'inspect', '@cut.safetensors')
    await mkdir(at('dir'))
    await refused(1, /The folder .*dir" holds none of .*model\.safetensors/, 'inspect', '@dir')
  })
})
