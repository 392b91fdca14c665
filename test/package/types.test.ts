// The declarations of the package under the compilers and settings that users have: what checks, and what must not.
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import {
  type Consumer,
  createConsumer,
  filesBelow,
  linkModules,
  type Output,
  repository,
  runNode,
} from '../support/package/package.js'

let consumer: Consumer

beforeAll(async () => {
  consumer = await createConsumer()
})
afterAll(() => consumer?.remove())

/** The newest compiler. */
const newest = join(repository, 'node_modules', 'typescript')
/**
 * The oldest one at hand, which another tool brings along. The types are promised from 5.7 on; it is not newer, which a test
 * below makes sure of.
 */
const oldest = dirname(
  createRequire(createRequire(import.meta.url).resolve('@arethetypeswrong/core')).resolve('typescript/package.json'),
)

/** Compiles a file as a consumer with these compiler options would; diagnostics are in stdout. */
async function check(
  name: string,
  code: string,
  options: Readonly<Record<string, unknown>>,
  typescript: string = newest,
): Promise<Output> {
  const folder = join(consumer.folder, name)
  await mkdir(folder, { recursive: true })
  const compilerOptions = { strict: true, noEmit: true, skipLibCheck: false, types: [], ...options }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['main.ts'] }))
  await writeFile(join(folder, 'main.ts'), code)
  const tsc = join(typescript, 'bin', 'tsc')
  return runNode([tsc, '-p', 'tsconfig.json', '--pretty', 'false'], { cwd: folder })
}

/** DESIGN section 3, as it stands, and every part of the result that it names, with its type. */
const design = `
  import { initializeModel, planModel, sequential, linear, relu, defineModel, xavierUniform, KaimingInitializer } from 'webgpu-init'
  import { requestNodeDevice } from 'webgpu-init/node'

  const device: GPUDevice = await requestNodeDevice()
  const model = sequential(linear(784, 256), relu(), linear(256, 10))
  const weights = await initializeModel(model, 'kaiming', { mode: 'fan_out', nonlinearity: 'relu' }, { device, seed: 42 })
  const buffer: GPUBuffer = weights.get('0.weight').buffer
  const values: Float32Array = await weights.read('0.weight')
  const bytes: Uint8Array = await weights.readBytes('0.weight')
  for (const [name, { count, mean, std, min, max, nonFiniteCount, expected }] of await weights.statistics()) {
    const text: string = name
    const numbers: number[] = [count, mean, std, min, max, nonFiniteCount, expected.mean, expected.std]
    console.log(text, numbers)
  }
  const backend: 'webgpu' | 'cpu' = weights.backend
  const seed: number | bigint = weights.seed
  const { ok, comparedCount }: { ok: boolean; comparedCount: number } = await weights.verify({ elements: 1000 })
  const manifest: string = JSON.stringify(weights.manifest())
  for (const [name, { shape, dtype, byteOffset, byteLength, distribution }] of weights.parameters) {
    const facts: [string, readonly number[], string, number, number, string] = [name, shape, dtype, byteOffset, byteLength, distribution.kind]
    console.log(facts)
  }
  weights.destroy()
  const again = await initializeModel(
    defineModel({ parameters: [{ name: 'w', shape: [8, 8], dtype: 'float16', role: 'weight', layout: 'in-out', groups: 1 }] }),
    [
      { match: 'w', initializer: xavierUniform },
      { match: /^x/, initializer: new KaimingInitializer({ mode: 'fan_in', nonlinearity: 'leaky_relu', a: 0.1 }) },
      { match: { role: 'bias' }, initializer: 'zeros' },
    ],
    {
      device: 'auto', seed: 7n, dtype: 'bfloat16', generator: 'philox', signal: new AbortController().signal, usage: 0x20,
      skip: ['y', /z/], onProgress: ({ parameter, bytesDone, bytesTotal }) => console.log(parameter, bytesDone / bytesTotal),
      into: { w: { buffer, byteOffset: 256 } },
    },
  )
  const plan: object = planModel(model, 'xavier', { gain: 2 }, { seed: 1 }).toJSON()
  console.log(values, bytes, backend, seed, ok, comparedCount, manifest, again, plan)
`

const everything = `
  import { Initializer, type Distribution, type InitializeOptions, type InitializerRule, type Model, type ParameterSpec,
    WeightInitError, type WeightInitErrorCode, batchNorm, conv2d, createInitializer, embedding, initializeTensor, layerNorm } from 'webgpu-init'
  import { writeSafetensors } from 'webgpu-init/node'

  class Halves extends Initializer {
    readonly name = 'halves'
    readonly config = {}
    distribution(): Distribution {
      return { kind: 'constant', value: 0.5 }
    }
  }
  const spec: ParameterSpec = { name: 'w', shape: [2, 3] }
  const model: Model = { parameters: [spec, ...conv2d(3, 8, [3, 3], { bias: false }).parameters] }
  const rules: readonly InitializerRule[] = [{ match: '*', initializer: new Halves() }]
  const options: InitializeOptions = { device: 'cpu' }
  const parts: Model[] = [batchNorm(8, { buffers: true }), embedding(10, 4), layerNorm([4, 4])]
  const one = await initializeTensor([4, 4], createInitializer('xavier_normal_'), options)
  const two = await initializeTensor({ shape: [4], role: 'bias' }, 'normal', { std: 0.1 }, options)
  await writeSafetensors('out.safetensors', one, { format: 'pt' })
  try {
    one.get('absent')
  } catch (error) {
    if (error instanceof WeightInitError) {
      const code: WeightInitErrorCode = error.code
      console.log(code)
    }
  }
  console.log(model, rules, parts, two)
`

const resolutions = {
  NodeNext: { module: 'NodeNext' },
  Bundler: { module: 'ESNext', moduleResolution: 'Bundler' },
}

describe("types, with the compiler's own libraries and no @webgpu/types", () => {
  for (const [name, options] of Object.entries(resolutions)) {
    it(`check under ${name}`, async () => {
      const { stdout, status } = await check(`design-${name}`, `${design}\nexport {}`, options)
      expect(stdout).toBe('')
      expect(status).toBe(0)
      expect((await check(`everything-${name}`, everything, options)).stdout).toBe('')
    })
  }

  it('check with the libraries of a usual web project: ES2022 and DOM', async () => {
    const options = { ...resolutions.Bundler, target: 'ES2022', lib: ['ES2022', 'DOM', 'DOM.Iterable'] }
    expect((await check('es2022', design, options)).stdout).toBe('')
  })

  it('check under every strictness flag', async () => {
    const options = {
      ...resolutions.NodeNext,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      verbatimModuleSyntax: true,
      isolatedModules: true,
      noImplicitOverride: true,
      noPropertyAccessFromIndexSignature: true,
    }
    expect((await check('strictest', design, options)).stdout).toBe('')
  })

  it('know what a match function gets', async () => {
    const code = `
      import { type InitializerRule, initializeModel, linear, planModel } from 'webgpu-init'
      const rules = [{ match: (parameter) => parameter.shape.length > 2, initializer: 'skip' }] satisfies InitializerRule[]
      await initializeModel(linear(2, 3), [{ match: ({ name, role }) => name === 'weight' && role === 'weight', initializer: 'xavier' }])
      planModel(linear(2, 3), [{ match: (parameter) => parameter.shape.length > 1, initializer: 'ones' }], { seed: 1 })
      console.log(rules)
    `
    expect(
      (await check('match', code, resolutions.NodeNext)).stdout
        .split('\n')
        .filter((line) => line.startsWith('main.ts')),
    ).toEqual([])
  })

  it('support `using` where the project has it', async () => {
    const code = `
      import { initializeModel, linear } from 'webgpu-init'
      using weights = await initializeModel(linear(2, 3), 'xavier')
      console.log(weights.backend)
    `
    const options = { ...resolutions.NodeNext, target: 'ES2022', lib: ['ESNext', 'DOM'] }
    expect((await check('using', code, options)).stdout).toBe('')
  })

  it('check without the DOM library, given @webgpu/types and @types/node', async () => {
    await linkWebGpuTypes()
    await linkModules(consumer.folder, ['@types/node', 'undici-types'])
    const options = { ...resolutions.NodeNext, lib: ['ES2023'], types: ['@webgpu/types', 'node'], skipLibCheck: true }
    expect((await check('no-dom', design, options)).stdout).toBe('')
  })

  const handOver = `
    import { type InitializedModel, linear } from 'webgpu-init'
    import * as interop from 'webgpu-init/interop/tfjs'
    import * as inputs from 'webgpu-init/interop/onnxruntime'
  `

  it('of the interop entries check without the libraries they are for', async () => {
    const code = `${handOver}
      declare const weights: InitializedModel
      const tf: interop.TfjsModule = { tensor: () => ({ dispose() {} }), backend: () => ({}), getBackend: () => 'cpu', ready: async () => {} }
      const tensors: Map<string, interop.TfjsTensor> = interop.toTensors(tf, weights)
      console.log(tensors, inputs.toFeeds, linear)
    `
    expect((await check('interop-alone', code, resolutions.NodeNext)).stdout).toBe('')
  })

  it('of the interop entries take the real libraries, and give their own tensors back', async () => {
    await linkModules(consumer.folder, ['@tensorflow', 'onnxruntime-web', 'onnxruntime-common'])
    const code = `${handOver}
      import * as tf from '@tensorflow/tfjs-core'
      import * as tfl from '@tensorflow/tfjs-layers'
      import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu'
      import * as ort from 'onnxruntime-web'
      declare const device: GPUDevice
      declare const session: ort.InferenceSession
      await interop.useDevice(tf, WebGPUBackend, device)
      const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 1, inputShape: [2] })] })
      const weights: InitializedModel = await interop.initializeLayersModel(tf, model, 'kaiming', { mode: 'fan_in' }, { seed: 1 })
      const tensor: tf.Tensor = interop.toTensor(tf, weights, 'dense/kernel')
      const own: GPUDevice = await inputs.sessionDevice(ort)
      const made = await inputs.initializeInputs(ort, session, linear(2, 3), 'xavier', {}, { device: own, seed: 1 })
      const results = await session.run({ ...made.feeds, x: new ort.Tensor('float32', [1, 2], [1, 2]) })
      console.log(tensor.shape, made.weights.seed, results)
      // @ts-expect-error: no module
      interop.toTensor({}, weights, 'w')
      // @ts-expect-error: no LayersModel
      await interop.initializeLayersModel(tf, {}, 'kaiming')
      // @ts-expect-error: no module
      inputs.toFeeds({}, weights)
    `
    const options = { ...resolutions.Bundler, target: 'ES2022', lib: ['ES2022', 'DOM'], skipLibCheck: true }
    expect((await check('interop', code, options)).stdout).toBe('')
  })

  it('keep internals to themselves: nothing marked @internal, and no name of the stores', async () => {
    const types = join(consumer.installed, 'dist', 'types')
    for (const name of (await filesBelow(types)).filter((path) => path.endsWith('.d.ts'))) {
      expect(await readFile(join(types, name), 'utf8'), name).not.toContain('@internal')
    }
    const text = await readFile(join(types, 'weights', 'initialized-model.d.ts'), 'utf8')
    expect(text).toContain('private constructor();')
    expect(text.replace(/^import .*$/gm, '')).not.toMatch(/WeightStore|\bstore\b|\bheld\(|static of\(/)
  })

  it('show their documentation: the declarations keep the comments', async () => {
    // tsc writes no comment when removeComments is on; an editor then shows bare signatures.
    const text = await readFile(join(consumer.installed, 'dist', 'types', 'weights', 'initialize.d.ts'), 'utf8')
    expect(text).toContain('@param initializer')
    expect(text).toContain('@example')
  })
})

/** Each line is a mistake that the compiler must refuse. */
const mistakes = {
  'no arguments': `initializeModel()`,
  'no initializer': `initializeModel(model)`,
  'a model that is no model': `initializeModel([784, 256], 'xavier')`,
  'an initializer that is none': `initializeModel(model, 42)`,
  'an unknown device': `initializeModel(model, 'xavier', {}, { device: 'gpu' })`,
  'an unknown dtype': `initializeModel(model, 'xavier', {}, { dtype: 'float64' })`,
  'a seed in quotes': `initializeModel(model, 'xavier', {}, { seed: '42' })`,
  'an unknown option': `initializeModel(model, 'xavier', {}, { sed: 42 })`,
  'an unknown generator': `initializeModel(model, 'xavier', {}, { generator: 'xorshift' })`,
  'a rule without match': `initializeModel(model, [{ initializer: 'zeros' }])`,
  'a rule for an unknown role': `initializeModel(model, [{ match: { role: 'wieght' }, initializer: 'zeros' }])`,
  'a region without buffer': `initializeModel(model, 'xavier', {}, { into: { w: { byteOffset: 4 } } })`,
  'an unknown mode': `new KaimingInitializer({ mode: 'fan_avg' })`,
  'an unknown nonlinearity': `new KaimingInitializer({ nonlinearity: 'swoosh' })`,
  'a gain in quotes': `new XavierInitializer({ gain: '1' })`,
  'a misspelt setting': `new NormalInitializer({ sdt: 1 })`,
  'an unknown distribution': `new XavierInitializer({ distribution: 'cauchy' })`,
  'a parameter without shape': `defineModel({ parameters: [{ name: 'w' }] })`,
  'an unknown role': `defineModel({ parameters: [{ name: 'w', shape: [2], role: 'wieght' }] })`,
  'an unknown layout': `defineModel({ parameters: [{ name: 'w', shape: [2, 2], layout: 'oihw' }] })`,
  'features in quotes': `linear('784', 256)`,
  'a layer that is none': `sequential(linear(1, 2), 'relu')`,
  'a buffer taken for an array': `weights.get('w').buffer.fill(0)`,
  'a write to the result': `weights.backend = 'cpu'`,
  'a forgotten await': `weights.read('w').length`,
  'an unknown device option': `requestNodeDevice({ vendor: 'x' })`,
  'a result made by hand': `new InitializedModel()`,
  'an unknown export': `webgpuInit.initialiseModel`,
}

describe('types refuse', () => {
  let errors: ReadonlyMap<number, string>
  const lines = Object.values(mistakes)

  beforeAll(async () => {
    const code = [
      `import { InitializedModel, KaimingInitializer, NormalInitializer, XavierInitializer, defineModel, initializeModel, linear, sequential } from 'webgpu-init'`,
      `import * as webgpuInit from 'webgpu-init'`,
      `import { requestNodeDevice } from 'webgpu-init/node'`,
      `const model = linear(1, 2)`,
      `declare const weights: InitializedModel`,
      ...lines,
      `console.log(webgpuInit, model, requestNodeDevice, defineModel, sequential)`,
    ].join('\n')
    const { stdout } = await check('mistakes', code, resolutions.NodeNext)
    const found = [...stdout.matchAll(/^main\.ts\((\d+),\d+\): (error TS\d+: .*)$/gm)]
    errors = new Map(found.map(([, line, message]) => [Number(line) - 6, message as string]))
  })

  for (const [index, [name, line]] of Object.entries(mistakes).entries()) {
    it(`${name}: ${line}`, () => {
      expect(errors.get(index)).toMatch(/error TS\d+/)
    })
  }

  it('nothing else in that program', () => {
    const outside = [...errors.keys()].filter((index) => index < 0 || index >= lines.length)
    expect(outside.map((index) => errors.get(index))).toEqual([])
  })
})

/** Programs about names, settings and rules that must compile; each is a statement or two. */
const sound = [
  `initializeModel(model, 'kaiming')`,
  `initializeModel(model, 'kaiming', { mode: 'fan_out', nonlinearity: 'leaky_relu', a: 0.2 }, { device, seed: 1 })`,
  `initializeModel(model, 'kaimingUniform', { mode: 'fan_in' }, { seed: 1n })`,
  `initializeModel(model, 'sparse', { sparsity: 0.9 })`,
  `initializeModel(model, 'siren', { first: true, omega: 20 })`,
  `initializeModel(model, 'lecun_normal', {}, { dtype: 'bfloat16' })`,
  `initializeModel(model, xavierUniform, { seed: 1 }); initializeModel(model, xavierUniform, {}, { seed: 1 })`,
  `initializeModel(model, [{ match: (p) => p.shape.length > 1, initializer: 'kaiming', config: { mode: 'fan_out' } }], { seed: 1 })`,
  `initializeModel(model, [{ match: /b/, initializer: 'skip' }, { match: '*', initializer: xavierUniform }], {}, { seed: 1 })`,
  `const rules = [{ match: 'w', initializer: 'normal', config: { std: 0.02 } }] as const; planModel(model, rules, { seed: 1 })`,
  `const checked = [{ match: 'w', initializer: 'normal', config: { std: 0.02 } }] satisfies InitializerRule[]; planModel(model, checked)`,
  `planModel(model, llamaRecipe(), { seed: 1 }); planModel(model, [...llamaRecipe(), { match: '*', initializer: 'zeros' }])`,
  `declare const either: InitializerArgument; planModel(model, either); planModel(model, either, {}, { seed: 1 })`,
  `declare const text: string; planModel(model, text as InitializerName); planModel(model, createInitializer(text, { gain: 2 }))`,
  `const config: ConfigOf<'trunc_normal'> = { std: 0.02, a: -1 }; planModel(model, 'trunc_normal', config)`,
  `initializeTensor([2, 3], 'variance_scaling', { mode: 'fan_geo_avg' }, { device: 'cpu' })`,
  `initializeFile('out', model, 'xavier', { gain: 2 }, { seed: 1, format: 'npy' }); initializeFile('out', model, llamaRecipe(), { seed: 1 })`,
  `const gpu: GPUBuffer = (await initializeModel(model, 'xavier', {}, { device })).get('w').buffer`,
  `const gpu2: GPUBuffer = (await initializeModel(model, xavierUniform, { device })).get('w').segments[0]!.buffer`,
  `const host: ArrayBuffer = (await initializeModel(model, 'xavier', {}, { device: 'cpu' })).get('w').buffer`,
  `const host2: ArrayBuffer = (await initializeTensor([2], 'zeros', {}, { device: 'cpu' })).get('w').buffer`,
  `const some = await initializeModel(model, 'xavier'); if (some.backend === 'webgpu') some.get('w').buffer satisfies GPUBuffer`,
  `const any: InitializedModel = await initializeModel(model, 'xavier', {}, { device: 'cpu' }); any.destroy()`,
  `const again: GPUBuffer = (await rematerialize({}, device)).get('w').buffer`,
]

/** The same with a mistake, and what the compiler has to say about it. */
const unsound: readonly (readonly [line: string, message: RegExp])[] = [
  [`initializeModel(model, 'kaming')`, /'"kaming"' is not assignable/],
  [`initializeModel(model, 'kaming', {}, { seed: 1 })`, /'"kaming"' is not assignable/],
  [`initializeModel(model, 'kaiming', { mod: 'fan_out' })`, /'mod' does not exist in type 'KaimingConfig'/],
  [`initializeModel(model, 'kaiming', { mode: 'fan_in', mod: 1 })`, /'mod' does not exist in type 'KaimingConfig'/],
  [`initializeModel(model, 'kaiming', { mode: 'fanout' })`, /'"fanout"' is not assignable.*Did you mean '"fan_out"'/],
  [`initializeModel(model, 'kaiming', { mode: 'fanout' }, { device })`, /'"fanout"' is not assignable/],
  [`initializeModel(model, 'kaiming', { gain: '2' })`, /'string' is not assignable to type 'number/],
  [`initializeModel(model, 'kaiming', { seed: 1 })`, /'seed' does not exist in type 'KaimingConfig'/],
  [`initializeModel(model, 'kaiming', { device: 'cpu' })`, /'device' does not exist in type 'KaimingConfig'/],
  [`initializeModel(model, 'kaiming_uniform', { distribution: 'normal' })`, /'distribution' does not exist/],
  [`initializeModel(model, 'lecunNormal', { scale: 2 })`, /'scale' does not exist in type 'NoSettings'/],
  [`initializeModel(model, 'torch_default', { gain: 2 })`, /'gain' does not exist in type 'NoSettings'/],
  [`initializeModel(model, 'sparse', {})`, /'sparsity' is missing/],
  [`initializeModel(model, 'siren', { first: 1 })`, /'number' is not assignable to type 'boolean/],
  [`initializeModel(model, 'kaiming', {}, { seed: 1, sed: 2 })`, /'sed' does not exist.*Did you mean to write 'seed'/],
  [`initializeModel(model, xavierUniform, { gain: 2 })`, /'gain' does not exist in type 'InitializeOptions/],
  [`initializeModel(model, xavierUniform, { seed: 1, sed: 2 })`, /'sed' does not exist/],
  [
    `initializeModel(model, [{ match: '*', initializer: 'kaming' }])`,
    /'"kaming"' is not assignable.*Did you mean '"kaiming"'/,
  ],
  [`initializeModel(model, [{ match: '*', initializer: 'kaiming', config: { mod: 1 } }])`, /'mod' does not exist/],
  [
    `initializeModel(model, [{ match: '*', initializer: 'kaiming', config: { mode: 'fanout' } }])`,
    /'"fanout"' is not assignable/,
  ],
  [`initializeModel(model, [{ match: '*', initializer: 'kaiming', config: { seed: 1 } }])`, /'seed' does not exist/],
  [`initializeModel(model, [{ match: '*', initializer: 'kaiming', seed: 1 }])`, /'seed' does not exist/],
  [
    `initializeModel(model, [{ match: '*', initializer: xavierUniform, config: { gain: 1 } }])`,
    /not assignable|does not exist/,
  ],
  [`planModel(model, 'kaming')`, /'"kaming"' is not assignable/],
  [`planModel(model, 'kaiming', { seed: 1 })`, /'seed' does not exist in type 'KaimingConfig'/],
  [`initializeTensor([2, 3], 'kaming')`, /'"kaming"' is not assignable/],
  [`initializeTensor([2, 3], 'kaiming', { seed: 1 })`, /'seed' does not exist in type 'KaimingConfig'/],
  [`initializeFile('out', model, 'kaiming', { seed: 1 })`, /'seed' does not exist in type 'KaimingConfig'/],
  [`initializeFile('out', model, llamaRecipe(), { sed: 1 })`, /'sed' does not exist/],
  [`declare const plain: string; planModel(model, plain)`, /'string' is not assignable/],
  [`planModel(model, plain as InitializerName, { seed: 1 })`, /'seed' does not exist/],
  [
    `const b1: ArrayBuffer = (await initializeModel(model, 'xavier', {}, { device })).get('w').buffer`,
    /'GPUBuffer' is (not|missing)/,
  ],
  [
    `const b2: GPUBuffer = (await initializeModel(model, 'xavier', {}, { device: 'cpu' })).get('w').buffer`,
    /'ArrayBuffer' is missing/,
  ],
  [`const b3: GPUBuffer = (await initializeModel(model, 'xavier')).get('w').buffer`, /'ArrayBuffer' is missing/],
]
/** The longest message that is read, and not scrolled past. TypeScript 5 repeats the signature of every overload. */
const LONGEST = { lines: 9, characters: 1500 }

/** Of a compiler whose own libraries have no WebGPU. */
async function linkWebGpuTypes(): Promise<void> {
  if (existsSync(join(consumer.folder, 'node_modules', '@webgpu', 'types'))) return
  await linkModules(consumer.folder, ['@webgpu/types'])
}

test('an editor completes names, settings and values, in rules too', async () => {
  await linkWebGpuTypes()
  const ts = createRequire(import.meta.url)(join(oldest, 'lib', 'typescript.js'))
  const file = join(consumer.folder, 'completion.ts')
  const head = `import { initializeModel, linear } from 'webgpu-init'\nconst model = linear(1, 2)\n`
  /** What is offered where the line has a |. */
  const completionsAt = (line: string): string[] => {
    const text = head + line.replace('|', '')
    const read = (path: string): string | undefined => (path === file ? text : ts.sys.readFile(path))
    const service = ts.createLanguageService({
      getScriptFileNames: () => [file],
      getScriptVersion: () => '1',
      getScriptSnapshot: (path: string) => {
        const found = read(path)
        return found === undefined ? undefined : ts.ScriptSnapshot.fromString(found)
      },
      getCurrentDirectory: () => consumer.folder,
      getCompilationSettings: () => ({
        strict: true,
        target: 9,
        module: 199,
        moduleResolution: 99,
        types: ['@webgpu/types'],
      }),
      getDefaultLibFileName: (options: unknown) => ts.getDefaultLibFilePath(options),
      fileExists: (path: string) => path === file || ts.sys.fileExists(path),
      readFile: read,
      directoryExists: ts.sys.directoryExists,
      getDirectories: ts.sys.getDirectories,
    })
    const found = service.getCompletionsAtPosition(file, head.length + line.indexOf('|'), {})
    return (found?.entries ?? []).map((entry: { name: string }) => entry.name).sort()
  }
  const names = completionsAt(`initializeModel(model, '|')`)
  expect(names).toEqual(expect.arrayContaining(['xavier', 'kaiming_uniform', 'kaimingUniform', 'torch_default']))
  const settings = ['a', 'distribution', 'gain', 'mode', 'nonlinearity']
  expect(completionsAt(`initializeModel(model, 'kaiming', { | })`)).toEqual(settings)
  expect(completionsAt(`initializeModel(model, 'kaiming', { mode: '|' })`)).toEqual(['fan_in', 'fan_out'])
  expect(completionsAt(`initializeModel(model, 'xavier', { distribution: '|' }, { seed: 1 })`)).toEqual([
    'normal',
    'uniform',
  ])
  expect(completionsAt(`initializeModel(model, [{ match: '*', initializer: '|' }])`)).toEqual(
    expect.arrayContaining([...names, 'skip']),
  )
  const inRule = completionsAt(`initializeModel(model, [{ match: '*', initializer: 'kaiming', config: { | } }])`)
  expect(inRule).toEqual(expect.arrayContaining(settings))
  expect(completionsAt(`initializeModel(model, 'kaiming', {}, { device: '|' })`)).toEqual(['auto', 'cpu'])
})

describe.each([
  ['newest', newest],
  ['oldest', oldest],
])('the string API, with the %s compiler at hand', (which, typescript) => {
  const options = {
    ...resolutions.NodeNext,
    target: 'ES2022',
    lib: ['ES2023', 'ESNext.Disposable'],
    types: ['@webgpu/types'],
  }
  const head = [
    `import * as library from 'webgpu-init'`,
    `import { type ConfigOf, createInitializer, type InitializedModel, type InitializerArgument, type InitializerName, type InitializerRule } from 'webgpu-init'`,
    `import { initializeFile } from 'webgpu-init/node'`,
    `const { initializeModel, initializeTensor, linear, llamaRecipe, planModel, rematerialize, xavierUniform } = library`,
    `const model = linear(1, 2)`,
    `declare const device: GPUDevice`,
  ]

  beforeAll(linkWebGpuTypes)

  it('is the compiler that it is taken for', async () => {
    const { version } = JSON.parse(await readFile(join(typescript, 'package.json'), 'utf8')) as { version: string }
    const [major = 0, minor = 0] = version.split('.').map(Number)
    if (which === 'newest') expect(major).toBeGreaterThanOrEqual(7)
    else expect(major < 5 || (major === 5 && minor <= 7), version).toBe(true)
  })

  it('takes what is right', async () => {
    const code = [...head, ...sound, 'export {}'].join('\n')
    expect((await check(`sound-${which}`, code, { ...options, skipLibCheck: true }, typescript)).stdout).toBe('')
  })

  it('refuses what is wrong, each line by a message that is readable', async () => {
    const code = [...head, ...unsound.map(([line]) => line), 'export {}'].join('\n')
    const { stdout } = await check(`unsound-${which}`, code, { ...options, skipLibCheck: true }, typescript)
    const messages = new Map<number, string>()
    for (const text of stdout.split(/^(?=main\.ts\()/m)) {
      const [, line] = /^main\.ts\((\d+),/.exec(text) ?? []
      if (line !== undefined) messages.set(Number(line) - 1 - head.length, text.trimEnd())
    }
    for (const [index, [line, expected]] of unsound.entries()) {
      expect(messages.get(index), line).toMatch(expected)
      expect(messages.get(index)!.length, messages.get(index)).toBeLessThan(LONGEST.characters)
      expect(messages.get(index)!.split('\n').length, messages.get(index)).toBeLessThanOrEqual(LONGEST.lines)
    }
    expect([...messages.keys()].filter((index) => index < 0 || index >= unsound.length)).toEqual([])
  })

  it('compiles every program of docs/initializers.md', async () => {
    const text = await readFile(join(repository, 'docs', 'initializers.md'), 'utf8')
    const programs = [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, program = '']) => program)
    expect(programs.length).toBeGreaterThan(1)
    // Without the DOM's types nothing declares it.
    const withConsole = 'declare const console: { log(...values: unknown[]): void }\n'
    for (const [index, program] of programs.entries()) {
      const name = `docs-${which}-${index}`
      expect((await check(name, withConsole + program, { ...options, skipLibCheck: true }, typescript)).stdout).toBe('')
    }
  })
})
