// Every row of the golden files of PyTorch's CUDA generator and of its stateless one.
import { expect } from 'vitest'
import { cudaOffsetStep, launchThreads } from '../../../src/generators/torch/cuda.js'
import { torchCudaThreads } from '../../../src/generators/torch/cuda-gpus.js'
import { statelessFoldIn } from '../../../src/generators/torch/stateless.js'
import type { SimpleDistribution, StatelessSource } from '../../../src/ir/generator.js'
import { high32, low32 } from '../../../src/random/keys.js'
import { sha256 } from '../bits.js'
import type { GoldenCheck } from './golden.js'
import type { GoldenRows } from './rows.js'
import { hashOf, parseCall } from './torch-cpu-hashes.js'
import { bitsOf, floatOf, hexOf, hexWords } from './vectors.js'
import { philoxWords } from './words.js'

/** The references round log, root and sine correctly. CUDA evaluates them in hardware, within 1.5e-6. */
const REFERENCE_BOUND = 5.4e-7
const CUDA_BOUND = 1.5e-6

export function distributionOf(op: string): SimpleDistribution {
  const { method, args } = parseCall(op)
  const [a = 0, b = 1] = args
  return method === 'uniform' ? { kind: 'uniform', low: a, high: b } : { kind: 'normal', mean: a, std: b }
}

export function expectNear(values: Float32Array, words: readonly number[], bound: number): void {
  words.forEach((word, i) => {
    const x = floatOf(word)
    if (!(Math.abs(values[i]! - x) <= bound)) expect({ i, found: values[i] }).toEqual({ i, found: x })
  })
}

/** Uniforms in every bit, normals near. */
function expectLike(values: Float32Array, distribution: SimpleDistribution, words: readonly number[]): void {
  expect(values.length).toBeGreaterThanOrEqual(words.length)
  if (distribution.kind === 'uniform') expect(bitsOf(values.subarray(0, words.length))).toEqual(words)
  // Beside a mean the sum is rounded too.
  else expectNear(values, words, (distribution.mean === 0 ? REFERENCE_BOUND : CUDA_BOUND) * distribution.std)
}

interface Call {
  readonly distribution: SimpleDistribution
  readonly seed: string
  readonly count: number
  /** Threads that the GPU holds; null: as many as it takes. */
  readonly capacity?: number | null
  readonly offset?: bigint
}

const originOf = ({ seed, count, capacity = null, offset = 0n }: Call) =>
  ({
    generator: 'torch-cuda',
    seed,
    offset: String(offset),
    threads: launchThreads(count, capacity),
  }) as const

interface Init {
  readonly sha256_f32le?: string
  readonly first32: string
  readonly last8: string
}

/** torch_cuda_ref.json. */
export function torchCudaChecks(rows: GoldenRows): GoldenCheck[] {
  const draw = (label: string, call: Call, check: (values: Float32Array) => void, first = 0, count = call.count) =>
    rows.draw(label, { distribution: call.distribution, generatorSource: originOf(call) }, [first, count], check)
  return [
    {
      path: /^small\|\d+\|\d+\|u32$/,
      check(expected: string | { sha256_u32le: string }, path) {
        const [, seed = '', count = ''] = path
        const key = [low32(BigInt(seed)), high32(BigInt(seed))] as const
        const blocks = Array.from({ length: Number(count) }, (_, thread) => [[0, 0, thread, 0], key] as const)
        philoxWords(rows, path.join('|'), blocks, (found) => {
          const words = Uint32Array.from(found.filter((_, i) => i % 4 === 0))
          if (typeof expected === 'string') expect([...words]).toEqual(hexWords(expected))
          else expect(sha256(new Uint8Array(words.buffer))).toBe(expected.sha256_u32le)
        })
      },
    },
    {
      path: /^small\|\d+\|\d+\|.+/,
      check(hex: string, path) {
        const [, seed = '', count = '', op = ''] = path
        const distribution = distributionOf(op)
        draw(path.join('|'), { distribution, seed, count: Number(count) }, (values) =>
          expectLike(values, distribution, hexWords(hex)),
        )
      },
    },
    {
      path: /^calls\|\d+$/,
      check(
        calls: {
          op: string
          numel: number
          philox_offset_before: number
          philox_offset_after: number
          hex: string
        }[],
        path,
      ) {
        let offset = 0n
        for (const [index, { op, numel: count, philox_offset_before, philox_offset_after, hex }] of calls.entries()) {
          expect(offset).toBe(BigInt(philox_offset_before))
          const distribution = distributionOf(op)
          const call = { distribution, seed: path[1]!, count, offset }
          draw(`${path.join('|')}|${index}`, call, (values) => expectLike(values, distribution, hexWords(hex)))
          offset += cudaOffsetStep(count, launchThreads(count, null))
          expect(offset).toBe(BigInt(philox_offset_after))
        }
      },
    },
    {
      path: /^gpu\|[^|]+\|(T|sm_count|max_threads_per_sm)$/,
      check(value: number, [, name = '', fact = '']) {
        // The file's names say both counts: "V100 (80x2048)".
        const [, list = '', sms = '', perSm = ''] = /^(.*) \((\d+)x(\d+)\)$/.exec(name) ?? []
        if (fact === 'sm_count') expect(value).toBe(Number(sms))
        else if (fact === 'max_threads_per_sm') expect(value).toBe(Number(perSm))
        else {
          expect(value).toBe(256 * Number(sms) * Math.floor(Number(perSm) / 256))
          for (const gpu of list.split(' / ')) expect([gpu, torchCudaThreads[gpu]]).toEqual([gpu, value])
        }
      },
    },
    {
      path: /^gpu\|[^|]+\|cases\|\d+$/,
      check(
        row: {
          seed: number
          numel: number
          philox_offset_after: number
          rand_sha256_f32le: string
          at: Record<string, { rand: string; randn: string }>
          next_call_rand4: string
        },
        path,
      ) {
        const label = path.join('|')
        const [, name = ''] = path
        const capacity = torchCudaThreads[name.replace(/ [/(].*/, '')]!
        const rand = { distribution: distributionOf('rand'), seed: String(row.seed), count: row.numel, capacity }
        const randn = { ...rand, distribution: distributionOf('randn') }
        draw(label, rand, (values) => {
          expect(hashOf(values)).toBe(row.rand_sha256_f32le)
          for (const [index, { rand: hex }] of Object.entries(row.at)) expect(hexOf(values[Number(index)]!)).toBe(hex)
        })
        for (const [index, { randn: hex }] of Object.entries(row.at)) {
          const near = (values: Float32Array) => expectNear(values, hexWords(hex), REFERENCE_BOUND)
          draw(`${label}|at|${index}`, randn, near, Number(index), 1)
        }
        const offset = cudaOffsetStep(row.numel, launchThreads(row.numel, capacity))
        expect(offset).toBe(BigInt(row.philox_offset_after))
        const next = { ...rand, count: 4, offset }
        draw(`${label}|next`, next, (values) => expect(bitsOf(values)).toEqual(hexWords(row.next_call_rand4)))
      },
    },
    {
      path: /^init\|\d+\|[\dx]+$/,
      check({ numel, note, ...row }: { numel: number; note?: string } & Record<string, unknown>, path) {
        const [, seed = '', shape = ''] = path
        const shapes = shape.split('x').map(Number)
        const config = { nonlinearity: 'leaky_relu' }
        // The mapping of the file's note: a GPU that holds as many threads as there are elements.
        const generator = { name: 'torch-cuda', gpu: 'A100' } as const
        for (const [name, golden] of Object.entries(row as Record<string, Init>)) {
          const initializer = name.replace(/_( .*)?$/, '')
          const rule = { match: '*', initializer, ...(initializer.startsWith('kaiming') ? { config } : {}) }
          const model = { parameters: [{ name: 'w', shape: shapes }] }
          rows.model(
            `${path.join('|')}|${name}`,
            [model, [rule], { seed: BigInt(seed), generator }] as never,
            (_, values) => {
              expect(values.length).toBe(numel)
              const [first, last] = [hexWords(golden.first32), hexWords(golden.last8)]
              const std = Math.SQRT2 / Math.sqrt(shapes.slice(1).reduce((a, b) => a * b, 1))
              const distribution: SimpleDistribution = initializer.endsWith('normal')
                ? { kind: 'normal', mean: 0, std }
                : { kind: 'uniform', low: 0, high: 0 }
              expectLike(values, distribution, first)
              expectLike(values.subarray(values.length - last.length), distribution, last)
              if (distribution.kind === 'uniform') expect(hashOf(values)).toBe(golden.sha256_f32le)
            },
          )
        }
      },
    },
  ]
}

interface Published {
  readonly id: string
  readonly op: string
  readonly seed: number
  readonly numel: number
  readonly prior_calls: readonly (readonly [string, number])[]
  readonly sm_count: number | null
  readonly max_threads_per_sm: number | null
  readonly args: readonly number[]
  readonly printed_decimals: number | 'f32'
  readonly values: Readonly<Record<string, number>>
}

/** torch_cuda_published.json: values as printed; normals also within what CUDA's hardware may differ by. */
export function torchCudaPublishedChecks(rows: GoldenRows): GoldenCheck[] {
  return [
    {
      path: /^records\|\d+$/,
      check(record: Published) {
        const { id, op, seed, numel: count, sm_count, max_threads_per_sm, args, printed_decimals } = record
        const capacity = sm_count === null ? null : sm_count * Math.floor(max_threads_per_sm! / 256) * 256
        let offset = 0n
        for (const [, n] of record.prior_calls) offset += cudaOffsetStep(n, launchThreads(n, capacity))
        const [mean = 0, std = 1] = args
        const distribution: SimpleDistribution = op === 'rand' ? distributionOf('rand') : { kind: 'normal', mean, std }
        const printed = printed_decimals === 'f32' ? 0 : 0.5001 * 10 ** -printed_decimals
        const bound = op === 'rand' ? printed : printed + CUDA_BOUND * std
        const generatorSource = originOf({ distribution, seed: String(seed), count, capacity, offset })
        for (const [index, value] of Object.entries(record.values)) {
          rows.draw(`${id}|${index}`, { distribution, generatorSource }, [Number(index), 1], ([ours]) => {
            if (bound === 0) expect(ours).toBe(Math.fround(value))
            else expect(Math.abs(ours! - value)).toBeLessThanOrEqual(bound)
          })
        }
      },
    },
  ]
}

type Pair = readonly [seed: string, offset: string]

/** torch_stateless_ref.json. */
export function torchStatelessChecks(rows: GoldenRows): GoldenCheck[] {
  const originAt = (name: string): StatelessSource => {
    const [, seed = '', offset = ''] = /^seed=(\d+) offset=(\d+)$/.exec(name) ?? []
    return { generator: 'torch-stateless', seed, offset }
  }
  /** The blocks of a key from a counter on. */
  const blocks = (
    label: string,
    { seed, offset }: StatelessSource,
    at: number,
    count: number,
    check: (w: number[]) => void,
  ) => {
    const key = [low32(BigInt(seed)), high32(BigInt(seed))] as const
    const inputs = Array.from({ length: count }, (_, i) => {
      const counter = BigInt.asUintN(64, BigInt(offset) + BigInt(at + i))
      return [[low32(counter), high32(counter), 0, 0], key] as const
    })
    philoxWords(rows, label, inputs, check)
  }
  /** A block read as a key: a seed and an offset. */
  const pairs = (words: readonly number[]): Pair[] => {
    const long = (i: number): string => String(BigInt(words[i]!) | (BigInt(words[i + 1]!) << 32n))
    return Array.from({ length: words.length / 4 }, (_, i) => [long(4 * i), long(4 * i + 2)])
  }
  const uniform = (name: string, low: number, high: number): GoldenCheck => ({
    path: new RegExp(`^keys\\|[^|]+\\|${name}$`),
    check(hex: string, path) {
      const words = hexWords(hex)
      const draw = { distribution: { kind: 'uniform', low, high }, generatorSource: originAt(path[1]!) } as const
      rows.draw(path.join('|'), draw, [0, 19], (values) => expect(bitsOf(values)).toEqual(words))
      rows.draw(path.join('|'), draw, [5, 9], (values) => expect(bitsOf(values)).toEqual(words.slice(5, 14)))
    },
  })
  return [
    {
      path: /^keys\|[^|]+\|split\(4\) /,
      check(expected: Pair[], path) {
        blocks(path.join('|'), originAt(path[1]!), 0, 4, (words) => expect(pairs(words)).toEqual(expected))
      },
    },
    {
      path: /^keys\|[^|]+\|fold_in\(7\)$/,
      check(expected: Pair, path) {
        const generatorSource = originAt(path[1]!)
        blocks(path.join('|'), generatorSource, 7, 1, (words) => expect(pairs(words)).toEqual([expected]))
        const { seed, offset } = statelessFoldIn(generatorSource, 7)
        expect([seed, offset]).toEqual(expected)
      },
    },
    {
      path: /^keys\|[^|]+\|bits 19$/,
      check(hex: string, path) {
        blocks(path.join('|'), originAt(path[1]!), 0, 5, (words) => expect(words.slice(0, 19)).toEqual(hexWords(hex)))
      },
    },
    uniform('uniform 19', 0, 1),
    uniform('uniform\\(-0\\.07,0\\.07\\) 19 \\(fma\\)', -0.07, 0.07),
    {
      path: /^keys\|[^|]+\|normal 19$/,
      check(hex: string, path) {
        const draw = { distribution: distributionOf('randn'), generatorSource: originAt(path[1]!) }
        // The bound of the file's own note is 2e-6.
        rows.draw(path.join('|'), draw, [0, 19], (values) => expectNear(values, hexWords(hex), 1e-6))
      },
    },
  ]
}
