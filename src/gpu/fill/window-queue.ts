import { byteWidth } from '../../core/dtype.js'
import type { Patch } from '../../ir/job.js'
import type { SubmitBudget } from '../device/submit-budget.js'
import { type Binding, type BindingWindow, bindingWindows } from '../device/windows.js'
import type { BindingLayout } from '../shaders/pipeline-key.js'
import { fillLayout, fillPartLayout, fillSharingLayout, MOST_SHARING } from './layouts.js'
import { type FillWindow, packPatch, packSource } from './pack-job.js'
import type { FillTarget } from './target.js'
import type { UniformBlocks } from './uniform-blocks.js'

/** The pipelines that run a job. */
export interface FillPipelines {
  readonly pipeline: GPUComputePipeline
  /** Names the pipeline in what is learnt about the device's speed. */
  readonly pipelineId: string
  /** The pipelines of the job's patches. */
  readonly patchPipeline: (patch: Patch) => GPUComputePipeline
}

/**
 * A job, the pipelines that run it, and the place for its elements. Where it shares dispatches, its pipeline takes many jobs a
 * dispatch (shaders/core/jobs.wgsl), and the job has neither part nor patches.
 */
export interface FillWork extends FillTarget, FillPipelines {}

/** A piece of a window, or of a patch on it; or the windows of several jobs, a row of workgroups each. */
export interface FillDispatch {
  readonly pipeline: GPUComputePipeline
  readonly buffer: GPUBuffer
  readonly binding: Binding
  readonly layout: BindingLayout
  /** Byte offsets of its uniform blocks. */
  readonly blocks: readonly number[]
  /** Of the job that has most. */
  iterations: number
  rows: number
}

/** What goes into one submit. */
export interface FillBatch {
  readonly dispatches: readonly FillDispatch[]
  /** Bytes that are finished with it. */
  readonly bytes: number
  /** The parameter that its last elements belong to. */
  readonly parameter: string
}

/** Small jobs that may share dispatches are brought together, where the first of them is. */
function sharersTogether(work: readonly FillWork[]): FillWork[] {
  const groups = new Map<unknown, Map<string, FillWork[]>>()
  const ordered: FillWork[][] = []
  for (const one of work) {
    const { buffer, pipelineId } = one
    const group = one.sharing ? groups.get(buffer)?.get(pipelineId) : undefined
    if (group !== undefined) {
      group.push(one)
      continue
    }
    const opened = [one]
    ordered.push(opened)
    if (!one.sharing) continue
    const ofBuffer = groups.get(buffer) ?? new Map<string, FillWork[]>()
    groups.set(buffer, ofBuffer.set(pipelineId, opened))
  }
  return ordered.flat()
}

/** The windows of all targets, handed out in pieces as the budget allows. */
export class WindowQueue {
  /** At most so many dispatches, but for windows that a submit cuts. */
  readonly dispatchCount: number
  readonly #windows: readonly { readonly work: FillWork; readonly window: BindingWindow }[]
  #next = 0
  #done = 0
  /** Patches of the piece handed out last: they come next. */
  #patches: { work: FillWork; patch: Patch; binding: Binding; span: FillWindow }[] = []

  constructor(work: readonly FillWork[], limits: GPUSupportedLimits) {
    this.#windows = sharersTogether(work).flatMap((one) =>
      bindingWindows(
        {
          bufferByteLength: one.buffer.size,
          byteOffset: one.byteOffset,
          elementCount: one.job.elementCount,
          byteWidth: byteWidth(one.job.dtype),
        },
        limits,
      ).map((window) => ({ work: one, window })),
    )
    this.dispatchCount = this.#windows.reduce((sum, { work }) => sum + 1 + work.job.patches.length, 0)
  }

  get empty(): boolean {
    return this.#next >= this.#windows.length && this.#patches.length === 0
  }

  /** Packs the blocks of as much work as a submit may have. */
  next(budget: SubmitBudget, blocks: UniformBlocks): FillBatch {
    const dispatches: FillDispatch[] = []
    let bytes = 0
    let parameter = ''
    blocks.clear()
    while (!this.empty) {
      const patch = this.#patches[0]
      if (patch !== undefined) {
        if (!blocks.hasRoom) break
        this.#patches.shift()
        const place = blocks.add()
        const iterations = packPatch(place, patch.patch, patch.span)
        if (iterations === 0) continue
        budget.add(1)
        const { buffer, patchPipeline, job } = patch.work
        const pipeline = patchPipeline(patch.patch)
        const { binding } = patch
        dispatches.push({ pipeline, buffer, binding, layout: fillLayout, blocks: [place.at], iterations, rows: 1 })
        parameter = job.name
        continue
      }
      const { work, window } = this.#windows[this.#next]!
      const { job, pipeline, buffer } = work
      const { binding } = window
      const last = dispatches.at(-1)
      const joins =
        work.sharing === true &&
        last?.layout === fillSharingLayout &&
        last.pipeline === pipeline &&
        last.buffer === buffer &&
        last.binding.offset === binding.offset &&
        last.rows < MOST_SHARING &&
        blocks.hasRoomBehind
      if (!joins && !blocks.hasRoom) break
      const left = window.count - this.#done
      const count = work.filled ? left : budget.take(work.pipelineId, left, joins ? 0 : 1)
      if (count === 0) break
      const width = byteWidth(job.dtype)
      const start = window.start + this.#done
      const span = { job, start, count, firstWord: window.firstWord + (this.#done * width) / 4 }
      if (!work.filled) {
        const place = blocks.add(joins)
        const iterations = packSource(place, span)
        if (joins) {
          last.rows++
          last.iterations = Math.max(last.iterations, iterations)
        } else {
          const part = job.part === undefined ? [] : [blocks.addPart(job.part, job.firstElement + start)]
          const layout = work.sharing ? fillSharingLayout : job.part === undefined ? fillLayout : fillPartLayout
          dispatches.push({ pipeline, buffer, binding, layout, blocks: [place.at, ...part], iterations, rows: 1 })
        }
        bytes += count * width
        parameter = job.name
      }
      this.#patches = job.patches.map((one) => ({ work, patch: one, binding, span }))
      this.#done += count
      if (this.#done === window.count) {
        this.#next++
        this.#done = 0
      }
    }
    return { dispatches, bytes, parameter }
  }
}
