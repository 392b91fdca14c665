import { tableElements } from '../cpu/table.js'
import { byteWidth } from '../dtype.js'
import { show, WeightInitError } from '../errors.js'
import { sampleGenerator } from '../generators/sample.js'
import { TORCH_BLOCK } from '../generators/torch-cpu.js'
import type { GeneratorDraw, SimpleLaw, TorchCpuSource } from '../generators/types.js'
import type { FillJob, FillSource } from '../jobs.js'
import type { ResolvedOptions } from '../options.js'
import { mersenneStream } from '../random/mt19937.js'
import { USAGE_COPY_DST, USAGE_STORAGE, USAGE_UNIFORM } from './constants.js'
import { type DeviceState, requireAlive, untilLost } from './device-state.js'
import type { FillTarget } from './execute.js'
import {
  type GeneratorFields,
  generatorFields,
  generatorPipelineKey,
  isGiven,
  noFields,
  tablePipelineKey,
} from './generators.js'
import { jobLayout, packGenerator, writeJob } from './job-layout.js'
import { bindGroupLayout, type PipelineKey, pipeline, WORKGROUP_INVOCATIONS } from './pipelines.js'
import { withErrorScope } from './scopes.js'
import { alignUp } from './windows.js'

/** Elements per upload: a multiple of 16, and 4 MiB of words. */
const CHUNK_ELEMENTS = 2 ** 20
/** Uploads under way before the host waits: the queue keeps a copy of each. */
const CHUNKS_IN_FLIGHT = 8
/** What every device accepts as a binding offset. */
const BINDING_ALIGNMENT = 256

interface UploadedJob {
  readonly words: Uint32Array<ArrayBuffer>
  /** law.c of shaders/generators/torch_cpu_normal.wgsl. */
  readonly extra: readonly [tailStart: number, tailWords: number, shift: number]
}

/** The words that elements [first, first + count) of a draw need, in the order in which the shader looks for them. */
export function uploadedWords(draw: GeneratorDraw, first: number, count: number): UploadedJob {
  if (isGiven(draw)) {
    const values = sampleGenerator(draw, first, count).slice()
    return { words: new Uint32Array(values.buffer), extra: [0, 0, 0] }
  }
  const { law, origin } = draw as { law: SimpleLaw; origin: TorchCpuSource }
  const stream = mersenneStream(origin.seed)
  if (law.kind === 'uniform') {
    const words = new Uint32Array(count)
    stream.read(origin.position + first, words)
    return { words, extra: [0, 0, 0] }
  }
  // Where only the redone block is wanted, the upload begins a block earlier, so that the block's start is in it.
  const block = first - (first % TORCH_BLOCK)
  const begin = Math.max(0, block > origin.count - TORCH_BLOCK ? block - TORCH_BLOCK : block)
  const shift = first - begin
  const end = Math.min(Math.ceil((first + count) / TORCH_BLOCK) * TORCH_BLOCK, origin.count)
  const tail = origin.count - TORCH_BLOCK
  const redone = origin.count % TORCH_BLOCK !== 0 && first + count > tail
  const body = end - begin
  const words = new Uint32Array(body + (redone ? TORCH_BLOCK : 0))
  stream.read(origin.position + begin, words.subarray(0, body))
  if (!redone) return { words, extra: [0xffffffff, 0, shift] }
  stream.read(origin.position + origin.count, words.subarray(body))
  return { words, extra: [tail - begin, body, shift] }
}

type UploadedSource = (FillSource & { kind: 'table' }) | (GeneratorDraw & { kind: 'generator' })

/** The words of elements [start, start + count) of a job, and the fields of its uniform block. */
function prepare(
  job: FillJob,
  start: number,
  count: number,
): { words: Uint32Array<ArrayBuffer>; fields: GeneratorFields } {
  const source = job.source as UploadedSource
  const first = job.firstElement + start
  if (source.kind === 'table') {
    const values = tableElements(source, job.part, first, count)
    return { words: new Uint32Array(values.slice().buffer), fields: noFields }
  }
  const { words, extra } = uploadedWords(source, first, count)
  return { words, fields: { ...generatorFields(source, first), extra } }
}

/** The pipeline of a job whose words or values the host makes. */
export function uploadedPipelineKey({ source, dtype }: FillJob): PipelineKey {
  const uploaded = source as UploadedSource
  return uploaded.kind === 'table' ? tablePipelineKey(dtype) : generatorPipelineKey(uploaded, dtype)
}

/**
 * Fills targets whose words the host makes, and gives the bytes that are done: chunk after chunk, upload and dispatch, while the host makes the
 * next.
 */
export async function runUploadedJobs(
  state: DeviceState,
  targets: readonly FillTarget[],
  { signal, onProgress }: { readonly [K in 'signal' | 'onProgress']?: ResolvedOptions[K] | undefined },
  bytesTotal: number,
): Promise<number> {
  if (targets.length === 0) return 0
  const { device } = state
  const room = Math.min(CHUNK_ELEMENTS, Math.max(...targets.map(({ job }) => job.elementCount))) + 3 * TORCH_BLOCK
  const make = (label: string, size: number, usage: number): GPUBuffer => device.createBuffer({ label, size, usage })
  const uploaded = make('webgpu-init words', 4 * room, USAGE_STORAGE | USAGE_COPY_DST)
  const uniform = make('webgpu-init words job', jobLayout.byteLength, USAGE_UNIFORM | USAGE_COPY_DST)
  let bytesDone = 0
  let inFlight = 0
  try {
    for (const target of targets) {
      const { job, buffer, byteOffset } = target
      const compiled = await pipeline(state, uploadedPipelineKey(job))
      const width = byteWidth(job.dtype)
      for (let start = 0; start < job.elementCount; start += CHUNK_ELEMENTS) {
        signal?.throwIfAborted()
        requireAlive(state)
        const count = Math.min(CHUNK_ELEMENTS, job.elementCount - start)
        const { words, fields } = prepare(job, start, count)
        const from = byteOffset + start * width
        const offset = Math.floor(from / BINDING_ALIGNMENT) * BINDING_ALIGNMENT
        const block = new DataView(new ArrayBuffer(jobLayout.byteLength))
        writeJob(block, 0, packGenerator(fields, count, (from - offset) / 4))
        const { error } = withErrorScope(device, 'validation', () => {
          device.queue.writeBuffer(uniform, 0, block.buffer)
          device.queue.writeBuffer(uploaded, 0, words)
          const encoder = device.createCommandEncoder({ label: 'webgpu-init fill' })
          const pass = encoder.beginComputePass({ label: 'webgpu-init fill' })
          pass.setPipeline(compiled)
          const group = device.createBindGroup({
            label: 'webgpu-init words',
            layout: bindGroupLayout(state, 'uploaded'),
            entries: [
              { binding: 0, resource: { buffer, offset, size: alignUp(from + count * width, 4) - offset } },
              { binding: 1, resource: { buffer: uniform, size: jobLayout.byteLength } },
              { binding: 2, resource: { buffer: uploaded } },
            ],
          })
          pass.setBindGroup(0, group, [0])
          pass.dispatchWorkgroups(Math.ceil(count / (4 * WORKGROUP_INVOCATIONS)))
          pass.end()
          device.queue.submit([encoder.finish({ label: 'webgpu-init fill' })])
        })
        bytesDone += count * width
        const watched = signal !== undefined || onProgress !== undefined
        const problem = await untilLost(state, error)
        if (problem !== null) {
          throw new WeightInitError(
            'DEVICE_ERROR',
            `The device refused the work for ${show(job.name)}: ${problem.message}`,
            {
              cause: problem,
            },
          )
        }
        if (watched || ++inFlight % CHUNKS_IN_FLIGHT === 0) {
          await untilLost(state, device.queue.onSubmittedWorkDone())
          onProgress?.({ parameter: job.name, bytesDone, bytesTotal })
        }
      }
    }
    await untilLost(state, device.queue.onSubmittedWorkDone())
    requireAlive(state)
    return bytesDone
  } finally {
    uploaded.destroy()
    uniform.destroy()
  }
}
