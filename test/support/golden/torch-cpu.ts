// Every row of the golden files of PyTorch's CPU generator, by whole models on a device; what is no initializer, on the host.
import { expect } from 'vitest'
import { initializeModel, TorchGenerator } from '../../../src/index.js'
import type { TorchCpuVariant, TorchTruncation } from '../../../src/ir/generator.js'
import type { GoldenCheck } from './golden.js'
import { expectHex, type GoldenTensor, hashOf, parseCall } from './torch-cpu-hashes.js'
import { bitsOf, floatOf, hexWords } from './vectors.js'

interface Target {
  readonly device: GPUDevice | 'cpu'
  readonly variant?: TorchCpuVariant
  /** How far block normals may be from the file's, in std: 0 means every bit. */
  readonly tolerance?: number
}

type Rule = { initializer: string; config?: Readonly<Record<string, unknown>> }

const rules: Readonly<Record<string, Rule & { truncation?: TorchTruncation; near?: number }>> = {
  xavier_uniform_: { initializer: 'xavier_uniform' },
  'xavier_uniform_(gain=relu)': { initializer: 'xavier_uniform', config: { gain: Math.SQRT2 } },
  xavier_normal_: { initializer: 'xavier_normal' },
  kaiming_uniform_: { initializer: 'kaiming_uniform', config: { nonlinearity: 'leaky_relu' } },
  'kaiming_uniform_(a=sqrt5)': {
    initializer: 'kaiming_uniform',
    config: { nonlinearity: 'leaky_relu', a: Math.sqrt(5) },
  },
  'kaiming_uniform_(fan_out,relu)': { initializer: 'kaiming_uniform', config: { mode: 'fan_out' } },
  kaiming_normal_: { initializer: 'kaiming_normal', config: { nonlinearity: 'leaky_relu' } },
  'kaiming_normal_(fan_out,relu)': { initializer: 'kaiming_normal', config: { mode: 'fan_out' } },
  // PyTorch 1.13, whose erf^-1 is within 2 ulp of the correctly rounded one.
  'trunc_normal_(std=0.02)': { initializer: 'trunc_normal', config: { std: 0.02 }, truncation: 'inversion', near: 3 },
  'trunc_normal_(0,1,-2,2)': { initializer: 'trunc_normal', truncation: 'inversion', near: 3 },
}

const ulp = (x: number): number => 2 ** (Math.floor(Math.log2(Math.max(Math.abs(x), 2 ** -100))) - 23)

export function torchCpuChecks({ device, variant = 'fma', tolerance = 0 }: Target): GoldenCheck[] {
  const draw = async (
    seed: string,
    parameters: readonly { name: string; shape: readonly number[] }[],
    rule: Rule | readonly (Rule & { match: string })[],
    truncation: TorchTruncation = 'rejection',
  ): Promise<Map<string, Float32Array>> => {
    const list = 'initializer' in rule ? [{ match: '*', ...rule }] : rule
    const generator = { name: 'torch-cpu', variant, truncation } as const
    const weights = await initializeModel({ parameters }, [...list] as never, { device, seed: BigInt(seed), generator })
    const values = new Map<string, Float32Array>()
    for (const { name } of parameters) values.set(name, (await weights.read(name)) as Float32Array)
    weights.destroy()
    return values
  }
  const near = (values: Float32Array, words: readonly number[], bound: (x: number) => number): void => {
    words.forEach((word, i) => {
      const x = floatOf(word)
      if (!(Math.abs(values[i]! - x) <= bound(x))) expect({ i, found: values[i] }).toEqual({ i, found: x })
    })
  }
  /** A tensor: every bit, or near where the file's normals are another build's. */
  const tensor = (values: Float32Array, golden: GoldenTensor & { last8?: string }, bound?: (x: number) => number) => {
    expect(values.length).toBe(golden.numel)
    const first = hexWords(golden.hex ?? golden.first32 ?? '')
    const last = hexWords(golden.last8 ?? '')
    if (bound === undefined) {
      expect(bitsOf(values.subarray(0, first.length))).toEqual(first)
      expect(bitsOf(values.subarray(values.length - last.length))).toEqual(last)
      expect(hashOf(values)).toBe(golden.sha256_f32le)
    } else {
      near(values, first, bound)
      near(values.subarray(values.length - last.length), last, bound)
    }
  }
  const boundOf = (op: string, count: number): ((x: number) => number) | undefined => {
    const { method, args } = parseCall(op)
    if (tolerance === 0 || method === 'uniform' || count < 16) return undefined
    return (x) => tolerance * (args[1] ?? 1) + ulp(x)
  }
  const expectDraw = (values: Float32Array, op: string, hex: string, bound = boundOf(op, values.length)): void => {
    if (bound === undefined) expectHex(values, hex)
    else near(values, hexWords(hex), bound)
  }

  return [
    {
      path: /^draws\|\d+\|\d+\|.+/,
      async check(hex: string, [, seed = '', count = '', op = '']) {
        const { method, args } = parseCall(op)
        const [a, b] = args.length === 2 ? args : [0, 1]
        const rule = { initializer: method, config: method === 'uniform' ? { a, b } : { mean: a, std: b } }
        const values = await draw(seed, [{ name: 'w', shape: [Number(count), 1] }], rule)
        expectDraw(values.get('w')!, op, hex)
      },
    },
    {
      path: /^sequences\|runs\|\d+$/,
      async check(calls: { op: string; numel: number; hex: string }[], [, , seed = '']) {
        const generator = new TorchGenerator(BigInt(seed), { variant })
        const parameters = calls.map(({ numel }, i) => ({ name: `call${i}`, shape: [numel, 1] }))
        const list = calls.map(({ op }, i) => {
          const { method, args } = parseCall(op)
          const [a, b] = args.length === 2 ? args : [0, 1]
          const config: Record<string, unknown> = method === 'uniform' ? { a, b } : { mean: a, std: b }
          return { match: `call${i}`, initializer: method, config }
        })
        const values = await draw(seed, parameters, list)
        calls.forEach(({ op, numel, hex }, i) => {
          const { method, args } = parseCall(op)
          expectDraw(generator[method](numel, ...args), op, hex)
          expectDraw(values.get(`call${i}`)!, op, hex)
        })
      },
    },
    {
      // Non-contiguous tensors are filled one by one: as calls of fewer than 16 elements, in memory order.
      path: /^noncontiguous_normal_seed42_shape_4x8_transposed$/,
      check(row: { memory_order: string; logical_rowmajor: string }) {
        const generator = new TorchGenerator(42, { variant })
        const memory = new Float32Array(32)
        for (let i = 0; i < 32; i += 8) memory.set(generator.normal(8), i)
        expectHex(memory, row.memory_order)
        expectHex(
          memory.map((_, i) => memory[(i % 8) * 4 + Math.floor(i / 8)]!),
          row.logical_rowmajor,
        )
      },
    },
    {
      path: /^init\|\d+\|[\dx]+\|.+/,
      async check(golden: GoldenTensor & { std: number }, [, seed = '', shape = '', name = '']) {
        const rule = rules[name]!
        const { initializer, config, truncation } = rule
        const parameters = [{ name: 'w', shape: shape.split('x').map(Number) }]
        const entry = config === undefined ? { initializer } : { initializer, config }
        const values = (await draw(seed, parameters, entry, truncation)).get('w')!
        const normals = initializer.endsWith('normal') && tolerance > 0
        const bound = (x: number): number => (rule.near ?? 1) * ulp(x) + (normals ? tolerance * golden.std : 0)
        tensor(values, golden, rule.near !== undefined || normals ? bound : undefined)
      },
    },
    {
      path: /^modules\|\d+\|.+/,
      async check(row: Record<string, unknown>, [, seed = '', name = '']) {
        const params = (row.params ?? row) as Record<string, GoldenTensor>
        const order = (row.order as string[] | undefined) ?? Object.keys(params)
        const embedding = name.startsWith('Embedding') ? { role: 'embedding', paddingIndex: 0 } : {}
        const parameters = order.map((key) => ({ name: key, shape: params[key]!.shape, ...embedding }))
        const values = await draw(seed, parameters, { initializer: 'torch_default' })
        const bound = name.startsWith('Embedding') && tolerance > 0 ? (x: number) => tolerance + ulp(x) : undefined
        for (const key of order) tensor(values.get(key)!, params[key]!, bound)
      },
    },
    {
      path: /^orthogonal\|\d+\|.+/,
      async check(golden: GoldenTensor, [, seed = '', name = '']) {
        const [kind, shape = ''] = name.split(' ')
        const lengths = shape.split('x').map(Number)
        if (kind === 'pre_qr_normal') {
          tensor(new TorchGenerator(BigInt(seed), { variant }).normal(golden.numel), golden)
          return
        }
        const values = await draw(seed, [{ name: 'w', shape: lengths }], { initializer: 'orthogonal' })
        near(values.get('w')!, hexWords(golden.hex!), () => 2e-6)
      },
    },
    {
      path: /^dirac_\|cases\|.+/,
      async check(ones: number[][], [, , name = '']) {
        const [, list = '', groups = '1'] = /^([\dx]+) groups=(\d+)$/.exec(name) ?? []
        const shape = list.split('x').map(Number)
        const rule = { initializer: 'dirac', config: { groups: Number(groups) } }
        expectOnes((await draw('1', [{ name: 'w', shape }], rule)).get('w')!, shape, ones)
      },
    },
    {
      path: /^eye_\|.+/,
      async check(ones: number[][], [, name = '']) {
        const shape = name.split('x').map(Number)
        expectOnes((await draw('1', [{ name: 'w', shape }], { initializer: 'eye' })).get('w')!, shape, ones)
      },
    },
    {
      path: /^randperm\|\d+$/,
      check(row: Record<string, unknown>, [, seed = '']) {
        const generator = new TorchGenerator(BigInt(seed))
        expect([...generator.randperm(10)]).toEqual(row['randperm(10)'])
        expect([...generator.randperm(100)]).toEqual(row['then randperm(100)'])
        expectHex(generator.uniform(1), row['then rand(1)'] as string)
      },
    },
    {
      path: /^sparse_\|\d+$/,
      async check(row: SparseRow, [, seed = '']) {
        const config = { sparsity: row.sparsity, std: row.std }
        const values = await draw(seed, [{ name: 'w', shape: row.shape }], { initializer: 'sparse', config })
        expectHex(values.get('w')!, row.hex)
        const [rows, columns] = row.shape
        row.zero_rows_per_column.forEach((zeros, column) => {
          expect(zeros.length).toBe(row.num_zeros_per_column)
          const found = Array.from({ length: rows }, (_, i) => i).filter(
            (i) => values.get('w')![i * columns + column] === 0,
          )
          expect(found).toEqual(zeros)
        })
      },
    },
  ]
}

interface SparseRow {
  shape: [number, number]
  sparsity: number
  std: number
  num_zeros_per_column: number
  zero_rows_per_column: number[][]
  hex: string
}

function expectOnes(values: Float32Array, shape: readonly number[], ones: readonly number[][]): void {
  const expected = new Float32Array(values.length)
  for (const place of ones) expected[place.reduce((at, index, axis) => at * shape[axis]! + index, 0)] = 1
  expect([...values]).toEqual([...expected])
}
