// The package in a page and in a worker of Chromium: the bytes of Node's CPU, lost devices, and no WebGPU at all.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { floatDTypes } from '../../src/core/dtype.js'
import type { InitializeOptions, ParameterSpec } from '../../src/index.js'
import { launchChromium, PATIENCE_MS, type Server, serve } from '../support/package/browser.js'
import { repository } from '../support/package/package.js'
import { runCase } from './page/run-case.js'

type Library = typeof import('../../src/index.js')

interface Case {
  readonly parameters: readonly ParameterSpec[]
  readonly initializer: string
  readonly config?: Readonly<Record<string, unknown>>
  readonly options: Pick<InitializeOptions, 'seed' | 'dtype' | 'buffers'> & { readonly device: 'auto' | 'cpu' }
}

interface Result {
  readonly backend: 'webgpu' | 'cpu'
  readonly ok: boolean
  readonly complete: boolean
  readonly comparedCount: number
  readonly mismatchCount: number
  readonly nonFiniteCount: number
  readonly hashes: Readonly<Record<string, string>>
}

/** What page/index.html and the bundle put on the window. */
interface TestWindow {
  readonly library: Library
  sha256(bytes: Uint8Array): Promise<string>
  runCase(description: Case): Promise<Result>
}
declare const window: TestWindow

const dist = join(repository, 'dist')
let browser: Browser
let server: Server
let context: BrowserContext
/** Whatever a page complains about. */
let problems: string[]

/** The page's code, as an application's bundler would ship it. */
async function bundle(): Promise<string> {
  const id = '\0entry'
  const result = await build({
    root: join(repository, 'test', 'browser', 'page'),
    configFile: false,
    logLevel: 'silent',
    publicDir: false,
    resolve: { alias: { 'webgpu-init': join(dist, 'index.js') } },
    plugins: [
      {
        name: 'entry',
        resolveId: (source) => (source === 'entry' ? id : undefined),
        load: (source) =>
          source === id
            ? `import * as library from 'webgpu-init'
               import { runCase } from '${join(repository, 'test', 'browser', 'page', 'run-case.js')}'
               window.runCase = (description) => runCase(library, description)`
            : undefined,
      },
    ],
    build: { write: false, target: 'es2022', minify: true, rollupOptions: { input: 'entry' } },
  })
  const chunks = [result].flat().flatMap((r) => ('output' in r ? r.output : []))
  expect(chunks).toHaveLength(1)
  return chunks[0]?.type === 'chunk' ? chunks[0].code : ''
}

beforeAll(async () => {
  if (!existsSync(join(dist, 'index.js'))) throw new Error('dist/ is missing. Run: npm run build')
  const folders = { dist, page: join(repository, 'test', 'browser', 'page') }
  server = await serve(folders, new Map([['/bundle.js', await bundle()]]))
  browser = await launchChromium()
})
afterAll(async () => {
  await browser?.close()
  await server?.close()
})

function watch(page: Page): Page {
  page.setDefaultTimeout(PATIENCE_MS)
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      problems.push(`${message.type()}: ${message.text()}`)
  })
  page.on('pageerror', (error) => problems.push(`uncaught: ${error.message}`))
  page.on('requestfailed', (request) => problems.push(`failed: ${request.url()}`))
  page.on('response', (response) => {
    if (response.status() >= 400) problems.push(`${response.status()}: ${response.url()}`)
  })
  return page
}

/** A fresh page, with `script` run before its own. */
async function open(path = '/page/index.html', script?: string): Promise<Page> {
  const page = watch(await context.newPage())
  if (script !== undefined) await page.addInitScript(script)
  await page.goto(server.origin + path)
  return page
}

const runInPage = (page: Page, description: Case): Promise<Result> =>
  page.evaluate((d) => window.runCase(d), description)

/** The same case on the CPU backend, in this Node process, from the same built files. */
async function runInNode(description: Case): Promise<Result> {
  const library = (await import(/* @vite-ignore */ pathToFileURL(join(dist, 'index.js')).href)) as Library
  const onCpu = { ...description, options: { ...description.options, device: 'cpu' } } as const
  return runCase(library, onCpu as unknown as Parameters<typeof runCase>[1]) as Promise<Result>
}

/** Tails of every length, rows that no workgroup divides, and more than one workgroup's worth. */
const shapes = [[1], [2], [3], [4], [5], [6], [7], [9], [1023], [257, 333], [65_537], [3, 5, 7, 11], [1024, 260]]
const parameters: readonly ParameterSpec[] = shapes.map((shape) => ({
  name: `p${shape.join('x')}`,
  shape,
  role: 'weight',
}))
const elementCount = shapes.reduce((sum, shape) => sum + shape.reduce((a, b) => a * b), 0)

async function expectSameBytes(page: Page, description: Case, backend: 'webgpu' | 'cpu' = 'webgpu'): Promise<void> {
  const result = await runInPage(page, description)
  expect(result).toMatchObject({ backend, ok: true, complete: true, mismatchCount: 0, nonFiniteCount: 0 })
  const expected = await runInNode(description)
  expect(result.comparedCount).toBe(expected.comparedCount)
  expect(Object.keys(result.hashes)).toEqual(description.parameters.map(({ name }) => name))
  expect(result.hashes).toEqual(expected.hashes)
}

beforeEach(async () => {
  problems = []
  context = await browser.newContext()
})
afterEach(async () => {
  await context.close()
  expect(problems).toEqual([])
})

const distributions: [string, string, Readonly<Record<string, unknown>>][] = [
  ['uniform on [0, 1)', 'uniform', {}],
  ['uniform on [-0.5, 0.5)', 'uniform', { a: -0.5, b: 0.5 }],
  ['uniform on [-3, 1.7)', 'uniform', { a: -3, b: 1.7 }],
  ['standard normal', 'normal', {}],
  ['normal(0.3, 0.02)', 'normal', { mean: 0.3, std: 0.02 }],
  ['constant 0.1', 'constant', { value: 0.1 }],
]

describe('Chromium, device auto', () => {
  for (const dtype of floatDTypes) {
    for (const [name, initializer, config] of distributions) {
      it(`${name} in ${dtype}: on WebGPU, every byte as on Node's CPU`, async () => {
        const description = {
          parameters,
          initializer,
          config,
          options: { device: 'auto', seed: 20_241, dtype },
        } as const
        await expectSameBytes(await open(), description)
        expect((await runInNode(description)).comparedCount).toBe(elementCount)
      })
    }
  }

  it('a model of PyTorch layers, packed into one buffer', async () => {
    const page = await open()
    const model = await page.evaluate(() => {
      const { conv2d, embedding, layerNorm, linear, relu, sequential } = window.library
      const layers = [conv2d(3, 17, 3), relu(), layerNorm(17), linear(17, 31), embedding(101, 13)]
      return JSON.parse(JSON.stringify(sequential(...layers).parameters)) as ParameterSpec[]
    })
    expect(model.map(({ name }) => name)).toEqual([
      '0.weight',
      '0.bias',
      '2.weight',
      '2.bias',
      '3.weight',
      '3.bias',
      '4.weight',
    ])
    const config = { mode: 'fan_out', nonlinearity: 'leaky_relu', a: 0.1 }
    for (const buffers of ['separate', 'packed'] as const) {
      const options = { device: 'auto', seed: 7, buffers } as const
      await expectSameBytes(page, { parameters: model, initializer: 'kaiming', config, options })
    }
  })

  it('again and again in one page: the device is shared, another seed gives other bytes', async () => {
    const page = await open()
    const first = parameters.slice(0, 9)
    const run = (seed: number): Promise<Result> =>
      runInPage(page, { parameters: first, initializer: 'normal', options: { device: 'auto', seed } })
    const [a, b, c] = await Promise.all([run(1), run(2), run(1)])
    expect([a.backend, b.backend, c.backend]).toEqual(['webgpu', 'webgpu', 'webgpu'])
    expect(c.hashes).toEqual(a.hashes)
    for (const { name } of first) expect(b.hashes[name], name).not.toBe(a.hashes[name])
  })

  it("gives GPUBuffers that the page's own commands can copy from", async () => {
    const page = await open()
    const { hash, usage } = await page.evaluate(async () => {
      const adapter = await navigator.gpu.requestAdapter()
      const device = await adapter!.requestDevice()
      const options = { device, seed: 5 }
      const weights = await window.library.initializeTensor([257, 333], 'xavier', {}, options)
      const { buffer, byteOffset, byteLength } = weights.get('tensor')
      const target = device.createBuffer({ size: byteLength, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST })
      const encoder = device.createCommandEncoder()
      encoder.copyBufferToBuffer(buffer, byteOffset, target, 0, byteLength)
      device.queue.submit([encoder.finish()])
      await target.mapAsync(GPUMapMode.READ)
      const hash = await window.sha256(new Uint8Array(target.getMappedRange().slice(0)))
      const usage = [buffer instanceof GPUBuffer, (buffer.usage & GPUBufferUsage.STORAGE) !== 0]
      weights.destroy()
      device.destroy()
      return { hash, usage }
    })
    expect(usage).toEqual([true, true])
    const tensor = [{ name: 'tensor', shape: [257, 333], role: 'weight' }] as const
    const expected = await runInNode({ parameters: tensor, initializer: 'xavier', options: { device: 'cpu', seed: 5 } })
    expect(hash).toBe(expected.hashes.tensor)
  })

  it('refuses a mistake with a WeightInitError, before it asks for a device', async () => {
    const page = await open()
    const facts = await page.evaluate(async () => {
      const { initializeModel, linear, WeightInitError } = window.library
      let asked = 0
      const original = navigator.gpu.requestAdapter.bind(navigator.gpu)
      navigator.gpu.requestAdapter = (options) => {
        asked++
        return original(options)
      }
      const error = await initializeModel(linear(2, 3), 'normal', { std: -1 }).catch((e: unknown) => e)
      return { ours: error instanceof WeightInitError, text: String(error), asked }
    })
    expect(facts).toEqual({ ours: true, text: expect.stringContaining('std >= 0.0'), asked: 0 })
  })

  it('a device lost in the page: DeviceLostError, and the same bytes on the next device', async () => {
    const page = await open()
    const facts = await page.evaluate(async () => {
      const { DeviceLostError, initializeModel, rematerialize } = window.library
      const request = async (): Promise<GPUDevice> => (await navigator.gpu.requestAdapter())!.requestDevice()
      const device = await request()
      const model = { parameters: [{ name: 'w', shape: [1024, 1024] }] }
      const weights = await initializeModel(model, 'xavier', {}, { device, seed: 8 })
      const hash = await window.sha256(await weights.readBytes('w'))
      const running = initializeModel(model, 'kaiming', {}, { device, seed: 9 }).catch((e: unknown) => e)
      device.destroy()
      const lost = [await running, await weights.read('w').catch((e: unknown) => e)]
      const again = await rematerialize(weights.manifest(), await request())
      return {
        lost: lost.map((error) => error instanceof DeviceLostError),
        same: (await window.sha256(await again.readBytes('w'))) === hash,
      }
    })
    expect(facts).toEqual({ lost: [true, true], same: true })
  })

  it('two copies of the library on one device, at once, do not disturb each other', async () => {
    // The page's bundle is one; the built files are the other.
    const page = await open('/page/bundled.html')
    // As a string: the test's own module loader must not see the imports.
    const results = await page.evaluate<Result[]>(`(async () => {
      const [library, { runCase }] = await Promise.all([import('/dist/index.js'), import('/page/run-case.js')])
      const device = await (await navigator.gpu.requestAdapter()).requestDevice()
      const parameters = [{ name: 'w', shape: [300, 257] }, { name: 'e', shape: [33, 5] }]
      return Promise.all([1, 2, 3, 4, 5, 6].map((seed) => {
        const description = { parameters, initializer: seed % 3 ? 'xavier' : 'orthogonal', options: { device, seed } }
        return seed % 2 ? runCase(library, description) : window.runCase(description)
      }))
    })()`)
    expect(results.map(({ ok, backend }) => [ok, backend])).toEqual(Array(6).fill([true, 'webgpu']))
    for (const [index, { hashes }] of results.entries()) {
      const seed = index + 1
      if (seed % 3 === 0) continue
      const own = [
        { name: 'w', shape: [300, 257] },
        { name: 'e', shape: [33, 5] },
      ]
      const expected = await runInNode({ parameters: own, initializer: 'xavier', options: { device: 'cpu', seed } })
      expect(hashes).toEqual(expected.hashes)
    }
  })

  it('works in a worker', async () => {
    const page = await open()
    const description: Case = { parameters, initializer: 'normal', options: { device: 'auto', seed: 3 } }
    const result = await page.evaluate((d) => {
      const worker = new Worker('/page/worker.js', { type: 'module' })
      return new Promise<Result>((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data)
        worker.onerror = (event) => reject(new Error(event.message))
        worker.postMessage(d)
      })
    }, description)
    expect(result).toMatchObject({ backend: 'webgpu', ok: true, hashes: (await runInNode(description)).hashes })
  })

  it('makes the same bytes bundled and minified', async () => {
    const page = await open('/page/bundled.html')
    for (const [initializer, dtype] of [
      ['normal', 'float32'],
      ['uniform', 'float16'],
    ] as const) {
      for (const device of ['auto', 'cpu'] as const) {
        const description = { parameters, initializer, options: { device, seed: 11, dtype } } as const
        await expectSameBytes(page, description, device === 'auto' ? 'webgpu' : 'cpu')
      }
    }
  })
})

describe('Chromium without a usable WebGPU falls back to the CPU, to the same bytes', () => {
  const description: Case = { parameters, initializer: 'normal', options: { device: 'auto', seed: 20_241 } }

  const scripts: [string, string][] = [
    ['no navigator.gpu', `Object.defineProperty(Navigator.prototype, 'gpu', { value: undefined })`],
    ['no adapter', `GPU.prototype.requestAdapter = async () => null`],
    ['an adapter request that fails', `GPU.prototype.requestAdapter = async () => { throw new TypeError('no') }`],
    [
      'no device',
      `GPUAdapter.prototype.requestDevice = async () => { throw new DOMException('no', 'OperationError') }`,
    ],
  ]
  for (const [name, script] of scripts) {
    it(name, async () => {
      await expectSameBytes(await open('/page/index.html', script), description, 'cpu')
    })
  }

  it('every distribution and dtype without navigator.gpu', async () => {
    const page = await open('/page/index.html', scripts[0]![1])
    for (const dtype of floatDTypes) {
      for (const [, initializer, config] of distributions) {
        const options = { device: 'auto', seed: 20_241, dtype } as const
        await expectSameBytes(page, { parameters, initializer, config, options }, 'cpu')
      }
    }
  })

  it('the same as with WebGPU, in the same browser', async () => {
    const withGpu = await runInPage(await open(), description)
    const without = await runInPage(await open('/page/index.html', scripts[0]![1]), description)
    expect([withGpu.backend, without.backend]).toEqual(['webgpu', 'cpu'])
    expect(without.hashes).toEqual(withGpu.hashes)
  })

  it('a Chromium that was started without a flag: there is navigator.gpu, but no adapter', async () => {
    const plain = await launchChromium({ webgpu: false })
    try {
      const page = watch(await plain.newPage())
      await page.goto(`${server.origin}/page/index.html`)
      await expectSameBytes(page, description, 'cpu')
      // Chromium's own remark, which the page cannot prevent.
      expect(problems).toEqual(['warning: No available adapters.'])
      problems = []
    } finally {
      await plain.close()
    }
  })
})
