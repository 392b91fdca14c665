// Every row of the golden files has a check, and passes it on the CPU (test/gpu/golden.test.ts: on the device).
import { expect, test } from 'vitest'
import { launchThreads } from '../../../src/generators/torch-cuda.js'
import { jax, TorchGenerator } from '../../../src/index.js'
import { philox4x32 } from '../../../src/random/philox.js'
import { threefry2x32 } from '../../../src/random/threefry.js'
import { sha256 } from '../../support/bits.js'
import { checkGolden, type GoldenCheck } from '../../support/golden.js'
import { torchCpuChecks } from '../../support/golden-torch-cpu.js'
import { bitsOf, hexWords, loadVectors } from '../../support/vectors.js'

test('a row without a check is found', async () => {
  const checks: GoldenCheck[] = [{ path: /^a\|x$/, check: () => {} }]
  expect(await checkGolden({ _meta: { m: 1 }, a: { x: 1, y: 2 }, b: 3 }, checks)).toEqual(['a|y', 'b'])
})

test('torch_cpu_draws.json: real PyTorch with AVX2', async () => {
  expect(await checkGolden(loadVectors('torch_cpu_draws.json'), torchCpuChecks({ device: 'cpu' }))).toEqual([])
})

test('torch_cpu_default.json: the scalar build, uniforms exact, normals within 2e-6 std', async () => {
  const checks = torchCpuChecks({ device: 'cpu', variant: 'no-contraction', tolerance: 2e-6 })
  expect(await checkGolden(loadVectors('torch_cpu_default.json'), checks)).toEqual([])
})

/** Random123's families that no generator here uses. */
const unused = /^(philox2x32|threefry4x32)$/

test('kat_random123.json: the families and rounds in use', () => {
  const { vectors } = loadVectors<{
    vectors: { fn: string; rounds: number; ctr: string[]; key: string[]; out: string[] }[]
  }>('kat_random123.json')
  const words = (list: string[]): number[] => list.map((word) => Number.parseInt(word, 16))
  let checked = 0
  for (const { fn, rounds, ctr, key, out } of vectors) {
    const [c, k] = [words(ctr), words(key)]
    if (fn === 'philox4x32' && rounds === 10) {
      const found = new Uint32Array(4)
      philox4x32(found, c[0]!, c[1]!, c[2]!, c[3]!, k[0]!, k[1]!)
      expect([...found]).toEqual(words(out))
    } else if (fn === 'threefry2x32' && rounds === 20) {
      const found = new Uint32Array(2)
      threefry2x32(found, k[0]!, k[1]!, c[0]!, c[1]!)
      expect([...found]).toEqual(words(out))
    } else {
      expect(unused.test(fn) || rounds !== (fn === 'philox4x32' ? 10 : 20)).toBe(true)
      continue
    }
    checked++
  }
  expect(checked).toBe(6)
})

test('torch_cuda_ref.json: the words behind every draw', () => {
  const { small } = loadVectors<{ small: Record<string, Record<string, { u32: string | { sha256_u32le: string } }>> }>(
    'torch_cuda_ref.json',
  )
  for (const [seed, rows] of Object.entries(small)) {
    const key = BigInt(seed)
    for (const [count, row] of Object.entries(rows)) {
      const threads = launchThreads(Number(count), null)
      const block = new Uint32Array(4)
      const words = Uint32Array.from({ length: Number(count) }, (_, i) => {
        philox4x32(block, 0, 0, i % threads, 0, Number(key & 0xffffffffn), Number(key >> 32n))
        return block[0]!
      })
      const { u32 } = row
      if (typeof u32 === 'string') expect([...words]).toEqual(hexWords(u32))
      else expect(sha256(new Uint8Array(words.buffer))).toBe(u32!.sha256_u32le)
    }
  }
})

test('jax_ref.json: both roundings of uniform(-0.07, 0.07) hold', () => {
  interface Layout {
    shapes: Record<string, Record<string, string>>
  }
  const { keys } = loadVectors<{
    keys: Record<string, { key: [number, number]; partitionable: Layout; legacy: Layout }>
  }>('jax_ref.json')
  for (const { key, partitionable, legacy } of Object.values(keys)) {
    for (const [generator, { shapes }] of [
      ['jax', partitionable],
      ['jax-legacy', legacy],
    ] as const) {
      for (const [name, row] of Object.entries(shapes)) {
        const shape = name === 'scalar' ? [] : name.split('x').map(Number)
        const fround = Math.fround
        const [low, high] = [fround(-0.07), fround(0.07)]
        const split = jax
          .uniform(key, shape, 0, 1, { generator })
          .map((x) => fround(fround(x * fround(high - low)) + low))
        expect(bitsOf(split.map((x) => Math.max(low, x)))).toEqual(hexWords(row['uniform(-0.07,0.07) mul+add']!))
      }
    }
  }
})

test('jax_published.json: every record', () => {
  const { records } = loadVectors<{ records: { id: string; values: number[] }[] }>('jax_published.json')
  const legacy = { generator: 'jax-legacy' } as const
  const k42 = jax.key(42)
  const scaled = (values: Float32Array, by: number): number[] => [...values].map((x) => x * by)
  const loop = (): number[] => {
    let [key, subkey] = jax.split(k42)
    return Array.from({ length: 3 }, () => {
      const value = jax.normal(subkey!)[0]!
      ;[key, subkey] = jax.split(key!)
      return value
    })
  }
  const made: Readonly<Record<string, () => readonly unknown[]>> = {
    bits32_1701: () => [...jax.bits(jax.key(1701), 3, legacy)],
    bits_case: () => [...jax.bits(jax.key(942802475), 5, legacy)],
    fold_in_key0_4: () => [...jax.foldIn(jax.key(0), 4)],
    split3_key0_new: () => jax.split(jax.key(0), 3).map((key) => [...key]),
    uniform_case: () => [...jax.uniform(jax.key(1338574713), 5, 0, 1, legacy)],
    truncated_normal_case: () => [...jax.truncatedNormal(jax.key(2846034731), 0, 2, 5, legacy)],
    init_uniform10: () => scaled(jax.uniform(k42, [2, 3], 0, 1, legacy), 10),
    init_truncnormal5: () => scaled(jax.truncatedNormal(k42, -2, 2, [2, 3], legacy), 5),
    glorot_uniform: () => [...jax.initializers.glorotUniform(k42, [2, 3], legacy)],
    he_uniform: () => [...jax.initializers.heUniform(k42, [2, 3], legacy)],
    glorot_normal: () => [...jax.initializers.glorotNormal(k42, [2, 3], legacy)],
    he_normal: () => [...jax.initializers.heNormal(k42, [2, 3], legacy)],
    normal_key0_old: () => [...jax.normal(jax.key(0), [], legacy)],
    split42_old: () => jax.split(k42, 2, legacy).map((key) => jax.normal(key, [], legacy)[0]!),
    key123_old: () => [...jax.normal(jax.key(123), 3, legacy)],
    normal_key42_new: () => [...jax.normal(k42)],
    normal3_key42_new: () => [...jax.normal(k42, 3)],
    loop_key42_new: loop,
    uniform3_key0_new: () => [...jax.uniform(jax.key(0), 3)],
    uniform9_key0_new: () => [...jax.uniform(jax.key(0), [3, 3])],
  }
  for (const { id, values } of records) {
    const found = made[id]!() as number[]
    expect(found.length).toBe(values.length)
    values.forEach((x, i) => {
      if (typeof x !== 'number' || Number.isInteger(x)) expect(found[i]).toEqual(x)
      // As printed, with 6 digits at least.
      else expect(Math.abs(found[i]! - x)).toBeLessThanOrEqual(2e-6 * Math.max(1, Math.abs(x)))
    })
  }
})

test('a cached normal survives getState and setState in the middle of a sequence', () => {
  const calls: ((g: TorchGenerator) => ArrayLike<number>)[] = [
    (g) => g.normal(3),
    (g) => g.uniform(5, -1, 1),
    (g) => g.randperm(9),
    (g) => g.normal(20),
    (g) => g.truncNormal(7, 0, 1, -1, 1),
    (g) => g.truncNormal(40, 0, 1, 1, 3),
    (g) => g.normal(1),
    (g) => g.truncNormal(1000),
    (g) => g.normal(5, 2, 0.5),
  ]
  const whole = new TorchGenerator(77)
  let state = new TorchGenerator(77).getState()
  for (const call of calls) {
    const g = new TorchGenerator(1).setState(JSON.parse(JSON.stringify(state)))
    expect([...(call(g) as Float32Array)]).toEqual([...(call(whole) as Float32Array)])
    state = g.getState()
    expect(state).toEqual(whole.getState())
  }
})

test('any position is reached in seconds, and is the same by walking', () => {
  const near = new TorchGenerator(5)
  near.skip(2 ** 29 + 12345)
  const far = new TorchGenerator(5)
  far.skip(2 ** 52)
  expect(far.position).toBe(2 ** 52)
  expect([...far.uniform(3)].every((x) => x >= 0 && x < 1)).toBe(true)
  // From numpy's MT19937, word after word: after 2^29 + 12345 words of seed 5.
  expect(near.random()).toBe(NEAR_WORD)
})
const NEAR_WORD = 1794325033
