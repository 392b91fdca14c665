// Measures the portability table: the bits that differ between the GPU and the CPU, for every WebGPU implementation and
// every Vulkan device on this machine.
//   npm run build && node scripts/portability.mjs [--write]
// --write puts the table into docs/portability.md, and its summary into README.md.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { lacksForChromiumOnLavapipe, withChromiumOnLavapipe } from './chromium-lavapipe.mjs'
import { columns, elementCount } from './measure-portability.mjs'
import { deviceNames, places, summaryTable, wholeTable, withTable } from './portability-table.mjs'
import { chromiumOnSwiftShader, findLavapipe, gpuEnvironment } from './software-gpu.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const measureScript = join(root, 'scripts', 'measure-portability.mjs')
const versionOf = (name) => JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version

/** Runs the measurement in a child process and returns what it prints. */
async function inProcess(command, adapter) {
  const [program, ...args] = command
  const env = { ...process.env, ...(await gpuEnvironment(adapter)) }
  const { stdout, stderr, status } = spawnSync(program, [...args, measureScript, '--measure'], {
    cwd: root,
    env,
    encoding: 'utf8',
  })
  const line = stdout.split('\n').find((text) => text.startsWith('RESULT '))
  if (line === undefined) throw new Error(`${program} on ${adapter} failed (${status}):\n${stderr}${stdout}`)
  return JSON.parse(line.slice('RESULT '.length))
}

/** Runs the measurement in a page of the Chromium that Playwright starts with `options`. */
async function inPage(options) {
  // With developer features, the browser reveals its adapter's name.
  const browser = await chromium.launch({ ...options, args: [...options.args, '--enable-webgpu-developer-features'] })
  try {
    const page = await browser.newPage()
    // WebGPU needs a secure context, such as http://localhost. The requests are answered here and use no network.
    await page.route('http://localhost/**', (route) => {
      const { pathname } = new URL(route.request().url())
      if (pathname === '/')
        return route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>portability</title>' })
      return route.fulfill({ path: join(root, pathname), contentType: 'text/javascript' })
    })
    await page.goto('http://localhost/')
    return await page.evaluate(async () => {
      const adapter = await navigator.gpu?.requestAdapter()
      if (!adapter) throw new Error('Chromium offers no adapter')
      const { measure, describeAdapter } = await import('/scripts/measure-portability.mjs')
      const library = await import('/dist/index.js')
      return { adapter: describeAdapter(adapter.info), results: await measure(library, await adapter.requestDevice()) }
    })
  } finally {
    await browser.close()
  }
}

const inChromium = async (adapter) =>
  adapter === 'lavapipe' ? withChromiumOnLavapipe(inPage) : inPage(await chromiumOnSwiftShader())

const deno = [process.execPath, join(root, 'node_modules', 'deno', 'bin.cjs'), 'run', '-A', '--unstable-webgpu']
const implementations = {
  [`Dawn (Node, webgpu ${versionOf('webgpu')})`]: (adapter) => inProcess([process.execPath], adapter),
  [`wgpu (Deno ${versionOf('deno')})`]: (adapter) => inProcess(deno, adapter),
  [`Chromium (@sparticuz/chromium ${versionOf('@sparticuz/chromium')})`]: inChromium,
}

/** The reason why a cell cannot be measured here. Undefined if it can. */
function lacks(run, adapter) {
  if (adapter !== 'lavapipe') return undefined
  if (run === inChromium) return lacksForChromiumOnLavapipe()
  return findLavapipe() === undefined ? 'lavapipe is not installed' : undefined
}

const adapters = { swiftshader: deviceNames.SwiftShader, lavapipe: deviceNames.llvmpipe }
const rows = []
const hashes = new Map(Object.keys(columns).map((name) => [name, new Set()]))
let wrong = 0
let skipped = 0
for (const [implementation, run] of Object.entries(implementations)) {
  for (const [adapter, deviceName] of Object.entries(adapters)) {
    const reason = lacks(run, adapter)
    if (reason !== undefined) {
      skipped++
      console.log(`${implementation} on ${adapter} is skipped: ${reason}`)
      continue
    }
    const measured = await run(adapter)
    // A runtime may use another device than the requested one.
    if (!deviceName.test(measured.adapter)) {
      throw new Error(`${implementation} computed on ${measured.adapter}, not on ${adapter}`)
    }
    const cells = Object.entries(measured.results).map(([name, { bits, sha256 }]) => {
      hashes.get(name).add(sha256)
      wrong += bits
      return String(bits)
    })
    rows.push([implementation, measured.adapter, ...cells])
    console.log(rows.at(-1).join(' | '))
  }
}
for (const [name, set] of hashes) {
  if (set.size === 1) continue
  wrong++
  console.log(`${name}: ${set.size} different results`)
}
const table = wholeTable(Object.keys(columns), rows)
console.log(`\nBits that differ from the CPU, of ${elementCount.toLocaleString('en')} elements a column:\n${table}`)
if (process.argv.includes('--write')) {
  if (skipped > 0) throw new Error(`The tables are not written: ${skipped} of the rows cannot be measured here`)
  const tables = { portability: table, 'portability summary': summaryTable(rows) }
  for (const { file, mark } of places) {
    const path = join(root, file)
    writeFileSync(path, withTable(readFileSync(path, 'utf8'), mark, tables[mark]))
  }
}
process.exitCode = wrong === 0 ? 0 : 1
