// Measures the CPU path on one thread: WebAssembly SIMD, the TypeScript samplers with the same values, and TensorFlow.js's
// loop. Needs the built package.
//   node bench/cpu.mjs [--elements N] [--rounds N]
// Every case runs once per round, one after the other (A B C A B C ...). The results are medians.
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

const here = fileURLToPath(import.meta.url)

/** The name, and its initializer, config and dtype. */
const distributions = {
  uniform: ['uniform', { a: -0.05, b: 0.05 }, 'float32'],
  normal: ['normal', { std: 0.02 }, 'float32'],
  'truncated normal': ['truncated_normal', { std: 0.02 }, 'float32'],
  'normal, float16': ['normal', { std: 0.02 }, 'float16'],
  'normal, bfloat16': ['normal', { std: 0.02 }, 'bfloat16'],
}

/** Measures whole calls of initializeModel into existing memory. */
async function serve({ webAssembly, elements }) {
  if (!webAssembly) globalThis.WebAssembly = undefined
  const { initializeModel } = await import('../dist/index.js')
  const buffer = new ArrayBuffer(4 * elements)
  parentPort.on('message', async (name) => {
    const [initializer, config, dtype] = distributions[name]
    const model = { parameters: [{ name: 'w', shape: [elements], role: 'weight', dtype }] }
    const into = { w: { buffer: new Uint8Array(buffer, 0, (dtype === 'float32' ? 4 : 2) * elements) } }
    const started = performance.now()
    await initializeModel(model, initializer, config, { device: 'cpu', seed: 1, into })
    parentPort.postMessage(performance.now() - started)
  })
}

async function tensorFlow(elements) {
  const tf = await import('@tensorflow/tfjs-core')
  await import('@tensorflow/tfjs-backend-cpu')
  await tf.setBackend('cpu')
  const draw = {
    uniform: () => tf.randomUniform([elements], -0.05, 0.05, 'float32', 1),
    normal: () => tf.randomNormal([elements], 0, 0.02, 'float32', 1),
    'truncated normal': () => tf.truncatedNormal([elements], 0, 0.02, 'float32', 1),
  }
  return (name) => {
    const started = performance.now()
    const tensor = draw[name]()
    const time = performance.now() - started
    tensor.dispose()
    return time
  }
}

const median = (times) => [...times].sort((a, b) => a - b)[times.length >> 1]

/** Medians in milliseconds per distribution, by 'WebAssembly', 'TypeScript' and, if it can draw it, 'TensorFlow.js'. */
export async function measureCpu({ elements = 2 ** 22, rounds = 7 } = {}) {
  const workers = [true, false].map((webAssembly) => new Worker(here, { workerData: { webAssembly, elements } }))
  const ask = (worker) => (name) =>
    new Promise((resolve, reject) => {
      worker.removeAllListeners()
      worker.once('message', resolve).once('error', reject)
      worker.postMessage(name)
    })
  const makers = {
    WebAssembly: ask(workers[0]),
    TypeScript: ask(workers[1]),
    'TensorFlow.js': await tensorFlow(elements),
  }
  const cases = Object.entries(distributions).flatMap(([distribution, [, , dtype]]) =>
    Object.entries(makers)
      .filter(([maker]) => dtype === 'float32' || maker !== 'TensorFlow.js')
      .map(([maker, run]) => ({ distribution, maker, run, times: [] })),
  )
  for (let round = -1; round < rounds; round++) {
    for (const { distribution, run, times } of cases) {
      const time = await run(distribution)
      // The first round compiles the code and is not counted.
      if (round >= 0) times.push(time)
    }
  }
  await Promise.all(workers.map((worker) => worker.terminate()))
  const rows = Object.keys(distributions).map((distribution) => {
    const own = cases
      .filter((one) => one.distribution === distribution)
      .map(({ maker, times }) => [maker, median(times)])
    return { distribution, elements, milliseconds: Object.fromEntries(own) }
  })
  return { adapter: `CPU, one thread, Node ${process.version}`, rows }
}

export function cpuTable({ adapter, rows }) {
  const lines = rows.map(
    ({ distribution, elements, milliseconds: { WebAssembly, TypeScript, 'TensorFlow.js': tfjs } }) => {
      const rate = (ms) => (elements / ms / 1000).toFixed(ms > 1000 ? 1 : 0)
      const times = (ms) => `${(ms / WebAssembly).toFixed(1)}x`
      const peer = tfjs === undefined ? ['', ''] : [rate(tfjs), times(tfjs)]
      return `| ${[distribution, rate(WebAssembly), rate(TypeScript), times(TypeScript), ...peer].join(' | ')} |`
    },
  )
  return [
    `### ${adapter}, ${(rows[0].elements / 1e6).toFixed(1)} M elements`,
    '',
    '| distribution | WebAssembly, M/s | TypeScript, M/s | faster by | TensorFlow.js, M/s | faster by |',
    '| --- | ---: | ---: | ---: | ---: | ---: |',
    ...lines,
  ].join('\n')
}

if (!isMainThread && workerData?.webAssembly !== undefined) await serve(workerData)
else if (process.argv[1] === here) {
  const { values } = parseArgs({ options: { elements: { type: 'string' }, rounds: { type: 'string' } } })
  const given = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Number(value)]))
  console.log(cpuTable(await measureCpu(given)))
}
