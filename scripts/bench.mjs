// npm run bench: builds, measures every adapter found and the CPU, prints a table and writes bench/results.md.
//   node scripts/bench.mjs [--adapters swiftshader,lavapipe,system] [--elements N] [--no-write]
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { findLavapipe, gpuEnvironment, hasAdapter, softwareGpuSupported } from './software-gpu.mjs'

const { values } = parseArgs({
  allowNegative: true,
  options: { adapters: { type: 'string' }, elements: { type: 'string' }, write: { type: 'boolean', default: true } },
})

async function findAdapters() {
  if (values.adapters) return values.adapters.split(',')
  if (!softwareGpuSupported) return ['system']
  return findLavapipe() !== undefined && hasAdapter(await gpuEnvironment('lavapipe'))
    ? ['swiftshader', 'lavapipe']
    : ['swiftshader']
}

async function measure(backend, adapter) {
  const environment = adapter === undefined ? {} : await gpuEnvironment(adapter)
  const sizes = values.elements
    ? ['--elements', values.elements]
    : backend === 'cpu'
      ? ['--elements', String(2 ** 22)]
      : []
  const { status, stdout } = spawnSync(process.execPath, ['bench/measure.mjs', backend, ...sizes], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`measuring ${adapter ?? backend} failed`)
  return JSON.parse(stdout.trim().split('\n').at(-1))
}

function table({ adapter, rows }) {
  const rate = ({ elements, milliseconds }) => elements / milliseconds / 1000
  const constant = rate(rows[0])
  const lines = rows.map(
    (row) =>
      `| ${row.name} | ${(row.elements / 1e6).toFixed(1)} | ${row.milliseconds.toFixed(1)} | ${rate(row).toFixed(0)} | ${((100 * rate(row)) / constant).toFixed(0)} % |`,
  )
  return [
    `### ${adapter}`,
    '',
    '| what | M elements | ms (median) | M elements/s | of constant fill |',
    '| --- | ---: | ---: | ---: | ---: |',
    ...lines,
  ].join('\n')
}

const built = spawnSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit', shell: process.platform === 'win32' })
if (built.status !== 0) process.exit(1)
const sections = []
for (const adapter of await findAdapters()) sections.push(table(await measure('gpu', adapter)))
sections.push(table(await measure('cpu')))
const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
const dawn = JSON.parse(readFileSync('node_modules/webgpu/package.json', 'utf8')).version
let commit = 'unknown'
try {
  commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
} catch {
  // Not a checkout: the version alone says what was measured.
}
const text = `# Measurements

Made by \`npm run bench\`. Times are whole calls of initializeModel, the device's work awaited, into memory that exists
(the GPT-2 rows allocate). Rounds are interleaved and medians shown: compare within a table, not between machines.

webgpu-init ${version} (${commit}), Dawn ${dawn}, Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model.trim()}.

${sections.join('\n\n')}
`
console.log(text)
if (values.write) writeFileSync('bench/results.md', text)
