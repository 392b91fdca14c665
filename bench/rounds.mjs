/** Median of some times. */
export const median = (times) => [...times].sort((a, b) => a - b)[times.length >> 1]

/**
 * Runs cases in interleaved rounds (A B C A B C ...), so that a drift of the machine hits every row alike. A case is
 * `{ id, name, elements, run }`; where `run` resolves to a number, that is its time in milliseconds (another process measured
 * it). `most` is the most rounds that a slow one takes part in. The first round warms up and is not counted. A case that throws is left out from then on and says why.
 *
 * @param seconds no further round is begun after so long, once there are two
 */
export async function interleave(cases, { rounds = 5, seconds = 60 } = {}) {
  const times = new Map(cases.map((one) => [one, []]))
  const reasons = new Map()
  const began = performance.now()
  for (let round = -1; round < rounds; round++) {
    if (round >= 2 && performance.now() - began > seconds * 1000) break
    for (const one of cases) {
      if (reasons.has(one) || round >= (one.most ?? rounds)) continue
      try {
        if (round === 0) await one.beforeRounds?.()
        const started = performance.now()
        const own = await one.run()
        const elapsed = typeof own === 'number' ? own : performance.now() - started
        if (round >= 0) times.get(one).push(elapsed)
      } catch (error) {
        reasons.set(one, messageOf(error))
      }
    }
  }
  return cases.map((one) => {
    const { id, name, elements } = one
    const reason = reasons.get(one)
    if (reason !== undefined) return { id, name, elements, reason }
    const all = times.get(one)
    return { id, name, elements, milliseconds: median(all), best: Math.min(...all), rounds: all.length }
  })
}

export const messageOf = (error) => String(error?.message ?? error).split('\n')[0]
