// What the fill shaders see: the uniform block of a job, the buffers and the constants of their pipelines.
import { type BindingLayout, uniformBlocks } from '../shaders/pipeline-key.js'
import { partLayout } from './part-layout.js'
import { WORKGROUP_INVOCATIONS } from './workgroups.js'

/** Byte offsets of `Job` in shaders/core/job.wgsl. A test reads them out of the shader and compares. */
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

/** Jobs of one dispatch, at most: the array of shaders/core/jobs.wgsl. A test compares. */
export const MOST_SHARING = 160

const output = { type: 'storage' } as const
const job = /* @__PURE__ */ uniformBlocks(jobLayout)
const part = /* @__PURE__ */ uniformBlocks(partLayout)
const jobs = /* @__PURE__ */ uniformBlocks(jobLayout, MOST_SHARING)

/** A job of its own for every dispatch. */
export const fillLayout: BindingLayout = { name: 'fill', entries: [output, job] }
/** And the part of the tensor that it fills. */
export const fillPartLayout: BindingLayout = { name: 'fill-part', entries: [output, job, part] }
/** Many jobs a dispatch. */
export const fillSharingLayout: BindingLayout = { name: 'fill-sharing', entries: [output, jobs] }
/** Words or values that the host makes, as an input. */
export const hostWordsLayout: BindingLayout = {
  name: 'host words',
  entries: [output, job, { type: 'read-only-storage' }],
}

/** The constants of every fill pipeline. */
export const fillConstants: Readonly<Record<string, number>> = { WORKGROUP_INVOCATIONS }
