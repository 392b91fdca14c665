// Published values of PyTorch's CPU generator, reference arrays of its no-contraction build, and real PyTorch 2.13.
import { expect } from 'vitest'
import { linear, sequential, TorchGenerator } from '../../../src/index.js'
import type { SimpleDistribution, TorchCpuSource, TorchCpuVariant } from '../../../src/ir/generator.js'
import type { GoldenCheck } from './golden.js'
import type { GoldenRows } from './rows.js'
import { hashOf } from './torch-cpu-hashes.js'
import { distributionOf } from './torch-cuda.js'
import { bitsOf, hexWords } from './vectors.js'

/** The first call after torch.manual_seed(seed). */
const firstCall = (
  seed: bigint,
  distribution: SimpleDistribution,
  count: number,
  variant: TorchCpuVariant = 'fma',
): TorchCpuSource => ({
  generator: 'torch-cpu',
  variant,
  draw: distribution.kind,
  seed: Number(BigInt.asUintN(32, seed)),
  position: 0,
  count,
})

interface Published {
  readonly values: readonly number[]
  readonly values_at?: Readonly<Record<string, number>>
  readonly values_fan3?: readonly number[]
}

/** torch_cpu_published.json. */
export function torchCpuPublishedChecks(rows: GoldenRows): GoldenCheck[] {
  const draw = (
    label: string,
    [seed, distribution, count, variant]: [number, SimpleDistribution, number, TorchCpuVariant],
    check: (values: Float32Array) => void,
  ) =>
    rows.draw(
      label,
      { distribution, generatorSource: firstCall(BigInt(seed), distribution, count, variant) },
      [0, count],
      check,
    )
  const randn = distributionOf('randn')
  /** nn.Linear's weights: U(-1 / sqrt(fan in), 1 / sqrt(fan in)). */
  const weights = (fanIn: number): SimpleDistribution => ({
    kind: 'uniform',
    low: -1 / Math.sqrt(fanIn),
    high: 1 / Math.sqrt(fanIn),
  })
  const printed = (found: Float32Array, values: readonly number[], decimals: number): void =>
    expect(values.map((_, i) => found[i]!.toFixed(decimals))).toEqual(values.map((x) => x.toFixed(decimals)))
  const record: readonly ((record: Published, label: string) => void)[] = [
    ({ values }, label) =>
      draw(label, [42, randn, 64, 'fma'], (found) => expect([...found.subarray(0, values.length)]).toEqual(values)),
    ({ values, values_at }, label) =>
      draw(label, [42, randn, 200, 'no-contraction'], (found) => {
        printed(found, values, 10)
        for (const [index, x] of Object.entries(values_at!)) printed(found.subarray(Number(index)), [x], 10)
      }),
    ({ values }, label) => {
      draw(label, [42, weights(2), 6, 'fma'], (found) => printed(found, values, 7))
      // Only in the record's text.
      draw(label, [0, weights(2), 2, 'fma'], (found) => printed(found, [-0.00529398, 0.37932289], 8))
    },
    ({ values, values_fan3 }, label) => {
      draw(label, [0, weights(2), 2, 'no-contraction'], (found) => expect([...found]).toEqual(values))
      draw(label, [0, weights(3), 12, 'no-contraction'], (found) => printed(found, values_fan3!, 10))
    },
  ]
  return [
    {
      path: /^records\|[0-3]$/,
      check(row: Published, path) {
        record[Number(path[1])]!(row, path.join('|'))
      },
    },
    {
      path: /^reference_no_contraction\|[^|]+\|\d+\|\d+$/,
      check(hex: string, path) {
        const [, op = '', seed = '', count = ''] = path
        const words = hexWords(hex)
        draw(path.join('|'), [Number(seed), distributionOf(op), Number(count), 'no-contraction'], (values) =>
          expect(bitsOf(values.subarray(0, words.length))).toEqual(words),
        )
      },
    },
  ]
}

/** The part `torch` of python_2026.json: seeds other than 0 and 42. */
export function torch2026Checks(rows: GoldenRows): GoldenCheck[] {
  const options = (seed: string) => ({ seed: BigInt(seed), generator: 'torch-cpu' }) as const
  return [
    {
      path: /^torch\|\d+\|randperm 50$/,
      check(expected: number[], [, seed = '']) {
        rows.host(() => expect([...new TorchGenerator(BigInt(seed)).randperm(50)]).toEqual(expected))
      },
    },
    {
      path: /^torch\|\d+\|sparse_ 10x6 0\.35$/,
      check(expected: string, path) {
        const rule = { match: '*', initializer: 'sparse', config: { sparsity: 0.35, std: 0.01 } }
        const model = { parameters: [{ name: 'w', shape: [10, 6] }] }
        const check = (_: string, values: Float32Array) => expect(hashOf(values)).toBe(expected)
        rows.model(path.join('|'), [model, [rule], options(path[1]!)] as never, check)
      },
    },
    {
      path: /^torch\|\d+\|Linear 784,256 and 256,10$/,
      check(expected: string[], path) {
        const model = sequential(linear(784, 256), linear(256, 10))
        const names = ['0.weight', '0.bias', '1.weight', '1.bias']
        const rule = { match: '*', initializer: 'torch_default' }
        rows.model(path.join('|'), [model, [rule], options(path[1]!)] as never, (name, values) =>
          expect(hashOf(values)).toBe(expected[names.indexOf(name)]),
        )
      },
    },
    {
      path: /^torch\|\d+\|(rand|randn|uniform_\(.*\)|normal_\(.*\)) \d+$/,
      check(expected: string, path) {
        const [op = '', count = ''] = path[2]!.split(' ')
        const distribution = distributionOf(op)
        const generatorSource = firstCall(BigInt(path[1]!), distribution, Number(count))
        const check = (values: Float32Array) => expect(hashOf(values)).toBe(expected)
        rows.draw(path.join('|'), { distribution, generatorSource }, [0, Number(count)], check)
      },
    },
  ]
}
