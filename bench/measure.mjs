// Measures one adapter, through the built package's public API, and prints one JSON line.
//   node bench/measure.mjs gpu|cpu [--elements N] [--rounds N] [--gpt2-rounds N]
// Rounds are interleaved (A B C A B C ...), so that a drift of the machine hits every row alike; medians are reported.
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { initializeModel, NormalInitializer, ones, readHuggingFaceConfig, uniform } from '../dist/index.js'
import { requestNodeDevice } from '../dist/node.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    elements: { type: 'string', default: String(2 ** 24) },
    rounds: { type: 'string', default: '7' },
    'gpt2-rounds': { type: 'string', default: '3' },
  },
})
const backend = positionals[0] ?? 'gpu'
const elements = Number(values.elements)
const device = backend === 'cpu' ? 'cpu' : await requestNodeDevice()
const adapter =
  device === 'cpu'
    ? `CPU, one thread, Node ${process.version}`
    : device.adapterInfo.description || device.adapterInfo.device

/** Time of filling memory that exists: `into`, so that allocating is not measured. */
function fillCase(name, initializer, dtype = 'float32') {
  const byteLength = elements * (dtype === 'float32' ? 4 : 2)
  const buffer =
    device === 'cpu' ? new ArrayBuffer(byteLength) : device.createBuffer({ size: byteLength, usage: 0x80 | 0x4 | 0x8 })
  const model = { parameters: [{ name: 'w', shape: [elements], role: 'weight', dtype }] }
  return {
    name,
    elements,
    times: [],
    async run() {
      await initializeModel(model, initializer, { device, seed: 1, into: { w: { buffer } } })
    },
  }
}

async function rounds(cases, count) {
  for (let round = -1; round < count; round++) {
    for (const one of cases) {
      const started = performance.now()
      await one.run()
      // The first round compiles and warms up.
      if (round >= 0) one.times.push(performance.now() - started)
    }
  }
}

const normal = new NormalInitializer({ std: 0.02 })
const cases = [
  fillCase('constant', ones),
  fillCase('uniform', uniform),
  fillCase('normal', normal),
  fillCase('normal, float16', normal, 'float16'),
  fillCase('normal, bfloat16', normal, 'bfloat16'),
]
await rounds(cases, Number(values.rounds))

const config = JSON.parse(readFileSync(new URL('../examples/gpt2/config.json', import.meta.url), 'utf8'))
const { model, recipe } = readHuggingFaceConfig(config)
const gpt2Elements = 124439808
const whole = (name, run) => ({ name, elements: gpt2Elements, times: [], run })
const gpt2 =
  device === 'cpu'
    ? []
    : [
        whole('GPT-2, 148 buffers', async () => (await initializeModel(model, recipe, { device, seed: 1 })).destroy()),
        whole('GPT-2, packed', async () =>
          (await initializeModel(model, recipe, { device, seed: 1, buffers: 'packed' })).destroy(),
        ),
        whole('one normal buffer of that length', async () =>
          (
            await initializeModel({ parameters: [{ name: 'w', shape: [gpt2Elements], role: 'weight' }] }, normal, {
              device,
              seed: 1,
            })
          ).destroy(),
        ),
      ]
await rounds(gpt2, Number(values['gpt2-rounds']))

const median = (times) => [...times].sort((a, b) => a - b)[times.length >> 1]
console.log(
  JSON.stringify({
    adapter,
    rows: [...cases, ...gpt2].map(({ name, elements: count, times }) => ({
      name,
      elements: count,
      milliseconds: median(times),
    })),
  }),
)
process.exit(0)
