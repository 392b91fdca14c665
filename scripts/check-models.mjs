// Writes whole models from their configs, verifies them and reads the files back. Reports the time and the peak memory of the
// process (including that of a software GPU). Prints the tables of docs/models-measured.md.
//   node scripts/check-models.mjs [--adapter lavapipe|swiftshader] [--models gpt2,llama-3.2-1b] [--verify N] [--cli dist/cli.js]
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { gpuEnvironment } from './software-gpu.mjs'

const { values } = parseArgs({
  options: {
    adapter: { type: 'string', default: 'lavapipe' },
    models: { type: 'string', default: 'gpt2,llama-3.2-1b' },
    cli: { type: 'string', default: 'dist/cli.js' },
    verify: { type: 'string', default: 'all' },
  },
})
const environment = { ...process.env, ...(await gpuEnvironment(values.adapter)) }
const folder = mkdtempSync(join(tmpdir(), 'webgpu-init-models-'))

/** Runs the command line. Returns its output, its seconds and its peak resident memory (VmHWM, only on Linux). */
function run(...args) {
  return new Promise((resolve) => {
    const started = performance.now()
    const child = spawn(process.execPath, [values.cli, ...args], {
      env: environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let peak = 0
    const timer = setInterval(() => {
      try {
        const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? []
        peak = Math.max(peak, 1024 * Number(kilobytes ?? 0))
      } catch {
        // The process has just ended.
      }
    }, 50)
    let stdout = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text
    })
    child.once('close', (status) => {
      clearInterval(timer)
      resolve({ status, stdout, seconds: (performance.now() - started) / 1000, peak })
    })
  })
}

try {
  console.log('| model | file | adapter | initialise | whole run | peak memory | verified |')
  console.log('| ----- | ---- | ------- | ---------- | --------- | ----------- | -------- |')
  for (const model of values.models.split(',')) {
    const path = join(folder, `${model}.safetensors`)
    const written = await run(
      'init',
      `examples/${model}/config.json`,
      '-o',
      path,
      '--seed',
      '42',
      '--quiet',
      '--verify',
      values.verify,
    )
    const [, title, elements, bytes, device] =
      /^(\S+): \d+ parameters, ([\d,]+) elements, (.+?); seed 42; on (.*)$/m.exec(written.stdout) ?? []
    const [, seconds] = /^Initialised in ([\d.]+) s/m.exec(written.stdout) ?? []
    const parity = /^Parity: (.*)\.$/m.exec(written.stdout)?.[1] ?? `exit code ${written.status}`
    console.log(
      `| ${title} ${elements} | ${bytes} | ${device} | ${seconds} s | ${written.seconds.toFixed(0)} s | ${(written.peak / 1e9).toFixed(2)} GB | ${parity} |`,
    )
    const read = await run('inspect', path)
    console.log(
      `\n\`inspect\` of it: ${read.stdout
        .split('\n')
        .find((line) => line.includes(' tensors, '))
        ?.replace(/^\S+: /, '')}, ` +
        `exit code ${read.status}, ${read.seconds.toFixed(0)} s, peak ${(read.peak / 1e9).toFixed(2)} GB\n`,
    )
    rmSync(path, { force: true })
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
