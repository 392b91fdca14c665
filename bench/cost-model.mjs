// The expected time of a fill on a device: the model of docs/performance.md as code. The operations per element are in
// bench/operations.json, which scripts/count-operations.mjs makes from the compiled shaders.
import { readFileSync } from 'node:fs'

export const operations = JSON.parse(readFileSync(new URL('operations.json', import.meta.url), 'utf8'))

const one = { integer: 1, compare: 1, multiply: 1, float: 1, convert: 1, branch: 1 }

/** NVIDIA since Ampere: 128 instructions per clock and multiprocessor, of which at most 64 are for integers. */
const nvidia = (multiprocessors, gigahertz) => [
  { name: 'issue', gops: multiprocessors * 128 * gigahertz, cycles: one },
  {
    name: 'integer',
    gops: multiprocessors * 64 * gigahertz,
    cycles: { integer: 1, compare: 1, multiply: 1, convert: 4 },
  },
]
/** One pipe for all operations. Integer products have a quarter of its rate. */
const shared = (gops) => [{ name: 'issue', gops, cycles: { ...one, multiply: 4 } }]
/** Intel Gen11: integer operations have half the rate of float operations. */
const gen11 = (units, gigahertz) => [
  {
    name: 'issue',
    gops: units * 8 * gigahertz,
    cycles: { integer: 2, compare: 2, multiply: 8, float: 1, convert: 2, branch: 1 },
  },
]

/**
 * GPUs by the text in the adapter's name, with the memory bandwidth in GB/s and the pipes. `gops` is the pipe's rate in 10^9
 * cycles per second, and `cycles` is the number of cycles for an operation of each kind. Sources: docs/performance.md.
 */
export const gpus = [
  { name: 'Intel Iris Plus G7 (Gen11, 64 EU)', match: /iris.*plus|gen-?11/i, gigabytes: 59.7, pipes: gen11(64, 1.1) },
  { name: 'Intel Iris Xe (96 EU)', match: /iris.*xe|gen-?12lp|xe-lp/i, gigabytes: 68.3, pipes: shared(96 * 8 * 1.35) },
  { name: 'Apple M1 (8 cores)', match: /apple m1$/i, gigabytes: 68.3, pipes: shared(1309) },
  { name: 'Apple M1 Max (32 cores)', match: /apple m1 max/i, gigabytes: 400, pipes: shared(5308) },
  { name: 'NVIDIA RTX 4070', match: /rtx 4070(?! (ti|super))/i, gigabytes: 504, pipes: nvidia(46, 2.475) },
  { name: 'NVIDIA H100 SXM', match: /h100/i, gigabytes: 3350, pipes: nvidia(132, 1.98) },
]

/** Cycles per element: the operations of each kind times the cycles that the pipe needs for one. */
const cyclesPerElement = (counts, cycles) =>
  Object.entries(cycles).reduce((sum, [kind, n]) => sum + n * (counts[kind] ?? 0), 0)

/**
 * The formula of the model. The time of a fill is that of the slowest pipe or of the memory:
 *   seconds per element = max(bytes / bandwidth, max over pipes of sum over kinds of operations x cycles / rate).
 * @returns 10^9 elements per second, the share of the memory bandwidth that they use, and what limits the speed
 */
export function predict(gpu, name) {
  const counts = operations[name]
  const limits = [
    { by: 'memory', nanoseconds: counts.bytes / gpu.gigabytes },
    ...gpu.pipes.map(({ name: by, gops, cycles }) => ({ by, nanoseconds: cyclesPerElement(counts, cycles) / gops })),
  ]
  const slowest = limits.reduce((a, b) => (b.nanoseconds > a.nanoseconds ? b : a))
  const gigaElements = 1 / slowest.nanoseconds
  return { gigaElements, share: (gigaElements * counts.bytes) / gpu.gigabytes, by: slowest.by }
}

/** A CPU that runs shaders: one pipe with a rate from the uniform row. Integer products have half this rate. */
const cpuCycles = { ...one, multiply: 2 }

/**
 * Lines for bench/results.md with predicted and measured rates. For a known GPU the prediction uses its data. For any other
 * device the uniform row gives the rate of its arithmetic, from which the other rows are predicted.
 */
export function predictionLines({ adapter, rows }) {
  const measured = new Map(rows.filter(({ reason }) => reason === undefined).map((row) => [row.id, row]))
  const rate = (id) => {
    const row = measured.get(id)
    return row === undefined ? undefined : row.elements / row.milliseconds / 1e6
  }
  const fills = [
    ['uniform', 'uniform'],
    ['normal', 'normal'],
    ['truncated', 'truncated normal'],
    ['float16', 'normal, float16'],
    ['bfloat16', 'normal, bfloat16'],
  ]
  const gpu = gpus.find(({ match }) => match.test(adapter))
  const uniform = rate('uniform')
  if (uniform === undefined) return []
  const gops = uniform * cyclesPerElement(operations.uniform, cpuCycles)
  const predicted = (name) =>
    gpu === undefined ? gops / cyclesPerElement(operations[name], cpuCycles) : predict(gpu, name).gigaElements
  const source =
    gpu === undefined
      ? `This device is not in the table of docs/performance.md: its rate of arithmetic, ${gops.toFixed(1)} G operations a second, is taken from the uniform row, and the other rows are predicted from it.`
      : `From the figures of ${gpu.name} in docs/performance.md.`
  return [
    `## Prediction: ${adapter}`,
    '',
    source,
    '',
    '| what | predicted, G elements/s | measured, G elements/s | measured over predicted |',
    '| --- | ---: | ---: | ---: |',
    ...fills.flatMap(([id, name]) => {
      const found = rate(id)
      if (found === undefined) return []
      const expected = predicted(name)
      return [`| ${name} | ${expected.toPrecision(3)} | ${found.toPrecision(3)} | ${(found / expected).toFixed(2)} |`]
    }),
  ]
}

/** The table for docs/performance.md. */
export function predictionTable() {
  const names = ['constant', 'uniform', 'normal', 'truncated normal', 'normal, bfloat16']
  const cell = (gpu, name) => {
    const { gigaElements, share, by } = predict(gpu, name)
    return `${Number(gigaElements.toPrecision(2))} (${(100 * share).toFixed(0)} %, ${by})`
  }
  return [
    `| GPU | ${names.join(' | ')} |`,
    `| --- |${' --- |'.repeat(names.length)}`,
    ...gpus.map((gpu) => `| ${gpu.name} | ${names.map((name) => cell(gpu, name)).join(' | ')} |`),
  ]
}
