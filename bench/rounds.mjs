/** The median of an array of times. */
export const median = (times) => [...times].sort((a, b) => a - b)[times.length >> 1]

/**
 * Runs cases in interleaved rounds (A B C A B C ...), so that a change of the machine's speed affects all rows equally. A case
 * is `{ id, name, elements, run }`. If `run` resolves to a number, this is its time in milliseconds, measured by another
 * process. `most` is the largest number of rounds for a slow case. The first round is a warm-up and is not counted. A case
 * that throws is not run again, and its row has the reason.
 *
 * @param seconds after this time no further round begins, unless there are fewer than two
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
