// PyTorch on the CPU, in a Python process that waits for requests, so that its rounds can be interleaved with others.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** @throws if `python3 -c 'import torch'` does not work */
export async function startTorch() {
  const environment = { ...process.env }
  // The libraries of a software GPU must not be loaded into Python.
  delete environment.LD_LIBRARY_PATH
  const child = spawn('python3', [fileURLToPath(new URL('torch_worker.py', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: environment,
  })
  let complaints = ''
  child.stderr.on('data', (data) => {
    complaints += data
  })
  const waiting = []
  let ended = false
  const end = () => {
    ended = true
    const last = complaints.trim().split('\n').at(-1)
    for (const { reject } of waiting.splice(0)) reject(new Error(`PyTorch: ${last || 'python3 ended'}`))
  }
  child.on('error', end)
  child.on('close', end)
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.resolve(JSON.parse(line)))
  const answer = () =>
    new Promise((resolve, reject) => {
      waiting.push({ resolve, reject })
      if (ended) end()
    })
  child.stdin.on('error', () => {})
  const { version, threads } = await answer()
  const ask = (operation, elements, count) => {
    const reply = answer()
    child.stdin.write(`${operation} ${elements} ${count}\n`)
    return reply
  }
  return {
    version,
    threads,
    case: (id, operation, elements, count = 1) => ({
      id,
      name: `PyTorch CPU ${operation}, ${count} ${count === 1 ? 'thread' : 'threads'}`,
      elements,
      run: async () => (await ask(operation, elements, count)).milliseconds,
      sample: () => ask(operation, elements, count),
    }),
    stop: () => child.stdin.end(),
  }
}
