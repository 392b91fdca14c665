// Measures two ways to get MT19937's words on a device, and checks every word. Either the host makes and uploads them (which
// the library does), or the GPU makes them: in three steps per block of 624 words, with one workgroup per chain of blocks. The
// host finds the beginning of each chain by jumping ahead. Prints a Markdown table.
//   node bench/mersenne.mjs [--adapter lavapipe|swiftshader|system] [--rounds N] [--counts 65536,1048576,...]
// The results are medians of interleaved rounds, each from a new seed until the device has all words in a buffer.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { gpuEnvironment } from '../scripts/software-gpu.mjs'
import { openSources } from './sources.mjs'

const { values: flags } = parseArgs({
  options: {
    adapter: { type: 'string', default: 'system' },
    rounds: { type: 'string', default: '5' },
    counts: { type: 'string', default: '65536,1048576,4194304,16777216' },
    inner: { type: 'boolean', default: false },
  },
})
const here = fileURLToPath(import.meta.url)
if (!flags.inner) {
  const { status } = spawnSync(process.execPath, [here, ...process.argv.slice(2), '--inner'], {
    env: { ...process.env, ...(await gpuEnvironment(flags.adapter)) },
    stdio: 'inherit',
  })
  process.exit(status ?? 1)
}

const { load, close } = await openSources()
const { requestNodeDevice } = await load('/src/node/device.ts')
const { initializeModel, planModel } = await load('/src/index.ts')
const { MersenneStream, MT_WORDS, mersenneSeed, mersenneTwist } = await load('/src/random/libraries/mt19937.ts')
const { mersenneJumps } = await load('/src/random/libraries/mt19937-jump.ts')
const { normalWords } = await load('/src/generators/torch/cpu.ts')

const device = await requestNodeDevice()
const SEED = 42
/** The number of words that the library uploads at a time (src/gpu/fill/host-generated.ts). */
const PIECE = 2 ** 20

const code = /* wgsl */ `
struct Job { blocks: u32, chainBlocks: u32 }
@group(0) @binding(0) var<storage, read> states: array<u32>;
@group(0) @binding(1) var<storage, read_write> words: array<u32>;
@group(0) @binding(2) var<uniform> job: Job;
// The previous block and the current one, alternately.
var<workgroup> s: array<u32, 1248>;

fn mix(word: u32, next: u32) -> u32 {
  let y = (word & 0x80000000u) | (next & 0x7fffffffu);
  return (y >> 1u) ^ select(0u, 0x9908b0dfu, (y & 1u) == 1u);
}
fn temper(word: u32) -> u32 {
  var y = word ^ (word >> 11u);
  y ^= (y << 7u) & 0x9d2c5680u;
  y ^= (y << 15u) & 0xefc60000u;
  return y ^ (y >> 18u);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let begin = group.x * job.chainBlocks;
  let end = min(begin + job.chainBlocks, job.blocks);
  for (var i = lane; i < 624u; i += 256u) {
    let word = states[group.x * 624u + i];
    s[i] = word;
    if (begin < end) { words[begin * 624u + i] = temper(word); }
  }
  workgroupBarrier();
  var old = 0u;
  for (var block = begin + 1u; block < end; block++) {
    let new_ = 624u - old;
    let at = block * 624u;
    if (lane < 227u) {
      let word = s[old + lane + 397u] ^ mix(s[old + lane], s[old + lane + 1u]);
      s[new_ + lane] = word;
      words[at + lane] = temper(word);
    }
    workgroupBarrier();
    if (lane < 227u) {
      let i = lane + 227u;
      let word = s[new_ + lane] ^ mix(s[old + i], s[old + i + 1u]);
      s[new_ + i] = word;
      words[at + i] = temper(word);
    }
    workgroupBarrier();
    if (lane < 170u) {
      let i = lane + 454u;
      let next = select(s[old + min(i + 1u, 623u)], s[new_], i == 623u);
      let word = s[new_ + i - 227u] ^ mix(s[old + i], next);
      s[new_ + i] = word;
      words[at + i] = temper(word);
    }
    workgroupBarrier();
    old = new_;
  }
}`
const module = device.createShaderModule({ code })
const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'main' } })
const STORAGE = 0x80
const COPY_DST = 0x8
const COPY_SRC = 0x4
const UNIFORM = 0x40

/** The first block of a seed, as the state from which the chains start. */
function firstBlock() {
  const state = mersenneSeed(SEED)
  mersenneTwist(state)
  return state
}

/** The host makes the words, piece by piece. As in the library, it makes one piece while the device takes the previous one. */
async function hostRoute({ buffer, count, piece }) {
  const stream = new MersenneStream(SEED)
  let running
  for (let first = 0; first < count; first += PIECE) {
    const part = piece.subarray(0, Math.min(PIECE, count - first))
    stream.read(first, part)
    await running
    device.queue.writeBuffer(buffer, 4 * first, part)
    device.queue.submit([])
    running = device.queue.onSubmittedWorkDone()
  }
  await running
}

/** @param states the beginning of each chain; if undefined, it is found by jumps, and the time includes them */
async function gpuRoute({ buffer, count }, chains, given) {
  const blocks = Math.ceil(count / MT_WORDS)
  const chainBlocks = Math.ceil(blocks / chains)
  const states = given ?? chainStates(chains, chainBlocks)
  const stateBuffer = device.createBuffer({ size: states.byteLength, usage: STORAGE | COPY_DST })
  const uniform = device.createBuffer({ size: 16, usage: UNIFORM | COPY_DST })
  device.queue.writeBuffer(stateBuffer, 0, states)
  device.queue.writeBuffer(uniform, 0, Uint32Array.of(blocks, chainBlocks, 0, 0))
  const encoder = device.createCommandEncoder()
  const pass = encoder.beginComputePass()
  pass.setPipeline(pipeline)
  const entries = [stateBuffer, buffer, uniform].map((x, binding) => ({ binding, resource: { buffer: x } }))
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }))
  pass.dispatchWorkgroups(chains)
  pass.end()
  device.queue.submit([encoder.finish()])
  await device.queue.onSubmittedWorkDone()
  stateBuffer.destroy()
  uniform.destroy()
}

function chainStates(chains, chainBlocks) {
  const states = new Int32Array(chains * MT_WORDS)
  const state = firstBlock()
  const jump = mersenneJumps(chainBlocks * MT_WORDS)
  for (let chain = 0; chain < chains; chain++) {
    if (chain > 0) jump(state)
    states.set(state, chain * MT_WORDS)
  }
  return states
}

async function readBack(buffer, count) {
  const staging = device.createBuffer({ size: 4 * count, usage: COPY_DST | 0x1 })
  const encoder = device.createCommandEncoder()
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, 4 * count)
  device.queue.submit([encoder.finish()])
  await staging.mapAsync(1)
  const words = new Uint32Array(staging.getMappedRange()).slice()
  staging.destroy()
  return words
}

const rounds = Number(flags.rounds)
const median = (times) => [...times].sort((a, b) => a - b)[times.length >> 1]
async function interleaved(routes) {
  const times = new Map(routes.map(([name]) => [name, []]))
  for (let round = -1; round < rounds; round++) {
    for (const [name, run] of routes) {
      const started = performance.now()
      await run()
      if (round >= 0) times.get(name).push(performance.now() - started)
    }
  }
  return routes.map(([name]) => [name, median(times.get(name))])
}

const { parameters } = JSON.parse(readFileSync(new URL('../test/vectors/torch_cpu_resnet18.json', import.meta.url)))
const model = { parameters: parameters.map(([name, shape]) => ({ name, shape })) }
const rules = (initializer) => [{ match: ({ shape }) => shape.length >= 2, initializer }]
const options = { seed: SEED, generator: 'torch-cpu' }
const last = planModel(model, rules('normal'), options)
  .parameters.filter(({ source }) => source)
  .at(-1)
const resnet = last.source.position + normalWords(last.elementCount)

const { description, device: chip } = device.adapterInfo
console.log(`MT19937 on ${description || chip}, Node ${process.version}, ${rounds} rounds; ms (M words/s)\n`)
const chainCounts = [1, 4, 16, 64]
console.log(
  `| words | host and upload | ${chainCounts.map((n) => `GPU, ${n} ${n === 1 ? 'chain' : 'chains, found before'}`).join(' | ')} | GPU, 4 chains and their jumps | GPU, 16 |`,
)
console.log(
  `| --- | ${Array(chainCounts.length + 3)
    .fill('---:')
    .join(' | ')} |`,
)
for (const [label, count] of [...flags.counts.split(',').map((n) => [n, Number(n)]), [`resnet18: ${resnet}`, resnet]]) {
  const size = 4 * MT_WORDS * Math.ceil(count / MT_WORDS)
  const buffer = device.createBuffer({ size, usage: STORAGE | COPY_DST | COPY_SRC })
  const target = { buffer, count, piece: new Uint32Array(PIECE) }
  const blocks = Math.ceil(count / MT_WORDS)
  const found = new Map(chainCounts.map((n) => [n, chainStates(n, Math.ceil(blocks / n))]))
  const routes = [
    ['host', () => hostRoute(target)],
    ...chainCounts.map((n) => [`${n}`, () => gpuRoute(target, n, found.get(n))]),
    ...[4, 16].map((n) => [`${n} jumps`, () => gpuRoute(target, n)]),
  ]
  // The words of every route are compared with those of the stream.
  const expected = new Uint32Array(count)
  new MersenneStream(SEED).read(0, expected)
  for (const [name, run] of routes) {
    device.queue.writeBuffer(buffer, 0, new Uint32Array(count))
    await run()
    const words = await readBack(buffer, count)
    if (words.some((word, i) => word !== expected[i])) throw new Error(`${label}: the words of ${name} are wrong`)
  }
  const times = await interleaved(routes)
  const cell = (ms) => `${ms.toFixed(1)} (${(count / ms / 1000).toFixed(0)})`
  console.log(`| ${label} | ${times.map(([, ms]) => cell(ms)).join(' | ')} |`)
  buffer.destroy()
}

/** The whole call that a user waits for. The words are only a part of it. */
const whole = await interleaved(
  ['uniform', 'normal'].map((initializer) => [
    initializer,
    async () => {
      const weights = await initializeModel(model, rules(initializer), { ...options, device })
      await device.queue.onSubmittedWorkDone()
      weights.destroy()
    },
  ]),
)
console.log(`\nresnet18 by initializeModel: ${whole.map(([name, ms]) => `${name} ${ms.toFixed(0)} ms`).join(', ')}`)

// From how many words on a jump is faster on the host; used in src/random/libraries/mt19937.ts.
const jumpTimes = []
for (let round = -1; round < rounds; round++) {
  const state = firstBlock()
  const started = performance.now()
  mersenneJumps(MT_WORDS * (2 ** 22 + round))(state)
  if (round >= 0) jumpTimes.push(performance.now() - started)
}
const walked = firstBlock()
const started = performance.now()
for (let block = 0; block < 2 ** 16; block++) mersenneTwist(walked)
const walk = (performance.now() - started) / (MT_WORDS * 2 ** 16)
const jump = median(jumpTimes)
console.log(
  `host: a jump ${jump.toFixed(0)} ms, walking ${(1e-3 / walk).toFixed(0)} M words/s: a jump is faster from 2^${Math.log2(jump / walk).toFixed(1)} words on`,
)
device.destroy()
await close()
process.exit(0)
