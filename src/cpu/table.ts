import { sinusoidElements } from '../distributions/sinusoid.js'
import type { FillSource } from '../ir/job.js'
import type { PartGeometry } from '../ir/part.js'
import { partRuns } from '../plan/parts/geometry.js'

/** Elements [first, first + count) of a fixed table, or of a part of one, as float32 in a new array. */
export function tableElements(
  { distribution }: FillSource & { kind: 'table' },
  part: PartGeometry | undefined,
  first: number,
  count: number,
): Float32Array {
  if (part === undefined) return sinusoidElements(distribution, first, count)
  const out = new Float32Array(count)
  let done = 0
  for (const run of partRuns(part, first, count)) {
    out.set(sinusoidElements(distribution, run.first, run.count), done)
    done += run.count
  }
  return out
}
