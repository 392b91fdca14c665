import type { Patch } from '../../ir/job.js'
import type { DeviceState } from '../device/device-state.js'
import { pipeline, pipelineName } from '../pipelines/pipelines.js'
import { hasWholeQuads, type PipelineKey, storeSlots } from '../shaders/pipeline-key.js'
import { generatorPipelineKey, tablePipelineKey } from './generators.js'
import { fillConstants, fillLayout, fillPartLayout, fillSharingLayout } from './layouts.js'
import type { PlacedJob } from './target.js'
import type { FillPipelines } from './window-queue.js'

const constantKey: PipelineKey = { entry: 'fill/constant', layout: fillLayout, constants: fillConstants }
const diagonalKey: PipelineKey = { entry: 'fill/diagonal', layout: fillLayout, constants: fillConstants }

const patchKey = ({ kind }: Patch): PipelineKey => (kind === 'range' ? constantKey : diagonalKey)

function sourceKey(placed: PlacedJob): PipelineKey {
  const key = ownKey(placed)
  return placed.sharing ? { ...key, slots: { ...key.slots, job: 'core/jobs' }, layout: fillSharingLayout } : key
}

/** The pipeline of a job that has a dispatch of its own. */
function ownKey({ job, byteOffset }: PlacedJob): PipelineKey {
  const { source, dtype, part } = job
  const wholeQuads = hasWholeQuads(job, byteOffset)
  if (source.kind === 'constant') return constantKey
  if (source.kind === 'generator') return generatorPipelineKey(source, dtype, wholeQuads)
  if (source.kind === 'orthogonal') throw new TypeError('an orthogonal distribution has no pipeline of its own')
  if (source.kind === 'table') return tablePipelineKey(dtype)
  const store = storeSlots(dtype, wholeQuads)
  const entry = part === undefined ? 'fill/fill' : 'fill/fill_part'
  const fill = { entry, layout: part === undefined ? fillLayout : fillPartLayout, constants: fillConstants }
  const { sampler } = source
  return typeof sampler === 'string'
    ? { ...fill, slots: { sampler: `distributions/${sampler}`, ...store } }
    : { ...fill, slots: { sampler: `custom/${sampler.name} adapter`, ...store }, custom: sampler }
}

/** Finds the compiled pipelines of a job. The job must be one of those that were passed to `compileFills`. */
export type PipelinesOf = (placed: PlacedJob) => FillPipelines

/** Compiles every pipeline that the jobs need, in parallel. */
export async function compileFills(state: DeviceState, placed: readonly PlacedJob[]): Promise<PipelinesOf> {
  const keys = new Map<string, PipelineKey>()
  const sourceNames = new Map<PlacedJob, string>()
  // A model may have thousands of parameters, but only a few kinds of them.
  const nameOfKind = new Map<string, string>()
  const add = (key: PipelineKey): string => {
    const name = pipelineName(key)
    keys.set(name, key)
    return name
  }
  for (const one of placed) {
    const kind = pipelineKind(one)
    const name = nameOfKind.get(kind) ?? (one.job.source.kind === 'orthogonal' ? undefined : add(sourceKey(one)))
    if (name !== undefined) sourceNames.set(one, name)
    if (name !== undefined && kind !== '') nameOfKind.set(kind, name)
    for (const patch of one.job.patches) add(patchKey(patch))
  }
  const compiled = new Map(
    await Promise.all([...keys].map(async ([name, key]) => [name, await pipeline(state, key)] as const)),
  )
  const patchPipeline: FillPipelines['patchPipeline'] = (patch) => compiled.get(pipelineName(patchKey(patch)))!
  return (one) => {
    // An orthogonal job has no pipeline: its matrices are made before its patches are dispatched.
    const pipelineId = sourceNames.get(one) ?? ''
    return { pipelineId, pipeline: compiled.get(pipelineId)!, patchPipeline }
  }
}

/** A text that is equal for jobs with the same pipeline, or '' if the pipeline has to be determined from the whole job. */
function pipelineKind({ job: { source, dtype, part, elementCount }, byteOffset, sharing }: PlacedJob): string {
  if (source.kind !== 'sampler' || typeof source.sampler !== 'string') return ''
  const wholeQuads = hasWholeQuads({ elementCount, dtype }, byteOffset)
  return `${source.sampler} ${dtype} ${wholeQuads} ${part !== undefined} ${sharing === true}`
}
