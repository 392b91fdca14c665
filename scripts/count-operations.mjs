// Counts the operations per weight. It executes the SPIR-V that Dawn makes of the fill shaders (its toggle dump_shaders prints
// it) for one invocation, and compares every stored word with the CPU's. It prints the tables of docs/performance.md.
//   node scripts/count-operations.mjs [--write]     --write puts them into bench/operations.json and that page
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openSources } from '../bench/sources.mjs'
import { execute } from '../bench/spirv.mjs'
import { bestGpuEnvironment } from './software-gpu.mjs'

const { values } = parseArgs({
  options: { write: { type: 'boolean', default: false }, dump: { type: 'string' } },
})
const jobsOf = {
  constant: ['ones', {}],
  uniform: ['uniform', { a: -0.05, b: 0.05 }],
  normal: ['normal', { std: 0.02 }],
  'truncated normal': ['trunc_normal', { std: 0.02, a: -0.04, b: 0.04 }],
}
const cases = [
  ...Object.keys(jobsOf).map((distribution) => ({ name: distribution, distribution, dtype: 'float32' })),
  { name: 'normal, float16', distribution: 'normal', dtype: 'float16' },
  { name: 'normal, bfloat16', distribution: 'normal', dtype: 'bfloat16' },
  { name: 'normal with native functions', distribution: 'normal', dtype: 'float32', native: true },
]

const sources = await openSources()
const { planModel } = await sources.load('/src/plan/plan.ts')
const { fillJob } = await sources.load('/src/fill/make-job.ts')

function jobOf({ distribution, dtype }, elements) {
  const model = { parameters: [{ name: 'w', shape: [elements], role: 'weight' }] }
  return fillJob(planModel(model, ...jobsOf[distribution], { seed: 1, dtype }).parameters[0])
}

// This runs in a process of its own for each shader: it compiles the shader, so that Dawn prints it.
if (values.dump !== undefined) {
  const one = cases.find(({ name }) => name === values.dump)
  const { create, globals } = await import('webgpu')
  Object.assign(globalThis, globals)
  const gpu = create(['enable-dawn-features=dump_shaders', 'verbose=1'])
  const device = await (await gpu.requestAdapter()).requestDevice()
  const { deviceState } = await sources.load('/src/gpu/device/device-state.ts')
  const { pipeline } = await sources.load('/src/gpu/pipelines/pipelines.ts')
  const { storeSlots } = await sources.load('/src/gpu/shaders/pipeline-key.ts')
  const { fillConstants, fillLayout } = await sources.load('/src/gpu/fill/layouts.ts')
  const state = deviceState(device)
  if (one.native) {
    const text = readFileSync(new URL('../bench/native_normal.wgsl', import.meta.url), 'utf8')
    state.modules = { ...state.modules, 'random/normal': text }
  }
  const { source } = jobOf(one, 64)
  const slots = { sampler: `distributions/${source.sampler}`, ...storeSlots(one.dtype, true) }
  const bindings = { layout: fillLayout, constants: fillConstants }
  await pipeline(
    state,
    source.kind === 'constant' ? { entry: 'fill/constant', ...bindings } : { entry: 'fill/fill', slots, ...bindings },
  )
  process.exit(0)
}

const environment = await bestGpuEnvironment()
function disassembly(name) {
  const run = spawnSync(process.execPath, [fileURLToPath(import.meta.url), '--dump', name], {
    env: { ...process.env, ...environment },
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  const text = `${run.stdout}\n${run.stderr}`.split('/* Dumped SPIRV disassembly */').at(-1)
  if (run.status !== 0 || !text.includes('OpEntryPoint')) throw new Error(`no SPIR-V of ${name}: ${run.stderr}`)
  return text
}

const { jobLayout } = await sources.load('/src/gpu/fill/layouts.ts')
const { packSource } = await sources.load('/src/gpu/fill/pack-job.ts')
const { fillBytes } = await sources.load('/src/cpu/fill.ts')
const { byteWidth } = await sources.load('/src/core/dtype.ts')

/** Runs a number of iterations of invocation 0, and checks the quads that it stores. */
function run(one, text, iterations) {
  // One workgroup has 64 invocations, so this one makes every 64th group of four elements.
  const elements = iterations * 64 * 4
  const job = jobOf(one, elements)
  const uniforms = new DataView(new ArrayBuffer(jobLayout.byteLength))
  packSource({ view: uniforms, at: 0 }, { job, start: 0, count: elements, firstWord: 0 })
  const width = byteWidth(one.dtype)
  const { counts, words: stored } = execute(text, {
    StorageBuffer: new Uint8Array(elements * width),
    Uniform: new Uint8Array(uniforms.buffer),
  })
  const expected = new Uint32Array(fillBytes(job, 0, elements).slice().buffer)
  // Words per iteration: four elements of 4 or 2 bytes. In the constant shader it is four words for every dtype.
  const words = one.distribution === 'constant' ? 4 : width
  for (let iteration = 0; !one.native && iteration < iterations; iteration++) {
    for (let word = 0; word < words; word++) {
      const at = iteration * 64 * words + word
      if (stored[at] !== expected[at]) throw new Error(`${one.name}: word ${at} is ${stored[at]}, not ${expected[at]}`)
    }
  }
  return counts
}

const kinds = ['integer', 'compare', 'multiply', 'float', 'convert', 'special', 'branch']
const table = {}
for (const one of cases) {
  const text = disassembly(one.name)
  const [few, many] = [run(one, text, 8), run(one, text, 40)]
  // The difference excludes what an invocation does only once.
  const perElement = Object.fromEntries(kinds.map((kind) => [kind, ((many[kind] ?? 0) - (few[kind] ?? 0)) / (32 * 4)]))
  table[one.name] = { ...perElement, bytes: byteWidth(one.dtype) }
}
await sources.close()
if (values.write) writeFileSync('bench/operations.json', `${JSON.stringify(table, null, 2)}\n`)
const countTable = [
  `| per element | ${kinds.join(' | ')} | bytes |`,
  `| --- |${' ---: |'.repeat(kinds.length + 1)}`,
  ...Object.entries(table).map(
    ([name, row]) => `| ${name} | ${kinds.map((kind) => row[kind].toFixed(2)).join(' | ')} | ${row.bytes} |`,
  ),
].join('\n')
// This is imported here, because it reads the file that was just written.
const { predictionTable } = await import('../bench/cost-model.mjs')
const predictions = predictionTable().join('\n')
console.log(`${countTable}\n\nG elements a second (share of memory bandwidth, what limits):\n\n${predictions}`)
if (values.write) {
  const page = 'docs/performance.md'
  const between = (text, name, content) => {
    const [begin, end] = [`<!-- ${name} -->`, `<!-- ${name} end -->`]
    const [before, rest] = text.split(begin)
    return `${before}${begin}\n\n${content}\n\n${end}${rest.split(end)[1]}`
  }
  const text = between(readFileSync(page, 'utf8'), 'operations', countTable)
  writeFileSync(page, between(text, 'predictions', predictions))
}
process.exit(0)
