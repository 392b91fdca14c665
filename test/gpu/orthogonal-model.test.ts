// The orthogonal initializers through the public API.
import { describe, expect, test } from 'vitest'
import { initializeModel, initializeTensor, lstm, type Model, OrthogonalInitializer } from '../../src/index.js'
import { resolveOptions } from '../../src/plan/options.js'
import { planResolved } from '../../src/plan/plan.js'
import { materialize } from '../../src/weights/materialize.js'
import { verifyOrthogonal } from '../../src/weights/verify-orthogonal.js'
import { adapterName, readBuffer, useDevice } from '../support/gpu.js'

const gpu = useDevice()
const dtypes = [
  ['float32', 2e-6, 2e-5],
  ['float16', 4e-3, 2e-3],
  ['bfloat16', 3e-2, 1e-2],
  ['float8_e4m3fn', 0.13, 7e-2],
  ['float8_e5m2', 0.27, 0.14],
] as const

describe(`orthogonal initializers on ${adapterName}`, () => {
  test.each(dtypes)(
    'tall, wide, square, rank 4, in-out, %s: orthonormal, and the CPU’s Q',
    async (dtype, orthogonalityError, tolerance) => {
      for (const facts of [
        { shape: [65, 33] },
        { shape: [33, 65] },
        { shape: [48, 48] },
        { shape: [10, 3, 5, 3] },
        { shape: [3, 3, 7, 11], layout: 'in-out' as const },
        { shape: [4, 9, 9], batchAxes: 1 },
      ]) {
        const spec = { ...facts, dtype }
        using weights = await initializeTensor(spec, 'orthogonal', { gain: 1.5 }, { device: gpu.device, seed: 5 })
        using reference = await initializeTensor(spec, 'orthogonal', { gain: 1.5 }, { device: 'cpu', seed: 5 })
        const report = await weights.verify()
        expect(report.ok).toBe(true)
        expect(report.parameters[0]!.orthogonalityError).toBeLessThan(orthogonalityError)
        expect((await reference.verify()).ok).toBe(true)
        const [a, b] = [await weights.read('tensor'), await reference.read('tensor')]
        // A square matrix's last column is as uncertain as the matrix is close to singular.
        const worst = a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0)
        expect(worst).toBeLessThan(1.5 * tolerance * (facts.shape[0] === 48 ? 20 : 1))
      }
    },
  )

  test.each(dtypes)('delta-orthogonal, both layouts, %s: a matrix at the centre, zeros elsewhere', async (dtype) => {
    for (const facts of [
      { shape: [7, 5, 3, 3] },
      { shape: [3, 5, 4, 6], layout: 'in-out' as const },
      { shape: [4, 4, 2] },
    ]) {
      const spec = { ...facts, dtype }
      using weights = await initializeTensor(spec, 'delta_orthogonal', {}, { device: gpu.device, seed: 6 })
      expect((await weights.verify()).ok).toBe(true)
      const values = await weights.read('tensor')
      const field = facts.layout === 'in-out' ? 15 : facts.shape.slice(2).reduce((p, q) => p * q, 1)
      expect(values.filter((x) => x !== 0)).toHaveLength(values.length / field)
    }
  })

  test('a matrix for every gate of an LSTM, into the caller’s buffer, beside other parameters', async () => {
    const buffer = gpu.device.createBuffer({ size: 8192, usage: 0x80 | 0x4 | 0x8 })
    const before = new Uint8Array(8192).fill(0x77)
    gpu.device.queue.writeBuffer(buffer, 0, before)
    const rules = [
      { match: '*_hh_*', initializer: 'orthogonal' },
      { match: '*', initializer: 'xavier' },
    ]
    const into = { weight_hh_l0: { buffer, byteOffset: 260 } }
    const live = gpu.liveBuffers()
    const weights = await initializeModel(lstm(6, 9, { bias: false }), rules as never, {
      device: gpu.device,
      seed: 1,
      into,
    })
    expect((await weights.verify()).ok).toBe(true)
    const bytes = await readBuffer(gpu.device, buffer)
    expect(bytes.subarray(0, 260)).toEqual(before.subarray(0, 260))
    expect(bytes.subarray(260 + 4 * 36 * 9)).toEqual(before.subarray(260 + 4 * 36 * 9))
    weights.destroy()
    expect(gpu.liveBuffers()).toBe(live)
    buffer.destroy()
  })

  test('the same bits every time on a device; a changed element is found', async () => {
    const make = () => initializeTensor([96, 64], new OrthogonalInitializer(), { device: gpu.device, seed: 2 })
    using a = await make()
    using b = await make()
    expect(await a.readBytes('tensor')).toEqual(await b.readBytes('tensor'))
    gpu.device.queue.writeBuffer(a.get('tensor').buffer, 400, Float32Array.of(0.5))
    expect((await a.verify()).ok).toBe(false)
    gpu.device.queue.writeBuffer(a.get('tensor').buffer, 400, Float32Array.of(Number.NaN))
    expect((await a.verify()).ok).toBe(false)
  })

  test.each(dtypes)(
    '%s: matrices too large for the CPU are compared with a second run of the device',
    async (dtype) => {
      const specs: [string, Record<string, unknown>, object?][] = [
        ['orthogonal', { shape: [48, 30], role: 'weight' }],
        ['orthogonal', { shape: [3, 21, 33], role: 'weight', batchAxes: 1 }],
        ['delta_orthogonal', { shape: [7, 5, 3, 3], role: 'weight' }],
        ['orthogonal', { shape: [48, 30], role: 'weight' }, { slice: { w: { start: [3, 5], end: [40, 28] } } }],
      ]
      for (const [initializer, spec, options = {}] of specs) {
        const model = { parameters: [{ name: 'w', dtype, ...spec }] } as unknown as Model
        const resolved = resolveOptions({ device: gpu.device, seed: 4, ...options })
        const plan = planResolved(model, initializer as never, {}, resolved)
        const store = await materialize(plan, resolved)
        const [parameter] = plan.parameters
        const verify = () => verifyOrthogonal(store, parameter!, undefined, 0)
        const found = await verify()
        const { count } = found.withinBound!
        // One device gives the same bits every time.
        expect(found).toMatchObject({
          ok: true,
          mismatchCount: 0,
          withinBound: { largestDifference: 0, beyondCount: 0, secondRunCount: count },
        })
        expect(found.comparedCount + count).toBe(parameter!.elementCount)
        expect(found.orthogonalityError).toBeLessThan(2e-6)
        const { buffer, byteOffset } = store.region('w')
        gpu.device.queue.writeBuffer(buffer as GPUBuffer, byteOffset, new Uint8Array([0x34, 0x56, 0x40, 0x40]))
        const changed = await verify()
        expect(changed.ok).toBe(false)
        expect((changed.firstMismatch ?? changed.withinBound!.firstBeyond)!).toBeLessThan(2)
        store.destroy()
      }
    },
  )

  test("another seed's matrices, which are as orthogonal, fail", async () => {
    const model: Model = { parameters: [{ name: 'w', shape: [64, 40], role: 'weight' }] }
    using weights = await initializeModel(model, 'orthogonal', {}, { device: gpu.device, seed: 1 })
    using others = await initializeModel(model, 'orthogonal', {}, { device: gpu.device, seed: 2 })
    const right = await weights.verify()
    expect(right).toMatchObject({ ok: true, comparedCount: 0, withinBound: { count: 2560, secondRunCount: 0 } })
    expect(right.withinBound!.largestDifference).toBeLessThan(2e-6)
    const { buffer, byteOffset } = weights.get('w')
    gpu.device.queue.writeBuffer(buffer, byteOffset, await others.readBytes('w'))
    const wrong = await weights.verify()
    expect(wrong.parameters[0]!.orthogonalityError).toBeLessThan(2e-6)
    expect(wrong).toMatchObject({ ok: false, mismatchCount: 0 })
    expect(wrong.withinBound!.beyondCount).toBeGreaterThan(2500)
  })
})
