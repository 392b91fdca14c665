// npm test: runs every suite, and the GPU suites for each WebGPU device that is found. Ends with the line `N passed, N failed`.
//   node scripts/test.mjs [--suites unit,unit-slow,gpu,package,browser,deno,python]
//                         [--adapters swiftshader,lavapipe,system]
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { findLavapipe, gpuEnvironment, hasAdapter, softwareGpuSupported } from './software-gpu.mjs'

const { values } = parseArgs({ options: { suites: { type: 'string' }, adapters: { type: 'string' } } })
const suites = values.suites?.split(',') ?? ['unit', 'unit-slow', 'gpu', 'package', 'browser', 'deno', 'python']
/** Suites that do not need a WebGPU device from the environment. */
const withoutDevice = ['unit', 'unit-slow', 'python']

/** On Linux x64: SwiftShader, and lavapipe if it is installed and works. On other systems: the machine's own device. */
async function findAdapters() {
  if (values.adapters) return values.adapters.split(',')
  if (!softwareGpuSupported) return ['system']
  const adapters = ['swiftshader']
  if (findLavapipe() !== undefined && hasAdapter(await gpuEnvironment('lavapipe'))) adapters.push('lavapipe')
  return adapters
}

const scratch = mkdtempSync(join(tmpdir(), 'webgpu-init-test-'))
let passed = 0
let failed = 0

/**
 * @param config a configuration other than the root's, which has only this project
 * @param runtime the command that runs vitest
 */
async function runProject(project, adapter, config, runtime = [process.execPath]) {
  const report = join(scratch, `${project}-${adapter}.json`)
  console.log(`\n== ${project}${adapter ? ` on ${adapter}` : ''}`)
  const what = config === undefined ? ['--project', project] : ['--config', config]
  // The tests of the package for Python exist only if that package does.
  if (project === 'python') what.push('--passWithNoTests')
  const environment = adapter === undefined ? {} : { ...(await gpuEnvironment(adapter)), WEBGPU_INIT_ADAPTER: adapter }
  const vitest = join('node_modules', 'vitest', 'vitest.mjs')
  const [program, ...flags] = runtime
  const { status } = spawnSync(
    program,
    [...flags, vitest, 'run', ...what, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    { stdio: 'inherit', env: { ...process.env, ...environment } },
  )
  let counts = { numPassedTests: 0, numFailedTests: 0 }
  try {
    counts = JSON.parse(readFileSync(report, 'utf8'))
  } catch {
    // There is no report because the run crashed; its exit status says so.
  }
  passed += counts.numPassedTests
  // A run that failed without a failed test (after a crash, or if a file does not load) counts as one failure.
  failed += counts.numFailedTests || (status === 0 ? 0 : 1)
}

/** Deno comes from npm. This start script works even if the package's install script did not run. */
const deno = [process.execPath, join('node_modules', 'deno', 'bin.cjs'), 'run', '-A', '--unstable-webgpu']

try {
  if (suites.some((suite) => ['package', 'browser', 'deno'].includes(suite))) {
    const { status } = spawnSync('npm', ['run', '--silent', 'build'], {
      stdio: 'inherit',
      shell: process.platform === 'win32',
    })
    if (status !== 0) failed++
  }
  const adapters = await findAdapters()
  for (const suite of suites) {
    if (suite === 'gpu') for (const adapter of adapters) await runProject('gpu', adapter)
    else if (suite === 'deno') {
      for (const adapter of adapters) await runProject('gpu in Deno', adapter, 'test/deno/suites.config.ts', deno)
    } else await runProject(suite, withoutDevice.includes(suite) ? undefined : adapters[0])
    if (suite === 'browser') await runProject('gpu in Chromium', adapters[0], 'test/browser/suites.config.ts')
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
console.log(`\n${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
