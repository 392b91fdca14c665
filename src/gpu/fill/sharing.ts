import type { FillJob } from '../../ir/job.js'

/** Jobs with more elements than this get a dispatch of their own. */
const MOST_SHARED_ELEMENTS = 2 ** 15
/** A separate pipeline for sharing pays only from this number of jobs on. */
const LEAST_SHARING = 8

/**
 * The jobs that share dispatches: small jobs of which a buffer has many of the same kind.
 * @param memoryOf returns the same value for all jobs of one buffer, and false for a job with a buffer of its own
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

/** The kind of a job that can share, from what makes its elements; undefined for a job that cannot share. */
function kindOf({ source, elementCount, part, patches }: FillJob): string | undefined {
  if (elementCount > MOST_SHARED_ELEMENTS || part !== undefined || patches.length > 0) return undefined
  if (source.kind === 'constant') return source.kind
  return source.kind === 'sampler' && typeof source.sampler === 'string' ? source.sampler : undefined
}
