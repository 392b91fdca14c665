// npm run bench: builds, installs the peers into bench/node_modules, measures, prints bench/results.md and writes it.
//   node scripts/bench.mjs [--adapter lavapipe|swiftshader|system] [--quick] [--only GROUP,...] [--no-peers] [--no-write]
// --adapter: by default lavapipe if it is installed, else SwiftShader; `system` is the machine's own GPU. Every group runs in a
// process of its own. A group that fails becomes a row that says so.
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { measureFirstCalls } from '../bench/first.mjs'
import { resultsText } from '../bench/results.mjs'
import { messageOf } from '../bench/rounds.mjs'
import { findLavapipe, gpuEnvironment, hasAdapter, softwareGpuSupported } from './software-gpu.mjs'

const { values } = parseArgs({
  allowNegative: true,
  options: {
    adapter: { type: 'string' },
    adapters: { type: 'string' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    peers: { type: 'boolean', default: true },
    write: { type: 'boolean', default: true },
  },
})
const asked = values.adapter ?? values.adapters
const only = values.only?.split(',')
const lastLine = (text) => text.trim().split('\n').at(-1)

async function findAdapters() {
  if (asked) return asked.split(',')
  if (!softwareGpuSupported) return ['system']
  return findLavapipe() !== undefined && hasAdapter(await gpuEnvironment('lavapipe'))
    ? ['lavapipe', 'swiftshader']
    : ['swiftshader']
}

/** Runs a script of bench/. Returns the JSON of its last line, or the reason why there is none. */
function runScript(group, script, flags, environment) {
  const began = performance.now()
  console.error(`measuring ${group} ...`)
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [script, ...flags], {
    env: { ...process.env, ...environment },
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    timeout: 300_000,
  })
  console.error(`  ${((performance.now() - began) / 1000).toFixed(0)} s`)
  if (status === 0) return { group, ...JSON.parse(lastLine(stdout)) }
  console.error(stderr)
  return { group, reason: signal ? `ended by ${signal}` : lastLine(stderr) || `exit status ${status}` }
}

/** Flags of measure.mjs: rounds, seconds, elements. */
function limitsOf(group, adapter) {
  const slow = adapter === 'swiftshader'
  const [rounds, seconds] = values.quick
    ? [2, 10]
    : ({ gpt2: [3, 40], many: [3, 60], checks: [5, 40], orthogonal: [5, 30], cpu: [3, 30] }[group] ?? [
        slow ? 3 : 7,
        60,
      ])
  return ['--rounds', String(rounds), '--seconds', String(seconds)]
}

const built = spawnSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit', shell: process.platform === 'win32' })
if (built.status !== 0) process.exit(1)
if (values.peers) {
  const installed = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--silent'], {
    cwd: 'bench',
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (installed.status !== 0) console.error('the peers could not be installed: their rows will say so')
}

const groups = []
const wants = (group) => only === undefined || only.includes(group)
const peersFlag = values.peers ? [] : ['--no-peers']
const adapters = await findAdapters()
for (const [index, adapter] of adapters.entries()) {
  const environment = await gpuEnvironment(adapter)
  // The first adapter is measured completely, any other one only by fills.
  const wanted = index === 0 ? ['peers', 'exact', 'gpt2', 'many', 'checks', 'orthogonal'] : ['fills']
  for (const group of wanted.filter(wants)) {
    const flags = [group, ...limitsOf(group, adapter), ...peersFlag, '--tfjs-side', values.quick ? '64' : '256']
    groups.push(runScript(group, 'bench/measure.mjs', flags, environment))
  }
  if (index > 0) continue
  if (wants('first')) groups.push(measureFirstCalls(environment, values.quick ? 1 : 5))
  if (wants('memory')) {
    const rows = [true, false].map((clear) => ({
      name: clear ? 'yes' : 'no',
      ...runScript('memory', 'bench/memory.mjs', clear ? [] : ['--no-clear'], environment),
    }))
    groups.push({ group: 'memory', rows })
  }
}
if (wants('cpu')) groups.push(runScript('cpu', 'bench/measure.mjs', ['cpu', ...limitsOf('cpu'), ...peersFlag], {}))
if (wants('browser')) {
  groups.push(
    softwareGpuSupported
      ? runScript('browser', 'bench/browser.mjs', ['--rounds', values.quick ? '1' : '3', ...peersFlag], {})
      : { group: 'browser', reason: 'the Chromium from npm runs on Linux x64' },
  )
}

const versionOf = (path) => JSON.parse(readFileSync(path, 'utf8')).version
function commit() {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  } catch {
    // This is not a git checkout, so the version alone says what was measured.
    return 'unknown'
  }
}
function peerVersions() {
  try {
    const { dependencies } = JSON.parse(readFileSync('bench/package.json', 'utf8'))
    return Object.keys(dependencies).map((name) => `${name} ${versionOf(`bench/node_modules/${name}/package.json`)}`)
  } catch (error) {
    return [`none (${messageOf(error)})`]
  }
}
const chromium = groups.find(({ group }) => group === 'browser')?.version
const environmentLines = [
  `- webgpu-init ${versionOf('package.json')} (${commit()}), Dawn ${versionOf('node_modules/webgpu/package.json')}, Node ${process.version}${chromium ? `, Chromium ${chromium}` : ''}`,
  `- ${cpus().length} x ${cpus()[0]?.model.trim()}, ${process.platform} ${process.arch}`,
  `- adapters: ${[...new Set(groups.map(({ adapter }) => adapter).filter(Boolean))].join('; ')}`,
  `- peers: ${values.peers ? peerVersions().join(', ') : 'left out (--no-peers)'}`,
  ...(values.quick ? ['- a run with `--quick`: two rounds of most rows'] : []),
]
const fills = groups.find(({ group, reason }) => group === 'peers' && reason === undefined)
// The prediction comes from the current shaders or, if their operations cannot be counted, from the last count.
if (fills && values.write) {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/count-operations.mjs', '--write'], {
    encoding: 'utf8',
  })
  if (status !== 0) console.error(`operations were not counted: ${lastLine(stderr)}`)
}
const { predictionLines } = await import('../bench/cost-model.mjs')
const text = resultsText(environmentLines, groups, fills && predictionLines(fills))
console.log(text)
if (values.write && only === undefined && !values.quick) writeFileSync('bench/results.md', text)
