// npm start: builds, finds a WebGPU device (the machine's own, else SwiftShader from npm) and initialises GPT-2.
import { spawnSync } from 'node:child_process'
import { bestGpuEnvironment } from './software-gpu.mjs'

const run = (command, args, env = {}) => {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...env } })
  if (error) throw error
  if (status !== 0) process.exit(status ?? 1)
}

run('npm', ['run', '--silent', 'build'])
run(
  process.execPath,
  [
    'dist/cli.js',
    'init',
    'examples/gpt2/config.json',
    '-o',
    'gpt2.safetensors',
    '--seed',
    '42',
    ...process.argv.slice(2),
  ],
  await bestGpuEnvironment(),
)
