// Writes bench/results.md: the environment, the targets, and then the tables with the measurements.
import { judge, targets } from './targets.mjs'

const titles = {
  fills: 'Fills',
  peers: 'Fills and peers',
  exact: 'Exact against native',
  gpt2: 'GPT-2 (124,439,808 elements)',
  many: '10,000 tensors of 12,288 elements',
  checks: 'Statistics and verification',
  orthogonal: 'Orthogonal matrices',
  cpu: 'CPU fallback',
  browser: 'Chromium + SwiftShader',
  first: 'First call on a new device, GPT-2, into memory that exists',
  memory: 'New memory',
}
const notes = {
  peers:
    'Ours fill existing float32 (or half) buffers; the rows `its buffer made within the time` also allocate and free the buffer. TensorFlow.js draws in JavaScript and uploads; jax-js draws on the GPU. Both end when the values are on the GPU and the work is done, in buffers that they recycle. @stdlib and PyTorch fill CPU memory: PyTorch an existing tensor, @stdlib a new array.',
  browser: 'As above, in a page. Both peers recycle their buffers, and ours exist already.',
  exact:
    'Both kernels run through the same host code; `bench/native_normal.wgsl` replaces `shaders/random/normal.wgsl`.',
  checks: 'For 16.8 M normals on the device. `verify()` makes every value again on the CPU and reads all values back.',
  orthogonal:
    "Whole calls of initializeModel, normals included, buffers made within the time unless said: PyTorch makes its results' memory within the time as well. TensorFlow.js's QR is a loop over columns that takes minutes at 1024, so it is measured once, at a smaller side, on its CPU backend; the target's ratio is at that side. `linalg.qr` is LAPACK's factorisation of a matrix of normals that exists, `orthogonal_` draws it too.",
  cpu: "`normal, its array made within the time` is what TensorFlow.js's loop is compared with: both make their array.",
  first:
    'Each row is a process of its own. The first call compiles and tests the shaders. MESA_SHADER_CACHE_DISABLE turns the driver cache off; drivers other than Mesa may still use one.',
  memory:
    'A plain store kernel writes into a new buffer, and then into the same one again. The difference is the cost of memory that was never used before, which every program has to pay.',
}

const rate = ({ elements, milliseconds }) => elements / milliseconds / 1000

function rowsTable(rows) {
  const constant = rows.find(({ id, reason }) => id === 'constant' && reason === undefined)
  const share = (row) => (constant === undefined ? '' : ` ${((100 * rate(row)) / rate(constant)).toFixed(0)} % |`)
  return [
    `| what | M elements | ms (median) | ms (best) | rounds | M elements/s |${constant ? ' of constant fill |' : ''}`,
    `| --- | ---: | ---: | ---: | ---: | ---: |${constant ? ' ---: |' : ''}`,
    ...rows.map((row) =>
      row.reason === undefined
        ? `| ${row.name} | ${(row.elements / 1e6).toFixed(2)} | ${row.milliseconds.toFixed(1)} | ${row.best.toFixed(1)} | ${row.rounds} | ${rate(row).toFixed(1)} |${share(row)}`
        : `| ${row.name} | | not run: ${row.reason} | | | |${constant ? ' |' : ''}`,
    ),
  ]
}

function firstTable({ rows }) {
  return [
    '| driver cache | first call, ms | later calls, ms | more, ms (median of the processes) |',
    '| --- | ---: | ---: | ---: |',
    ...rows.map((row) =>
      row.reason === undefined
        ? `| ${row.name} | ${row.first.toFixed(0)} | ${row.later.toFixed(0)} | ${row.milliseconds.toFixed(0)} |`
        : `| ${row.name} | not run: ${row.reason} | | |`,
    ),
  ]
}

function memoryTable({ rows }) {
  return [
    '| Dawn clears new buffers | MiB | first fill, ms | page faults | second fill, ms | page faults |',
    '| --- | ---: | ---: | ---: | ---: | ---: |',
    ...rows.map((row) =>
      row.reason === undefined
        ? `| ${row.name} | ${row.bytes / 2 ** 20} | ${row.first.milliseconds.toFixed(1)} | ${row.first.faults} | ${row.later.milliseconds.toFixed(1)} | ${row.later.faults} |`
        : `| ${row.name} | | not run: ${row.reason} | | | |`,
    ),
  ]
}

function samplesTable(samples) {
  return [
    '',
    'What the others made (mean, standard deviation):',
    Object.entries(samples)
      .map(([name, { mean, std }]) => `${name} ${mean.toExponential(1)}, ${std.toPrecision(4)}`)
      .join('; ')
      .concat('.'),
  ]
}

function section(group) {
  const heading = `## ${titles[group.group]}${group.adapter ? `: ${group.adapter}` : ''}`
  if (group.reason !== undefined) return [heading, '', `Not run: ${group.reason}`]
  const table = { first: firstTable, memory: memoryTable }[group.group]?.(group) ?? rowsTable(group.rows)
  const note = notes[group.group]
  return [
    heading,
    '',
    ...(note === undefined ? [] : [note, '']),
    ...table,
    ...(group.samples && Object.keys(group.samples).length > 0 ? samplesTable(group.samples) : []),
    ...(group.torch ? ['', `PyTorch ${group.torch}.`] : []),
  ]
}

/**
 * @param environment lines about the machine and the versions
 * @param groups the results of the groups, in order; the targets are judged by those of the first adapter
 */
export function resultsText(environment, groups, prediction) {
  const judged = new Map()
  for (const group of groups) if (!judged.has(group.group)) judged.set(group.group, group)
  const lines = targets.map((target) => judge(target, judged))
  return [
    '# Measurements',
    '',
    'Made by `npm run bench`. Whole calls, the device awaited, medians of interleaved rounds (A B C A B C ...): compare within a',
    'table, not between machines. Every ratio has both sides in one group of the run. 16.8 M (2^24) float32 elements unless said.',
    '',
    ...environment,
    '',
    '## Targets',
    '',
    '| what | target | measured | |',
    '| --- | --- | --- | --- |',
    ...lines.map(({ what, wanted, measured, verdict }) => `| ${what} | ${wanted} | ${measured} | ${verdict} |`),
    '',
    '[NOTES.md](NOTES.md) says why a row is missed, and what the limit is.',
    '',
    ...(prediction === undefined ? [] : [...prediction, '']),
    ...groups.flatMap((group) => [...section(group), '']),
  ]
    .join('\n')
    .trimEnd()
    .concat('\n')
}
