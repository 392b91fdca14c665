// How often check() refuses valid weights: random small models of every distribution, generator and dtype on the CPU. Prints the
// table of docs/verification.md: for each rate, the share of the models whose smallest adjusted p-value is at most the rate.
// With --device it also makes and checks each model on a device, and counts those of which the two say different things; run it with the
// environment of one (scripts/software-gpu.mjs).
//   node scripts/check-calibration.mjs [--first 0] [--models 10000] [--show 20] [--kind text] [--device]
import { parseArgs } from 'node:util'
import { createServer } from 'vite'

const { values } = parseArgs({
  options: {
    first: { type: 'string', default: '0' },
    models: { type: 'string', default: '10000' },
    show: { type: 'string', default: '20' },
    kind: { type: 'string', default: '' },
    device: { type: 'boolean', default: false },
  },
})
const server = await createServer({
  configFile: false,
  logLevel: 'error',
  server: { middlewareMode: true, watch: null, ws: false },
  optimizeDeps: { noDiscovery: true },
})
const { initializeModel, WeightInitError } = await server.ssrLoadModule('/src/index.ts')
const { randomModel } = await server.ssrLoadModule('/test/support/random-models.ts')

const { requestNodeDevice } = await server.ssrLoadModule('/src/node/device.ts')
const device = values.device ? await requestNodeDevice() : undefined

/** The tests of a report and whether they passed, in order. */
const verdicts = (report) =>
  JSON.stringify([...report.parameters.flatMap((p) => p.tests), ...report.model].map(({ test, ok }) => [test, ok]))

let disagreements = 0
const rates = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6]
const below = rates.map(() => 0)
const kinds = new Map()
const refused = new Map()
let models = 0
let tests = 0
let shown = 0
const first = Number(values.first)
for (let seed = first; seed < first + Number(values.models); seed++) {
  const { model, initializer, config, options, what, dtype } = randomModel(seed)
  if (!what.includes(values.kind)) continue
  let weights
  try {
    weights = await initializeModel(model, initializer, config, { ...options, device: 'cpu' })
  } catch (error) {
    // What cannot be made, such as an interval without a number of the dtype, cannot be refused wrongly.
    if (!(error instanceof WeightInitError)) throw error
    refused.set(error.code, (refused.get(error.code) ?? 0) + 1)
    continue
  }
  const report = await weights.check()
  models++
  tests += report.testCount
  if (device !== undefined) {
    const onDevice = await initializeModel(model, initializer, config, { ...options, device })
    if (verdicts(await onDevice.check()) !== verdicts(report)) {
      disagreements++
      console.log(`seed ${seed}: the device says something else`)
    }
    onDevice.destroy()
  }
  const all = [...report.parameters.flatMap((p) => p.tests), ...report.model]
  const smallest = Math.min(...all.map((t) => t.adjustedPValue))
  rates.forEach((rate, i) => {
    if (smallest <= rate) below[i]++
  })
  const row = `${what}, ${dtype}`
  const [made, low] = kinds.get(row) ?? [0, 0]
  kinds.set(row, [made + 1, low + (smallest <= 1e-3 ? 1 : 0)])
  if (smallest <= 1e-5 && shown++ < Number(values.show)) {
    const worst = all.find((t) => t.adjustedPValue === smallest)
    console.log(
      `seed ${seed}: ${row}, ${options.generator}, ${JSON.stringify(config)}, ` +
        `${JSON.stringify(model.parameters.map((p) => p.shape))}: ${worst.test}: ${worst.message} (p ${worst.pValue.toExponential(1)})`,
    )
  }
}
console.log(`seeds ${first} to ${first + Number(values.models) - 1}: ${models} models, ${tests} tests`)
if (device !== undefined) console.log(`${disagreements} of which CPU and device say different things`)
if (refused.size > 0) console.log(`not made: ${[...refused].map(([code, n]) => `${code} ${n}`).join(', ')}`)
console.log('| rate | models with a smaller p-value | share |')
console.log('| --- | --- | --- |')
rates.forEach((rate, i) => {
  console.log(`| ${rate.toExponential(0)} | ${below[i]} | ${(below[i] / models).toExponential(1)} |`)
})
for (const [row, [made, low]] of [...kinds].sort()) {
  if (low > 0.002 * made + 2) console.log(`more often than 1e-3: ${row}: ${low} of ${made}`)
}
process.exit(0)
