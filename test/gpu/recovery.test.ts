// What breaks on the way: lost devices, no memory, bad shaders, wrong arithmetic, thousands of cancelled calls.
import { describe, expect, test } from 'vitest'
import type { FloatDType } from '../../src/core/dtype.js'
import { deviceState } from '../../src/gpu/device/device-state.js'
import { shaderModules } from '../../src/gpu/shaders/shader-modules.js'
import {
  DeviceLostError,
  initializeModel,
  linear,
  normal,
  OutOfMemoryError,
  propagateSignal,
  relu,
  rematerialize,
  sequential,
  uniform,
  WeightInitError,
} from '../../src/index.js'
import { requestNodeDevice } from '../../src/node/device.js'
import { countDifferences } from '../support/bits.js'
import { adapterName, useDevice } from '../support/gpu.js'
import { bytesLeftPerCycle, watchObjects } from '../support/leaks.js'
import { fixSpeed, onCall, watchDevice } from '../support/track.js'

const gpu = useDevice()
/** What a device makes, each of which keeps memory of the driver's as long as something refers to it. */
const deviceObjects = [
  'createBindGroup',
  'createBindGroupLayout',
  'createBuffer',
  'createCommandEncoder',
  'createComputePipelineAsync',
  'createPipelineLayout',
  'createShaderModule',
] as const
const model = sequential(linear(64, 32), relu(), linear(32, 10))

describe(`recovery on ${adapterName}`, () => {
  const moments: [string, (device: GPUDevice) => void][] = [
    ['the first pipeline', (d) => onCall(d, 'createComputePipelineAsync', 1, () => d.destroy())],
    ['the first shader module', (d) => onCall(d, 'createShaderModule', 1, () => d.destroy())],
    ['the first buffer', (d) => onCall(d, 'createBuffer', 1, () => d.destroy())],
    ['the second buffer', (d) => onCall(d, 'createBuffer', 2, () => d.destroy())],
    ['a weight buffer', (d) => onCall(d, 'createBuffer', 5, () => d.destroy())],
    ['the self-test', (d) => onCall(d.queue, 'submit', 1, () => d.destroy())],
    ['the readback', (d) => onCall(d.queue, 'submit', 2, () => d.destroy())],
    ['the fill', (d) => onCall(d.queue, 'submit', 3, () => d.destroy())],
    ['waiting for the fill', (d) => onWait(d, 2, () => d.destroy())],
  ]
  /** When the nth submit's work is waited for: a CPU adapter is asked by a fence, a GPU as the standard has it. */
  function onWait(device: GPUDevice, nth: number, act: () => void): void {
    onCall(device.queue, 'onSubmittedWorkDone', nth, act)
    const { createBuffer } = device
    let fences = 0
    device.createBuffer = (descriptor) => {
      const buffer = createBuffer.call(device, descriptor)
      if (descriptor.label === 'webgpu-init fence' && ++fences === nth) onCall(buffer, 'mapAsync', 1, act)
      return buffer
    }
  }
  test.each(moments)('device lost at %s: DeviceLostError, nothing left', async (_, arrange) => {
    const device = await requestNodeDevice()
    const watch = watchDevice(device)
    arrange(device)
    await expect(initializeModel(model, normal, { device, seed: 1 })).rejects.toThrow(DeviceLostError)
    expect(watch.live.size).toBe(0)
    expect(deviceState(device).onLost.size).toBe(0)
    await expect(initializeModel(model, normal, { device, seed: 1 })).rejects.toThrow(/lost: it was destroyed/)
  })

  test('rematerialize gives the same bits on a new device, from the manifest text alone', async () => {
    const first = await requestNodeDevice()
    const options = { seed: 0xdeadbeefcafebaben, dtype: 'bfloat16' as const, shard: { axis: 0, index: 1, count: 3 } }
    const weights = await initializeModel(model, 'kaiming', { mode: 'fan_out' }, { device: first, ...options })
    const bytes = new Map<string, Uint8Array>()
    for (const name of weights.parameters.keys()) bytes.set(name, await weights.readBytes(name))
    const text = JSON.stringify(weights.manifest())
    first.destroy()
    await first.lost
    await expect(weights.read('0.weight')).rejects.toThrow(DeviceLostError)
    const live = gpu.liveBuffers()
    for (const again of [
      await weights.rematerialize(gpu.device, { buffers: 'packed' }),
      await rematerialize(text, gpu.device),
      await rematerialize(JSON.parse(text), 'cpu'),
    ]) {
      expect([...again.parameters.keys()]).toEqual([...bytes.keys()])
      for (const [name, expected] of bytes)
        expect(countDifferences(await again.readBytes(name), expected, 1).count).toBe(0)
      expect(JSON.stringify(again.manifest())).toBe(text)
      expect((await again.verify()).ok).toBe(true)
      again.destroy()
    }
    weights.destroy()
    expect(gpu.liveBuffers()).toBe(live)
  })

  test('out of memory names the parameter and the bytes, and keeps nothing', async () => {
    for (const [buffers, failing, name] of [
      ['separate', 3, '2.weight'],
      ['packed', 1, '0.weight'],
    ] as const) {
      for (const thrown of [false, true]) {
        const device = await requestNodeDevice()
        const watch = watchDevice(device)
        // Warm up: the self-test's buffers are out of the way.
        ;(await initializeModel(model, normal, { device, seed: 1 })).destroy()
        let failed = false
        let scopes = 0
        onCall(device, 'createBuffer', failing, () => {
          if (thrown) throw new RangeError('createBuffer failed, size is too large for the implementation')
          failed = true
        })
        const { popErrorScope } = device
        device.popErrorScope = async () => {
          const out = failed && scopes++ === 0
          const error = await popErrorScope.call(device)
          return out ? ({ message: 'no memory left (a test)' } as GPUError) : error
        }
        const call = initializeModel(model, normal, { device, seed: 1, buffers })
        const error = (await call.catch((e: unknown) => e)) as OutOfMemoryError
        expect(error).toBeInstanceOf(OutOfMemoryError)
        expect(error.message).toContain(JSON.stringify(name))
        expect(error.message).toMatch(/could not allocate \d{4,} bytes .* of 9640 in all/)
        expect(watch.live.size).toBe(0)
        ;(await initializeModel(model, normal, { device, seed: 1 })).destroy()
        device.destroy()
      }
    }
  })

  test.runIf(adapterName === 'swiftshader')('more memory than the adapter has', async () => {
    const device = await requestNodeDevice()
    const watch = watchDevice(device)
    const huge = { parameters: Array.from({ length: 6 }, (_, i) => ({ name: `p${i}`, shape: [2 ** 14, 2 ** 14] })) }
    const error = (await initializeModel(huge, normal, { device, seed: 1 }).catch((e: unknown) => e)) as Error
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect(error.message).toMatch(/1073741824 bytes for parameter "p\d"/)
    expect(watch.live.size).toBe(0)
    using weights = await initializeModel(model, normal, { device, seed: 1 })
    expect((await weights.verify()).ok).toBe(true)
    weights.destroy()
    device.destroy()
  })

  test('1,000 started and aborted calls leave nothing behind', async () => {
    const live = gpu.liveBuffers()
    const cycle = async (i: number): Promise<void> => {
      const abort = new AbortController()
      const call = initializeModel(model, i % 2 ? normal : uniform, {
        device: gpu.device,
        seed: i,
        signal: abort.signal,
        ...(i % 5 === 4 ? { onProgress: () => abort.abort() } : {}),
      })
      if (i % 5 === 0) abort.abort()
      if (i % 5 === 1) queueMicrotask(() => abort.abort())
      if (i % 5 === 2) setImmediate(() => abort.abort())
      if (i % 5 === 3) setTimeout(() => abort.abort(), 1)
      const outcome = await call.catch((error: unknown) => error)
      if (outcome instanceof Error) expect(outcome.name).toBe('AbortError')
      else (outcome as { destroy(): void }).destroy()
    }
    // A call's model, plan and jobs are many kilobytes; the engine's own growth is a few hundred bytes, and ends.
    expect(await bytesLeftPerCycle(cycle, { blocks: 5, cyclesPerBlock: 200 })).toBeLessThan(1024)
    const watch = watchObjects(gpu.device, deviceObjects)
    for (let i = 0; i < 50; i++) await cycle(i)
    expect(watch.made).toBeGreaterThan(100)
    expect(await watch.alive()).toEqual(Object.fromEntries(deviceObjects.map((method) => [method, 0])))
    watch.stop()
    expect(gpu.liveBuffers()).toBe(live)
    expect(gpu.state.onLost.size).toBe(0)
  })

  test('a shader that does not compile is reported with file and line, and can be retried', async () => {
    const device = await requestNodeDevice()
    const watch = watchDevice(device)
    const state = deviceState(device)
    const bad = shaderModules['random/normal']!.replace('let d = direction(y, zero);', 'let d = directoin(y, zero);')
    state.modules = { ...shaderModules, 'random/normal': bad }
    const line = bad.split('\n').findIndex((text) => text.includes('directoin')) + 1
    const error = (await initializeModel(model, normal, { device, seed: 1 }).catch(
      (e: unknown) => e,
    )) as WeightInitError
    expect(error).toBeInstanceOf(WeightInitError)
    expect(error.code).toBe('SHADER')
    expect(error.message).toContain(`shaders/random/normal.wgsl:${line}:`)
    expect(error.message).toContain('directoin')
    expect(watch.live.size).toBe(0)
    state.modules = shaderModules
    using weights = await initializeModel(model, normal, { device, seed: 1 })
    expect((await weights.verify()).ok).toBe(true)
    device.destroy()
  })

  const sabotage: [name: string, module: string, from: string, to: string, message: RegExp, dtype?: FloatDType][] = [
    [
      'philox4x32',
      'random/philox',
      'high * 0x1F53u',
      'high * 0x1F52u',
      /computes philox4x32 \(shaders\/random\/philox.wgsl\) wrong: of 0x/,
    ],
    [
      'philoxBlock',
      'random/philox',
      'var i = 2u',
      'var i = 3u',
      /computes philoxBlock \(shaders\/random\/philox.wgsl\)/,
    ],
    [
      'radius',
      'random/logarithm',
      'var p = rounded(LOG_7 * g, zero) + LOG_6;',
      'var p = fma(LOG_7, g, LOG_6) + 1e-3;',
      /computes radius \(shaders\/random\/normal.wgsl\) wrong/,
    ],
    [
      'direction',
      'random/normal',
      'let swap = (shifted & 0x40000000u) != 0u;',
      'let swap = false;',
      /computes direction /,
    ],
    [
      'boxMuller',
      'random/normal',
      'rounded(r * d.y, zero)',
      'rounded(r * d.y * 1.0000001, zero)',
      /computes boxMuller /,
    ],
    [
      'sample',
      'distributions/normal',
      'bitcast<f32>(constants.a.y), zero',
      'bitcast<f32>(constants.a.y) * 1.0001 + 1e-6, zero',
      /computes sample \(shaders\/distributions\/normal.wgsl\)/,
    ],
    [
      'roundToDType',
      'store/bfloat16',
      '0x7fffu + ((bits >> 16u) & 1u)',
      '0x8000u',
      /computes roundToDType \(shaders\/store\/bfloat16.wgsl\)/,
    ],
    [
      'the store',
      'store/half_quad',
      'roundToDType(bits.w) << 16u',
      'roundToDType(bits.y) << 16u',
      /computes shaders\/fill\/fill.wgsl for bfloat16 wrong/,
    ],
    [
      'the constant',
      'fill/constant',
      'words[base + 3u] = pattern.w;',
      'words[base + 3u] = pattern.x;',
      /computes shaders\/fill\/constant.wgsl/,
    ],
    [
      'rounding to float8_e4m3fn',
      'store/float8',
      '((kept >> drop) & 1u)',
      '1u',
      /computes roundToDType \(shaders\/store\/float8_e4m3fn.wgsl\)/,
      'float8_e4m3fn',
    ],
    [
      'the bytes of a float8',
      'store/byte_quad',
      'roundToDType(bits.w) << 24u',
      'roundToDType(bits.z) << 24u',
      /computes shaders\/fill\/fill.wgsl for float8_e5m2 wrong/,
      'float8_e5m2',
    ],
    [
      'the last bit of a float8’s value',
      'distributions/normal',
      'return normalQuad',
      'return vec4<f32>(1.0 + 0x1p-23f) * normalQuad',
      /computes sample \(shaders\/distributions\/normal.wgsl\)/,
      'float8_e4m3fn',
    ],
    ['part indices', 'fill/fill_part', 'n * a.y)', '0u)', /computes shaders\/fill\/fill_part.wgsl for bfloat16/],
  ]
  test.each(sabotage)(
    'a device that miscomputes %s is refused by name',
    async (_, module, from, to, message, dtype = 'bfloat16') => {
      const device = await requestNodeDevice()
      const watch = watchDevice(device)
      const state = deviceState(device)
      expect(shaderModules[module]).toContain(from)
      state.modules = { ...shaderModules, [module]: shaderModules[module]!.replace(from, to) }
      const part = module === 'fill/fill_part'
      const shard = part ? { shard: { axis: 1, index: 0, count: 2 } } : {}
      const options = { device, seed: 1, dtype, ...shard }
      const error = (await initializeModel(model, normal, options).catch((e: unknown) => e)) as WeightInitError
      expect(error).toBeInstanceOf(WeightInitError)
      expect({ code: error.code, message: error.message }).toEqual({
        code: 'DEVICE_MISCOMPUTES',
        message: expect.stringMatching(message),
      })
      expect(error.message).toContain("device: 'cpu'")
      expect(watch.live.size).toBe(0)
      device.destroy()
    },
  )

  test('the self-test runs once per device and pipeline', async () => {
    const device = await requestNodeDevice()
    fixSpeed(device)
    const watch = watchDevice(device)
    const submits: number[] = []
    for (const initializer of [normal, normal, uniform, uniform]) {
      watch.submits = 0
      ;(await initializeModel(model, initializer, { device, seed: 1 })).destroy()
      submits.push(watch.submits)
    }
    // The test itself, its readback, the fill; then the fill alone.
    expect(submits).toEqual([3, 1, 3, 1])
    device.destroy()
  })

  test('every GPU object has a label', async () => {
    const device = await requestNodeDevice()
    const watch = watchDevice(device)
    const buffer = device.createBuffer({ label: 'own', size: 64 * 32 * 4, usage: 0x80 | 0x4 | 0x8 })
    const into = { '0.weight': { buffer } }
    for (const options of [{ into }, { buffers: 'packed' as const }, { shard: { axis: 1, index: 0, count: 2 } }]) {
      const weights = await initializeModel(model, normal, { device, seed: 1, ...options })
      await weights.statistics()
      await weights.check()
      await weights.verify()
      weights.destroy()
    }
    const generators = ['torch-cpu', 'torch-stateless', 'jax', { name: 'torch-cuda', threads: 40_960 }] as const
    for (const generator of generators) {
      const weights = await initializeModel(model, uniform, { device, seed: 1, generator })
      weights.destroy()
    }
    const matrices = await initializeModel(
      model,
      'orthogonal',
      {},
      { device, seed: 1, slice: { '0.weight': { start: [0, 1], end: [20, 9] } } },
    )
    await matrices.verify()
    matrices.destroy()
    const whole = await initializeModel(model, 'orthogonal', {}, { device, seed: 1 })
    await propagateSignal(model, whole, { batch: 2 })
    whole.destroy()
    const state = deviceState(device)
    state.modules = {
      ...shaderModules,
      'store/float16': shaderModules['store/float16']!.replace('31744', '1').replace('0xfffu', '0u'),
    }
    await expect(initializeModel(model, uniform, { device, dtype: 'float16', seed: 1 })).rejects.toThrow(/roundToDType/)
    expect(watch.labelled).toBeGreaterThan(50)
    expect(watch.unlabelled).toEqual([])
    buffer.destroy()
    expect(watch.live.size).toBe(0)
    device.destroy()
  })
})
