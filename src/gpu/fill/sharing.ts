import type { FillJob } from '../../ir/job.js'

/** Elements of a job that may share a dispatch: larger ones are worth one of their own. */
const MOST_SHARED_ELEMENTS = 2 ** 15
/** Jobs that are worth a pipeline more. */
const LEAST_SHARING = 8

/**
 * The jobs that share dispatches: small ones, many of a kind in one buffer.
 * @param memoryOf the same for jobs of one buffer; false where a job has a buffer to itself
 */
export function sharingJobs(jobs: readonly FillJob[], memoryOf: (job: FillJob) => unknown): ReadonlySet<FillJob> {
  const groups = new Map<unknown, Map<string, FillJob[]>>()
  for (const job of jobs) {
    const kind = kindOf(job)
    const memory = kind === undefined ? false : memoryOf(job)
    if (kind === undefined || memory === false) continue
    const ofMemory = groups.get(memory) ?? new Map<string, FillJob[]>()
    groups.set(memory, ofMemory)
    const known = ofMemory.get(kind)
    if (known === undefined) ofMemory.set(kind, [job])
    else known.push(job)
  }
  const large = [...groups.values()].flatMap((kinds) => [...kinds.values()].filter((g) => g.length >= LEAST_SHARING))
  return new Set(large.flat())
}

/** What makes the elements of a job that can share; undefined for one that cannot. */
function kindOf({ source, elementCount, part, patches }: FillJob): string | undefined {
  if (elementCount > MOST_SHARED_ELEMENTS || part !== undefined || patches.length > 0) return undefined
  if (source.kind === 'constant') return source.kind
  return source.kind === 'sampler' && typeof source.sampler === 'string' ? source.sampler : undefined
}
