// The tarball as a user gets it: what it holds, what it weighs in a bundle, and programs of plain Node that use it.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, posix } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build, parseAst } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Consumer,
  createConsumer,
  filesBelow,
  gpuEnvironment,
  repository,
  runFile,
  runNode,
  withoutDawn,
} from '../support/package/package.js'

let consumer: Consumer

beforeAll(async () => {
  consumer = await createConsumer()
})
afterAll(() => consumer?.remove())

const read = (path: string): Promise<string> => readFile(join(consumer.installed, path), 'utf8')

describe('the tarball', () => {
  it('holds what a user needs', () => {
    const paths = consumer.files.map(({ path }) => path)
    for (const path of [
      'package.json',
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
      'dist/index.js',
      'dist/node.js',
      'dist/cli.js',
      'dist/interop/tfjs.js',
      'dist/interop/onnxruntime.js',
      'dist/types/interop/tfjs.d.ts',
      'dist/types/interop/onnxruntime.d.ts',
      'dist/types/index.d.ts',
      'dist/types/node.d.ts',
      'src/index.ts',
      'shaders/fill/fill.wgsl',
      'shaders/random/philox.wgsl',
      'assembly/random/philox.ts',
    ]) {
      expect(paths).toContain(path)
    }
  })

  it('holds nothing else but what its pages link to: no tests, no tools, no weights', () => {
    const allowed = [
      /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|CONTRIBUTING\.md)$/,
      /^dist\/[\w/-]+\.js(\.map)?$/,
      /^dist\/report\/page\.(js|css)$/,
      /^dist\/types\/[\w/-]+\.d\.ts$/,
      /^src\/[\w/-]+(\.d)?\.ts$/,
      /^shaders\/[\w/-]+\.wgsl$/,
      /^assembly\/([\w/-]+\.ts|tsconfig\.json)$/,
      /^docs\/[\w-]+\.md$/,
      /^examples\/(README\.md|[\w.-]+\/(config|model)\.json)$/,
    ]
    const surplus = consumer.files.filter(({ path }) => !allowed.some((pattern) => pattern.test(path)))
    expect(surplus.map(({ path }) => path)).toEqual([])
    expect(consumer.files.some(({ path }) => /(^|\/)(test|tests|__tests__)\/|\.test\./.test(path))).toBe(false)
  })

  it('stays below 1.25 MB packed', async () => {
    expect((await readFile(consumer.tarball)).length).toBeLessThan(1_250_000)
  })

  it('names no machine, no person and no secret', async () => {
    const forbidden = [
      repository,
      `${homedir()}/`,
      /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
      /\b(ghp|gho|ghs|github_pat|npm)_\w{20,}/,
      /\bAKIA[0-9A-Z]{16}\b/,
      /_authToken/,
    ]
    const found: string[] = []
    for (const path of await filesBelow(consumer.installed)) {
      const text = await read(path)
      for (const pattern of forbidden) {
        if (typeof pattern === 'string' ? text.includes(pattern) : pattern.test(text)) found.push(`${path}: ${pattern}`)
      }
    }
    expect(found).toEqual([])
  })

  it('has source maps whose every source is in the tarball', async () => {
    const paths = new Set(consumer.files.map(({ path }) => path))
    const maps = [...paths].filter((path) => path.endsWith('.js.map'))
    expect(maps.length).toBeGreaterThan(0)
    for (const map of maps) {
      const { sources } = JSON.parse(await read(map)) as { sources: string[] }
      for (const source of sources) {
        const path = posix.normalize(posix.join(posix.dirname(map), source.replace(/\?raw$/, '')))
        expect(paths, `${map} names ${source}`).toContain(path)
      }
    }
  })

  it('points only at files that exist', async () => {
    const { exports, bin, types, main } = JSON.parse(await read('package.json'))
    const targets: string[] = []
    const collect = (value: unknown): void => {
      if (typeof value === 'string') targets.push(value)
      else if (typeof value === 'object' && value !== null) Object.values(value).forEach(collect)
    }
    collect([exports, bin, types, main])
    expect(targets.length).toBeGreaterThanOrEqual(6)
    for (const target of targets) expect(existsSync(join(consumer.installed, target)), target).toBe(true)
  })

  it('needs nothing else at run time, and lets bundlers drop what is not used', async () => {
    const manifest = JSON.parse(await read('package.json'))
    expect(Object.keys(manifest.dependencies ?? {})).toEqual([])
    const peers = ['@tensorflow/tfjs-core', 'onnxruntime-web', 'webgpu']
    expect(Object.keys(manifest.peerDependencies)).toEqual(peers)
    expect(manifest.peerDependenciesMeta).toEqual(Object.fromEntries(peers.map((name) => [name, { optional: true }])))
    expect(manifest.sideEffects).toBe(false)
    expect(manifest.type).toBe('module')
    for (const script of ['preinstall', 'install', 'postinstall', 'prepare']) {
      expect(manifest.scripts ?? {}).not.toHaveProperty(script)
    }
  })

  it('satisfies publint --strict', async () => {
    const cli = join(repository, 'node_modules', 'publint', 'src', 'cli.js')
    const { status, stdout, stderr } = await runNode([cli, 'run', consumer.tarball, '--strict'], {
      cwd: consumer.folder,
    })
    expect(stdout + stderr).toContain('All good!')
    expect(status).toBe(0)
  })

  it('satisfies attw --profile esm-only', async () => {
    const cli = join(repository, 'node_modules', '@arethetypeswrong', 'cli', 'dist', 'index.js')
    const args = [cli, consumer.tarball, '--profile', 'esm-only', '--no-definitely-typed', '--format', 'json']
    const { status, stdout, stderr } = await runNode(args, { cwd: consumer.folder })
    expect(stderr).toBe('')
    const { analysis } = JSON.parse(stdout)
    expect(analysis.types).toBeTruthy()
    expect(Object.keys(analysis.entrypoints)).toEqual(
      expect.arrayContaining(['.', './node', './interop/tfjs', './interop/onnxruntime']),
    )
    expect(status, stdout).toBe(0)
  })
})

/** Specifiers that a module imports, statically or not. */
function importsOf(code: string): { specifier: string; dynamic: boolean }[] {
  const found: { specifier: string; dynamic: boolean }[] = []
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    const { type, source } = node as { type?: string; source?: { value?: unknown; type?: string } | null }
    if (/^(Import|ExportNamed|ExportAll)Declaration$/.test(type ?? '') && source) {
      found.push({ specifier: String(source.value), dynamic: false })
    }
    if (type === 'ImportExpression') {
      found.push({ specifier: source?.type === 'Literal' ? String(source.value) : '(computed)', dynamic: true })
    }
    for (const value of Object.values(node)) visit(value)
  }
  visit(parseAst(code).body)
  return found
}

/** Every module that an entry reaches through relative imports, and what it imports from elsewhere. */
async function moduleGraph(
  entry: string,
  { lazily = true }: { readonly lazily?: boolean } = {},
): Promise<{ modules: string[]; outside: string[] }> {
  const modules = new Set<string>()
  const outside = new Set<string>()
  const queue = [entry]
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (modules.has(path)) continue
    modules.add(path)
    for (const { specifier, dynamic } of importsOf(await read(path))) {
      if (dynamic && !lazily) continue
      if (specifier.startsWith('.')) queue.push(posix.join(posix.dirname(path), specifier))
      else outside.add(specifier)
    }
  }
  return { modules: [...modules], outside: [...outside].sort() }
}

describe('the module graph', () => {
  it('of webgpu-init stays inside the package: no node: module, no Dawn', async () => {
    const { modules, outside } = await moduleGraph('dist/index.js')
    expect(modules.length).toBeGreaterThan(1)
    expect(outside).toEqual([])
    for (const path of modules) expect(await read(path), path).not.toMatch(/\brequire\(|\bprocess\.|\bBuffer\b/)
  })

  it.each(['tfjs', 'onnxruntime'])(
    'of webgpu-init/interop/%s imports nothing either: the caller passes the library',
    async (name) => {
      const { modules, outside } = await moduleGraph(`dist/interop/${name}.js`)
      expect(outside).toEqual([])
      // The main entry reaches neither of them.
      const main = await moduleGraph('dist/index.js')
      expect(main.modules).not.toContain(`dist/interop/${name}.js`)
      for (const path of main.modules) expect(await read(path), path).not.toMatch(/tensorflow\/tfjs|fromGpuBuffer/i)
      expect(modules).toContain(`dist/interop/${name}.js`)
    },
  )

  it('of webgpu-init/node needs Node’s own modules; when asked for a device Dawn', async () => {
    const { modules, outside } = await moduleGraph('dist/node.js')
    const own = ['node:crypto', 'node:fs', 'node:fs/promises', 'node:os', 'node:path', 'node:timers/promises']
    expect(outside).toEqual([...own, 'webgpu'])
    expect((await moduleGraph('dist/node.js', { lazily: false })).outside).toEqual(own)
    expect((await moduleGraph('dist/interop/onnx.js')).outside).toEqual([])
    const uses = (await Promise.all(modules.map(async (path) => importsOf(await read(path))))).flat()
    expect(uses.filter(({ specifier }) => specifier === 'webgpu')).toEqual([{ specifier: 'webgpu', dynamic: true }])
  })
})

const modelCode = `
  import { initializeModel, linear, relu, sequential, WeightInitError } from 'webgpu-init'
  import { requestNodeDevice } from 'webgpu-init/node'
  import { createHash } from 'node:crypto'
  const model = sequential(linear(784, 256), relu(), linear(256, 10))
  async function run(device, dtype) {
    const weights = await initializeModel(model, 'kaiming', { mode: 'fan_out', nonlinearity: 'relu' }, { device, dtype, seed: 42 })
    const { ok, complete, comparedCount, mismatchCount } = await weights.verify()
    const sha256 = {}
    for (const name of weights.parameters.keys()) {
      sha256[name] = createHash('sha256').update(await weights.readBytes(name)).digest('hex')
    }
    const { backend } = weights
    weights.destroy()
    return { backend, ok, complete, comparedCount, mismatchCount, sha256 }
  }
`

describe('plain Node', () => {
  async function program(folder: string, name: string, code: string, env?: Record<string, string>) {
    await writeFile(join(folder, name), modelCode + code)
    return runNode([name], { cwd: folder, ...(env === undefined ? {} : { env }) })
  }

  it('initialises on the CPU and on a Dawn device to the same bytes, and exits by itself', async () => {
    const code = `
      const device = await requestNodeDevice()
      const results = []
      for (const dtype of ['float32', 'float16', 'bfloat16']) {
        for (const where of ['cpu', device]) results.push(await run(where, dtype))
      }
      console.log(JSON.stringify(results))
    `
    const { status, signal, stdout, stderr } = await program(consumer.folder, 'both.js', code, await gpuEnvironment())
    expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' })
    const results = JSON.parse(stdout)
    expect(results).toHaveLength(6)
    const count = 784 * 256 + 256 + 256 * 10 + 10
    for (let i = 0; i < 6; i += 2) {
      const facts = { ok: true, complete: true, comparedCount: count, mismatchCount: 0 }
      expect(results[i]).toMatchObject({ backend: 'cpu', ...facts })
      expect(results[i + 1]).toMatchObject({ backend: 'webgpu', ...facts })
      expect(Object.keys(results[i].sha256)).toEqual(['0.weight', '0.bias', '2.weight', '2.bias'])
      expect(results[i + 1].sha256).toEqual(results[i].sha256)
    }
    const zeros = createHash('sha256').update(new Uint8Array(1024)).digest('hex')
    expect(results[0].sha256['0.bias']).toBe(zeros)
    expect(new Set(results.map((r: { sha256: Record<string, string> }) => r.sha256['0.weight'])).size).toBe(3)
  })

  it('frees the process when the device is left alive', async () => {
    const code = `
      const weights = await initializeModel(model, 'xavier', {}, { device: await requestNodeDevice(), seed: 1 })
      console.log(weights.backend)
    `
    const { status, signal, stdout } = await program(consumer.folder, 'leave.js', code, await gpuEnvironment())
    expect({ status, signal, stdout }).toEqual({ status: 0, signal: null, stdout: 'webgpu\n' })
  })

  it('says what to install when Dawn is missing, and uses the CPU for auto', async () => {
    const code = `
      const error = await requestNodeDevice().catch((e) => e)
      console.log(JSON.stringify([error instanceof WeightInitError, error.code, error.message]))
      console.log((await run('auto', 'float32')).backend)
    `
    const { status, stdout, stderr } = await program(await withoutDawn(consumer), 'no-dawn.js', code)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const [first, second] = stdout.split('\n') as [string, string]
    const [isOurs, errorCode, message] = JSON.parse(first)
    expect([isOurs, errorCode]).toEqual([true, 'NO_ADAPTER'])
    expect(message).toContain('npm install webgpu')
    expect(second).toBe('cpu')
  })

  it('gives what it documents: every export is there, none is undefined', async () => {
    const code = `
      import * as main from 'webgpu-init'
      import * as node from 'webgpu-init/node'
      console.log(JSON.stringify([main, node].map((m) => Object.entries(m).map(([k, v]) => [k, typeof v]))))
    `
    const { stdout } = await program(consumer.folder, 'exports.js', code)
    const [main, node] = (JSON.parse(stdout) as [string, string][][]).map((entries) => Object.fromEntries(entries))
    for (const name of ['initializeModel', 'planModel', 'sequential', 'linear', 'relu', 'defineModel']) {
      expect(main?.[name], name).toBe('function')
    }
    for (const name of ['XavierInitializer', 'KaimingInitializer', 'UniformInitializer', 'NormalInitializer']) {
      expect(main?.[name], name).toBe('function')
    }
    for (const name of ['xavierUniform', 'xavierNormal', 'kaimingUniform', 'kaimingNormal', 'uniform', 'normal']) {
      expect(main?.[name], name).toBe('object')
    }
    expect(node?.requestNodeDevice).toBe('function')
    expect([...Object.values(main ?? {}), ...Object.values(node ?? {})]).not.toContain('undefined')
  })

  it('reads an ONNX file without any other package', async () => {
    const onnx = join(repository, 'test', 'vectors', 'torch_net.onnx')
    const code = `
      import { readModelFile } from 'webgpu-init/node'
      const read = await readModelFile(${JSON.stringify(onnx)}).catch((e) => e)
      console.log(read.code ?? read.model.parameters.length, read.message ?? '')
      const entry = await import('webgpu-init/interop/onnx').then((m) => Object.keys(m).join(), (e) => e.code)
      console.log(entry)
    `
    const { stdout } = await program(await withoutDawn(consumer), 'onnx.js', code)
    expect(stdout).toBe('19 \nreadOnnxModel\n')
  })

  it('closes its internals', async () => {
    const code = `
      const outcome = (path) => import(path).then(() => 'open', (e) => e.code)
      console.log(await outcome('webgpu-init/dist/index.js'), await outcome('webgpu-init/src/plan/plan.ts'))
    `
    const { stdout } = await program(consumer.folder, 'closed.js', code)
    expect(stdout).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED ERR_PACKAGE_PATH_NOT_EXPORTED\n')
  })

  it('links the command line', async () => {
    const bin = join(consumer.folder, 'node_modules', '.bin', 'webgpu-init')
    const { status, stdout } = await runFile(bin, ['--help'], { cwd: dirname(consumer.folder) })
    expect(status).toBe(0)
    expect(stdout).toContain('webgpu-init init <model>')
  })
})

describe('in a bundle', () => {
  /** The minified code that a page would load. */
  async function bundle(code: string): Promise<string> {
    const entry = join(consumer.folder, 'entry.js')
    await writeFile(entry, code)
    const result = await build({
      root: consumer.folder,
      configFile: false,
      logLevel: 'silent',
      publicDir: false,
      build: {
        write: false,
        target: 'es2022',
        minify: true,
        modulePreload: { polyfill: false },
        rollupOptions: { input: entry },
      },
    })
    const outputs = [result].flat().flatMap((r) => ('output' in r ? r.output : []))
    expect(outputs).toHaveLength(1)
    return outputs[0]?.type === 'chunk' ? outputs[0].code : ''
  }

  const shaderText = /@compute|@workgroup_size|var<storage/

  it('one initializer weighs at most 2.2 kB minified, the checks of its config included, and brings no shader', async () => {
    const code = await bundle(`import { xavierUniform } from 'webgpu-init'; console.log(xavierUniform.name)`)
    expect(code).not.toMatch(shaderText)
    expect(code).not.toContain('createShaderModule')
    expect(code.length).toBeLessThan(2_200)
  })

  it('a recipe alone weighs at most 3 kB, and no one else carries recipes or config readers', async () => {
    const recipe = await bundle(`import { llamaRecipe } from 'webgpu-init'; console.log(llamaRecipe())`)
    expect(recipe).toContain('modeling_llama')
    expect(recipe.length).toBeLessThan(3_000)
    for (const name of ['planModel', 'initializeModel', 'xavierUniform']) {
      const code = await bundle(`import { ${name} } from 'webgpu-init'; console.log(${name})`)
      expect(code, name).not.toMatch(/modeling_|num_attention_heads|weight_map|webgpu-init-recording|erfinv_/)
    }
  })

  it('planning brings no shader and no GPU code', async () => {
    const code = await bundle(`import { planModel } from 'webgpu-init'; console.log(planModel)`)
    expect(code).not.toMatch(shaderText)
    expect(code).not.toContain('createShaderModule')
    expect(code.length).toBeLessThan(74_000)
  })

  it('initializeModel weighs at most 97 kB minified and gzipped, and carries no reader of manifests', async () => {
    const code = await bundle(`import { initializeModel } from 'webgpu-init'; console.log(initializeModel)`)
    expect(code).not.toContain('must be a decimal string')
    expect(gzipSync(code).length).toBeLessThan(97_000)
  })

  // Of it 1.8 kB is the CPU path's WebAssembly. Only those who call them carry readRecording, 15 kB, and the table of naming conventions.
  it('the whole package weighs at most 160 kB minified and gzipped', async () => {
    const code = await bundle(`import * as everything from 'webgpu-init'; console.log(everything)`)
    expect(code).toMatch(shaderText)
    expect(gzipSync(code).length).toBeLessThan(160_000)
  })

  it('the minified code makes the same bytes', async () => {
    const code = await bundle(
      modelCode.replace(/import [^\n]*(webgpu-init\/node|node:crypto)'\n/g, '').concat(`
      const createHash = globalThis.hash
      globalThis.result = [await run('cpu', 'float32'), await run('cpu', 'bfloat16')]
    `),
    )
    await writeFile(join(consumer.folder, 'bundled.js'), code)
    await writeFile(
      join(consumer.folder, 'run-bundled.js'),
      `import { createHash } from 'node:crypto'
      globalThis.hash = createHash
      await import('./bundled.js')
      const minified = globalThis.result
      ${modelCode.replace(/import [^\n]*node:crypto'\n/, '')}
      console.log(JSON.stringify({ minified, plain: [await run('cpu', 'float32'), await run('cpu', 'bfloat16')] }))`,
    )
    const { stdout, stderr } = await runNode(['run-bundled.js'], { cwd: consumer.folder })
    expect(stderr).toBe('')
    const { minified, plain } = JSON.parse(stdout)
    expect(plain[0].ok && plain[1].ok).toBe(true)
    expect(minified).toEqual(plain)
  })
})
