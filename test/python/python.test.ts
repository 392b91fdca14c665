// The tests of python/webgpu_init.py, by the first Python that has NumPy: PYTHON, python3 or python. Without one they are
// skipped, and the reason is printed.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const folder = fileURLToPath(new URL('../../python', import.meta.url))

/** Python and what it says, or undefined where there is none. */
function run(python: string, args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(python, args, { cwd: folder, encoding: 'utf8' })
  return { status, output: `${stdout ?? ''}${stderr ?? ''}` }
}

const candidates = [process.env.PYTHON, 'python3', 'python'].filter((name) => name !== undefined)
const python = candidates.find((name) => run(name, ['-c', 'import numpy']).status === 0)

if (python === undefined) console.log(`Python tests are skipped: none of ${candidates.join(', ')} has NumPy.`)

test.skipIf(python === undefined)('python -m unittest', { timeout: 600_000 }, () => {
  const { status, output } = run(python as string, ['-m', 'unittest', '--verbose'])
  const skipped = new Set([...output.matchAll(/skipped '([^']+)'/g)].map(([, reason]) => reason))
  for (const reason of skipped) console.log(`Some Python tests are skipped: ${reason}.`)
  expect(output).toMatch(/Ran [1-9]\d* tests/)
  expect(status, output).toBe(0)
})
