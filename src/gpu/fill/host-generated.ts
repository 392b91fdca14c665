import { byteWidth } from '../../core/dtype.js'
import { show } from '../../core/errors.js'
import { tableElements } from '../../cpu/table.js'
import { TORCH_BLOCK } from '../../generators/torch/cpu.js'
import type { GeneratorDraw } from '../../ir/generator.js'
import type { FillJob, FillSource } from '../../ir/job.js'
import { USAGE_COPY_DST, USAGE_STORAGE, USAGE_UNIFORM } from '../device/constants.js'
import { type DeviceState, requireAlive } from '../device/device-state.js'
import { type RequestedMemory, requireMemory } from '../device/memory.js'
import { withErrorScope } from '../device/scopes.js'
import { submit } from '../device/submit.js'
import { SubmitBudget } from '../device/submit-budget.js'
import { alignUp } from '../device/windows.js'
import { bindGroup } from '../pipelines/bind-groups.js'
import { pipeline, pipelineName } from '../pipelines/pipelines.js'
import type { PipelineKey } from '../shaders/pipeline-key.js'
import {
  type GeneratorFields,
  generatorFields,
  generatorPipelineKey,
  hostWords,
  isHostGenerated,
  noFields,
  tablePipelineKey,
} from './generators.js'
import { hostWordsLayout, jobLayout } from './layouts.js'
import { packGenerator } from './pack-job.js'
import type { FillOptions } from './submit-fills.js'
import { byteLengthOf, type FillTarget } from './target.js'
import { WORKGROUP_INVOCATIONS } from './workgroups.js'

/** The largest number of elements per upload: a multiple of 16, for at most 4 MiB of words ... */
const MOST_ELEMENTS = 2 ** 20
/** ... and at most 1/256 of the weights, but never less than this, because the words need device memory of their own. */
const LEAST_ELEMENTS = 2 ** 16
/** A multiple of this number of bytes is a valid binding offset on every device. */
const BINDING_ALIGNMENT = 256

type HostGeneratedSource = (FillSource & { kind: 'table' }) | (GeneratorDraw & { kind: 'generator' })

/** The words of elements [start, start + count) of a job, and the fields of its uniform block. */
function uploadOf(
  job: FillJob,
  start: number,
  count: number,
): { words: Uint32Array<ArrayBuffer>; fields: GeneratorFields } {
  const source = job.source as HostGeneratedSource
  const first = job.firstElement + start
  if (source.kind === 'table') {
    const values = tableElements(source, job.part, first, count)
    return { words: new Uint32Array(values.slice().buffer), fields: noFields }
  }
  const { words, extra } = hostWords(source, first, count)
  return { words, fields: { ...generatorFields(source, first), extra } }
}

/** Whether the host makes a job's words or values. */
export const isHostGeneratedJob = ({ source }: FillJob): boolean =>
  source.kind === 'table' || (source.kind === 'generator' && isHostGenerated(source))

/** The pipeline of a job whose words or values the host makes. */
function hostGeneratedPipelineKey({ source, dtype }: FillJob): PipelineKey {
  const uploaded = source as HostGeneratedSource
  return uploaded.kind === 'table' ? tablePipelineKey(dtype) : generatorPipelineKey(uploaded, dtype, false)
}

/**
 * Fills the targets for which the host makes the words or the values. Each piece is uploaded and dispatched in one submit,
 * within the submit budget. While the device works on a piece, the host makes the words of the next one. Only one submit
 * runs at a time, so that an abort waits for at most that one. Resolves when the device has done the work. Progress is
 * reported relative to all targets.
 */
export async function runHostGeneratedJobs(
  state: DeviceState,
  all: readonly FillTarget[],
  { signal, onProgress }: FillOptions,
): Promise<void> {
  const targets = all.filter(({ job }) => isHostGeneratedJob(job))
  if (targets.length === 0) return
  const bytesTotal = all.reduce((sum, target) => sum + byteLengthOf(target), 0)
  let bytesDone = all.reduce((sum, target) => sum + (target.filled === true ? byteLengthOf(target) : 0), 0)
  const uploader = new Uploader(state, targets, signal !== undefined || onProgress !== undefined)
  let parameter = ''
  let running: { readonly done: Promise<void>; readonly byteLength: number } | undefined
  const settle = async (): Promise<void> => {
    if (running === undefined) return
    const { done, byteLength } = running
    running = undefined
    await done
    bytesDone += byteLength
    onProgress?.({ parameter, bytesDone, bytesTotal })
  }
  try {
    await uploader.requireMemory()
    for (const target of targets) {
      const { job } = target
      const compiled = await pipeline(state, hostGeneratedPipelineKey(job))
      for (let start = 0; start < job.elementCount; ) {
        signal?.throwIfAborted()
        requireAlive(state)
        const piece = uploader.prepare(target, start)
        await settle()
        signal?.throwIfAborted()
        parameter = job.name
        running = { done: uploader.submit(target, compiled, piece), byteLength: piece.count * byteWidth(job.dtype) }
        start += piece.count
      }
    }
    await settle()
    requireAlive(state)
  } finally {
    uploader.destroy()
  }
}

interface Piece {
  readonly words: Uint32Array<ArrayBuffer>
  readonly fields: GeneratorFields
  readonly start: number
  readonly count: number
  readonly budget: SubmitBudget
}

/** The buffers through which the pieces are uploaded. */
class Uploader {
  readonly #state: DeviceState
  readonly #most: number
  readonly #words: GPUBuffer
  readonly #wordsMemory: RequestedMemory
  readonly #uniform: GPUBuffer
  /** Two budgets, because the next piece is prepared while the previous one is running. */
  readonly #budgets: readonly [SubmitBudget, SubmitBudget]
  #piece = 0

  constructor(state: DeviceState, targets: readonly FillTarget[], watched: boolean) {
    const { device } = state
    const bytes = targets.reduce((sum, target) => sum + byteLengthOf(target), 0)
    const largest = Math.max(...targets.map(({ job }) => job.elementCount))
    const share = Math.max(LEAST_ELEMENTS, Math.floor(bytes / 256 / 4 / TORCH_BLOCK) * TORCH_BLOCK)
    this.#state = state
    this.#most = Math.min(MOST_ELEMENTS, share)
    this.#budgets = [new SubmitBudget(state.speed, watched), new SubmitBudget(state.speed, watched)]
    const size = 4 * (Math.min(this.#most, largest) + 3 * TORCH_BLOCK)
    const made = withErrorScope(device, 'out-of-memory', () =>
      device.createBuffer({ label: 'webgpu-init words', size, usage: USAGE_STORAGE | USAGE_COPY_DST }),
    )
    this.#words = made.result
    const purpose = `to upload the random words of ${show(targets[0]!.job.name)}`
    this.#wordsMemory = { error: made.error, byteLength: size, purpose }
    this.#uniform = device.createBuffer({
      label: 'webgpu-init words job',
      size: jobLayout.byteLength,
      usage: USAGE_UNIFORM | USAGE_COPY_DST,
    })
  }

  /** @throws OutOfMemoryError naming the first parameter that needs the words */
  requireMemory(): Promise<void> {
    return requireMemory(this.#state, this.#wordsMemory)
  }

  /** Makes the words of the next piece of a target. */
  prepare({ job }: FillTarget, start: number): Piece {
    const budget = this.#budgets[this.#piece++ % 2]!
    const id = pipelineName(hostGeneratedPipelineKey(job))
    const count = budget.take(id, Math.min(this.#most, job.elementCount - start))
    return { ...uploadOf(job, start, count), start, count, budget }
  }

  /** Uploads and dispatches a piece. Resolves when the device has done the work. */
  submit(
    { job, buffer, byteOffset }: FillTarget,
    compiled: GPUComputePipeline,
    { words, fields, start, count, budget }: Piece,
  ): Promise<void> {
    const { device } = this.#state
    const width = byteWidth(job.dtype)
    const from = byteOffset + start * width
    const offset = Math.floor(from / BINDING_ALIGNMENT) * BINDING_ALIGNMENT
    const block = new DataView(new ArrayBuffer(jobLayout.byteLength))
    packGenerator({ view: block, at: 0 }, fields, count, (from - offset) / 4)
    const work = { label: 'webgpu-init fill', subject: show(job.name) }
    const finished = submit(this.#state, work, (pass) => {
      device.queue.writeBuffer(this.#uniform, 0, block.buffer)
      device.queue.writeBuffer(this.#words, 0, words)
      const group = bindGroup(this.#state, 'webgpu-init words', hostWordsLayout, [
        { buffer, offset, size: alignUp(from + count * width, 4) - offset },
        { buffer: this.#uniform, size: jobLayout.byteLength },
        { buffer: this.#words },
      ])
      pass.setPipeline(compiled)
      pass.setBindGroup(0, group, [0])
      pass.dispatchWorkgroups(Math.ceil(count / (4 * WORKGROUP_INVOCATIONS)))
    }).then((milliseconds) => budget.done(milliseconds))
    // The caller may fail for another reason before it waits for this promise.
    finished.catch(() => {})
    return finished
  }

  destroy(): void {
    this.#words.destroy()
    this.#uniform.destroy()
  }
}
