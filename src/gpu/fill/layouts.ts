// What the fill shaders read: the uniform block of a job, and the buffers and constants of their pipelines.
import { type BindingLayout, uniformBlocks } from '../shaders/pipeline-key.js'
import { partLayout } from './part-layout.js'
import { WORKGROUP_INVOCATIONS } from './workgroups.js'

/** Byte offsets of `Job` in shaders/core/job.wgsl. A test reads the offsets from the shader and compares them. */
export const jobLayout = {
  key: 0,
  counter: 8,
  block: 16,
  elementCount: 24,
  shift: 28,
  constants: 32,
  firstWord: 80,
  zero: 84,
  byteLength: 96,
} as const

/** The largest number of jobs in one dispatch: the length of the array in shaders/core/jobs.wgsl. A test compares them. */
export const MOST_SHARING = 160

const output = { type: 'storage' } as const
const job = /* @__PURE__ */ uniformBlocks(jobLayout)
const part = /* @__PURE__ */ uniformBlocks(partLayout)
const jobs = /* @__PURE__ */ uniformBlocks(jobLayout, MOST_SHARING)

/** Every dispatch has one job. */
export const fillLayout: BindingLayout = { name: 'fill', entries: [output, job] }
/** As above, with the part of the tensor that the job fills. */
export const fillPartLayout: BindingLayout = { name: 'fill-part', entries: [output, job, part] }
/** A dispatch has many jobs. */
export const fillSharingLayout: BindingLayout = { name: 'fill-sharing', entries: [output, jobs] }
/** The host makes the random words or the values, which are an input buffer. */
export const hostWordsLayout: BindingLayout = {
  name: 'host words',
  entries: [output, job, { type: 'read-only-storage' }],
}

/** The constants of every fill pipeline. */
export const fillConstants: Readonly<Record<string, number>> = { WORKGROUP_INVOCATIONS }
