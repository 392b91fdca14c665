// Measures first calls on a new device, in new processes: with the driver's shader cache off, and with a warm cache.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { median, messageOf } from './rounds.mjs'

function once(environment) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['bench/first-call.mjs'], {
    env: { ...process.env, ...environment },
    encoding: 'utf8',
    timeout: 120_000,
  })
  if (status !== 0) throw new Error(stderr.trim().split('\n').at(-1) || `exit status ${status}`)
  return JSON.parse(stdout.trim().split('\n').at(-1))
}

/** @param processes the number of processes of each kind */
export function measureFirstCalls(environment, processes) {
  console.error('measuring first ...')
  // A separate cache, because the content of the user's is not known.
  const cache = mkdtempSync(join(tmpdir(), 'webgpu-init-bench-'))
  const kinds = [
    ['first.cold', 'off', { MESA_SHADER_CACHE_DISABLE: 'true' }],
    ['first.warm', 'warmed', { MESA_SHADER_CACHE_DIR: cache, MESA_SHADER_CACHE_DISABLE: 'false' }],
  ].map(([id, name, settings]) => ({
    id,
    name,
    settings: { ...environment, ...settings },
    runs: [],
    reason: undefined,
  }))
  try {
    once(kinds[1].settings)
  } catch (error) {
    kinds[1].reason = messageOf(error)
  }
  for (let round = 0; round < processes; round++) {
    for (const kind of kinds) {
      if (kind.reason !== undefined) continue
      try {
        kind.runs.push(once(kind.settings))
      } catch (error) {
        kind.reason = messageOf(error)
      }
    }
  }
  rmSync(cache, { recursive: true, force: true })
  const rows = kinds.map(({ id, name, runs, reason }) => {
    if (reason !== undefined) return { id, name, reason }
    const later = ([, ...rest]) => median(rest)
    return {
      id,
      name,
      first: median(runs.map(([first]) => first)),
      later: median(runs.map(later)),
      milliseconds: median(runs.map((times) => times[0] - later(times))),
    }
  })
  return { group: 'first', rows }
}
