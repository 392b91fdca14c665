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
  /** The name under which the measured speed of the pipeline is stored. */
  readonly pipelineId: string
  /** The pipelines of the job's patches. */
  readonly patchPipeline: (patch: Patch) => GPUComputePipeline
}

/**
 * A job, the pipelines that run it, and the place of its elements. If the job shares dispatches, its pipeline takes many jobs
 * per dispatch (shaders/core/jobs.wgsl), and the job has neither a part nor patches.
 */
export interface FillWork extends FillTarget, FillPipelines {}

/** A piece of a window, a patch on such a piece, or the windows of several jobs with one row of workgroups each. */
export interface FillDispatch {
  readonly pipeline: GPUComputePipeline
  readonly buffer: GPUBuffer
  readonly binding: Binding
  readonly layout: BindingLayout
  /** Byte offsets of the dispatch's uniform blocks. */
  readonly blocks: readonly number[]
  /** The number of iterations of the longest job. */
  iterations: number
  rows: number
}

/** The work of one submit. */
export interface FillBatch {
  readonly dispatches: readonly FillDispatch[]
  /** Bytes of the targets that this batch completes. */
  readonly bytes: number
  /** The parameter to which the last elements of the batch belong. */
  readonly parameter: string
}

/** Moves the small jobs that may share dispatches to the place of the first of them. */
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

/** The windows of all targets, divided into pieces as the budget allows. */
export class WindowQueue {
  /** The number of dispatches, if no submit ends inside a window. */
  readonly dispatchCount: number
  readonly #windows: readonly { readonly work: FillWork; readonly window: BindingWindow }[]
  #next = 0
  #done = 0
  /** The patches of the piece that was returned last. They come next. */
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

  /** Packs the blocks of the next submit, with as much work as the budget allows. */
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
