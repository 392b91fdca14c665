import { byteWidth, type FloatDType } from '../dtype.js'
import { OutOfMemoryError, WeightInitError } from '../errors.js'
import { checkMatrixShape, type MatrixShape } from '../linalg/shape.js'
import type { GpuRegion } from './allocate.js'
import { MAP_MODE_READ, USAGE_COPY_DST, USAGE_COPY_SRC, USAGE_MAP_READ, USAGE_STORAGE } from './constants.js'
import { type DeviceState, requireAlive, untilLost } from './device-state.js'
import { jobLayout } from './job-layout.js'
import { type Dispatch, LARGEST, packTask, runDispatches, SUBTRACT, type Task, UPPER, type View } from './linalg.js'
import { pipeline } from './pipelines.js'
import { withErrorScope } from './scopes.js'
import { alignUp } from './windows.js'

// Q of the QR factorisation, on the GPU.
//
// 1. Block Gram-Schmidt, right-looking: panels of 32 columns, each made orthonormal by two rounds of Cholesky QR (the
//    Gram matrix's Cholesky factor with floored pivots), then projected out of everything to its right.
// 2. What orthogonality that loses (eps times the condition number: 1e-4 for the last columns of a square matrix) is won
//    back by corrections of first order, Q W with W = D (I - striu(D Q^T Q D)): W is upper triangular with a positive
//    diagonal, so the result is still the Q of the same matrix with a positive diagonal of R. One is enough for most
//    matrices; the host reads 16 bytes a matrix to know.
// All sums have a fixed order and no step depends on timing: a device gives the same bits every time.
//
// Columns that depend on earlier ones are rounding noise after step 1: as with Householder's method their directions are
// arbitrary, but orthonormal. A column that vanishes altogether gets a pseudo-random direction, and step 1 runs again.

const PANEL = 32
const PANEL_QUADS = PANEL / 4
const ROUNDS = 2
/** Rows summed by one workgroup; more, where that would give more than MAX_SPLITS parts. */
const CHUNK = 256
const MAX_SPLITS = 64
/** Rows of one short sum of squares. */
const SHORT = 64
/** Squared off-diagonal norm up to which a correction of first order leaves less than half the promised 2e-6. */
const GOOD_ENOUGH = 5e-7
/** Above this the corrections would converge slowly or not at all: factorise again. */
const FAR_OFF = 0.1
const MAX_CORRECTIONS = 6
const MAX_FACTORISATIONS = 4
/** Scratch memory per group of matrices; one matrix may need more. */
const SCRATCH_BYTES = 256 * 2 ** 20
const MAX_GROUPS = 65535
const LABEL = 'webgpu-init orthogonal'

export interface DTypedRegion extends GpuRegion {
  readonly dtype: FloatDType
}

type Kernel = 'gram' | 'product' | 'sum' | 'squares' | 'cholesky' | 'correction' | 'worst' | 'revive'

/** Sizes of a group of padded tall matrices; strides and sizes in vec4s where they say quads. */
interface Layout {
  readonly batch: number
  /** Real sizes of a tall matrix. */
  readonly m: number
  readonly n: number
  readonly wide: boolean
  readonly rows: number
  readonly columns: number
  readonly quads: number
  readonly matrix: number
  readonly chunk: number
  readonly splits: number
  readonly short: number
  readonly shorts: number
  /** Blocks of 32 columns, and the quads of a Gram matrix with its record of squares behind it. */
  readonly blocks: number
  readonly gram: number
}

function layoutOf({ batch, rows, cols }: MatrixShape): Layout {
  const wide = rows < cols
  const m = wide ? cols : rows
  const n = wide ? rows : cols
  const padded = alignUp(m, PANEL)
  const columns = alignUp(n, PANEL)
  const quads = columns / 4
  const chunk = Math.max(CHUNK, alignUp(Math.ceil(padded / MAX_SPLITS), 4))
  const short = Math.max(SHORT, Math.ceil(padded / 1024))
  const blocks = columns / PANEL
  return {
    batch,
    m,
    n,
    wide,
    rows: padded,
    columns,
    quads,
    matrix: padded * quads,
    chunk,
    splits: Math.ceil(padded / chunk),
    short,
    shorts: Math.ceil(padded / short),
    blocks,
    gram: columns * quads + blocks * quads,
  }
}

/** Scratch buffers of a group, in vec4s. */
function scratchQuads(
  l: Layout,
): Record<'first' | 'second' | 'panel' | 'parts' | 'projection' | 'gram' | 'lengths' | 'worst', number> {
  return {
    first: l.batch * l.matrix,
    second: l.batch * l.matrix,
    panel: l.batch * l.rows * PANEL_QUADS,
    parts: l.batch * Math.max(l.splits * PANEL * l.quads, l.shorts * l.quads),
    projection: l.batch * PANEL * Math.max(l.quads, PANEL_QUADS),
    gram: l.batch * l.gram,
    lengths: l.batch * l.quads,
    worst: l.batch,
  }
}

/**
 * How many matrices are worked on at a time.
 * @throws WeightInitError `LIMIT_EXCEEDED` when a single one does not fit this device's bindings
 */
function groupSize(state: DeviceState, shape: MatrixShape): number {
  const one = layoutOf({ ...shape, batch: 1 })
  const sizes = Object.values(scratchQuads(one)).map((quads) => 16 * quads)
  const { maxStorageBufferBindingSize, maxBufferSize } = state.device.limits
  // Bindings of source and target begin at an aligned offset before their matrices.
  const limit = Math.min(maxStorageBufferBindingSize, maxBufferSize) - 256
  const largest = Math.max(...sizes)
  // Groups begin at whole words in every dtype.
  const step = shape.batch > 1 && (shape.rows * shape.cols) % 2 === 1 ? 2 : 1
  if (step * largest > limit) {
    throw new WeightInitError(
      'LIMIT_EXCEEDED',
      `orthogonal: a ${shape.rows} x ${shape.cols} matrix needs a scratch buffer of ${step * largest} bytes; this device ` +
        `binds ${limit}. Request the device with a larger requiredLimits.maxStorageBufferBindingSize, or use the CPU.`,
    )
  }
  const total = sizes.reduce((sum, size) => sum + size, 0)
  const fitting = Math.min(
    Math.floor(limit / largest),
    Math.floor(SCRATCH_BYTES / total),
    Math.floor(MAX_GROUPS / one.splits),
  )
  return fitting >= shape.batch ? shape.batch : Math.max(step, Math.floor(fitting / step) * step)
}

/** Bytes of GPU memory that the call needs beside source and target; destroyed when it ends. */
export function orthogonalScratchBytes(state: DeviceState, shape: MatrixShape): number {
  if (shape.batch * shape.rows * shape.cols === 0) return 0
  const group = layoutOf({ ...shape, batch: groupSize(state, shape) })
  return Object.values(scratchQuads(group)).reduce((sum, quads) => sum + 16 * quads, 0)
}

class Worker {
  readonly state: DeviceState
  readonly layout: Layout
  readonly buffers: Record<keyof ReturnType<typeof scratchQuads>, GPUBuffer>
  readonly #kernels: ReadonlyMap<Kernel, GPUComputePipeline>
  readonly #signal: AbortSignal | undefined

  constructor(
    state: DeviceState,
    layout: Layout,
    buffers: Worker['buffers'],
    kernels: ReadonlyMap<Kernel, GPUComputePipeline>,
    signal: AbortSignal | undefined,
  ) {
    this.state = state
    this.layout = layout
    this.buffers = buffers
    this.#kernels = kernels
    this.#signal = signal
  }

  run(dispatches: readonly Dispatch[]): Promise<void> {
    return runDispatches(this.state, LABEL, dispatches, this.#signal)
  }

  #step(
    kernel: Kernel,
    task: Task,
    [output, a, b = a]: readonly [GPUBuffer, GPUBuffer, GPUBuffer?],
    grid: readonly [number, number, number],
    cost: number,
  ): Dispatch {
    return {
      pipeline: this.#kernels.get(kernel)!,
      record: packTask(task),
      output: { buffer: output },
      a: { buffer: a },
      b: { buffer: b },
      grid,
      cost,
    }
  }

  /** Step 1 of the method: `from` is used up, `to` receives the columns. */
  factorise(from: GPUBuffer, to: GPUBuffer): Dispatch[] {
    const { batch, rows, quads, matrix, chunk, splits } = this.layout
    const { panel, parts, projection } = this.buffers
    const work: Dispatch[] = []
    const panelCost = batch * rows * PANEL * PANEL
    for (let first = 0; first < quads; first += PANEL_QUADS) {
      const steps: readonly [GPUBuffer, number, number, number, GPUBuffer, number, number, number][] = [
        [from, first, quads, matrix, panel, 0, PANEL_QUADS, rows * PANEL_QUADS],
        [panel, 0, PANEL_QUADS, rows * PANEL_QUADS, to, first, quads, matrix],
      ]
      for (const [a, aOffset, aStride, aBatch, c, cOffset, cStride, cBatch] of steps.slice(-ROUNDS)) {
        const small = PANEL * PANEL_QUADS
        work.push(
          this.#step(
            'gram',
            {
              ...{ aOffset, aStride, aBatch, bOffset: aOffset, bStride: aStride, bBatch: aBatch },
              ...{ cStride: PANEL_QUADS, cBatch: splits * small, splitStride: small, splits, chunk },
              ...{ rows: PANEL, columns: PANEL_QUADS, depth: rows },
            },
            [parts, a],
            [1, 1, batch * splits],
            panelCost,
          ),
          this.#step(
            'cholesky',
            {
              ...{ aStride: PANEL_QUADS, aBatch: splits * small, splitStride: small, splits },
              ...{ cStride: PANEL_QUADS, cBatch: small },
            },
            [projection, parts],
            [1, 1, batch],
            batch * PANEL ** 3,
          ),
          this.#step(
            'product',
            {
              ...{ aOffset, aStride, aBatch, bStride: PANEL_QUADS, bBatch: small, cOffset, cStride, cBatch },
              ...{ rows, columns: PANEL_QUADS, depth: PANEL },
            },
            [c, a, projection],
            [1, rows / 32, batch],
            panelCost,
          ),
        )
      }
      const right = first + PANEL_QUADS
      const columns = quads - right
      if (columns === 0) break
      const size = PANEL * columns
      const shared = { aOffset: first, aStride: quads, aBatch: matrix }
      const trailing = { bOffset: right, bStride: quads, bBatch: matrix }
      work.push(
        this.#step(
          'gram',
          {
            ...{ ...shared, ...trailing, rows: PANEL, columns, depth: rows },
            ...{ cStride: columns, cBatch: splits * size, splitStride: size, splits, chunk },
          },
          [parts, to, from],
          [Math.ceil(columns / 16), 1, batch * splits],
          batch * rows * size * 4,
        ),
        this.#step(
          'sum',
          {
            ...{ aStride: columns, aBatch: splits * size, splitStride: size, splits },
            ...{ cStride: columns, cBatch: size, columns },
          },
          [projection, parts],
          [Math.ceil(columns / 32), PANEL, batch],
          batch * splits * size,
        ),
        this.#step(
          'product',
          {
            ...{ ...shared, bStride: columns, bBatch: size, rows, columns, depth: PANEL, flags: SUBTRACT },
            ...{ cOffset: right, cStride: quads, cBatch: matrix },
          },
          [from, to, projection],
          [Math.ceil(columns / 16), rows / 32, batch],
          batch * rows * size * 4,
        ),
      )
    }
    return work
  }

  /** The Gram matrix of `q`, turned into a correction; leaves the record of what it found in `worst`. */
  measure(q: GPUBuffer, flags = 0): Dispatch[] {
    const { batch, n, rows, columns, quads, matrix, short, shorts, blocks, gram: gramSize } = this.layout
    const { parts, gram, lengths, worst } = this.buffers
    const cost = (batch * rows * columns * columns) / 2
    const lanes = Math.ceil(quads / 32)
    return [
      this.#step(
        'gram',
        {
          ...{ aStride: quads, aBatch: matrix, bStride: quads, bBatch: matrix, cStride: quads, cBatch: gramSize },
          ...{ rows: columns, columns: quads, depth: rows, chunk: rows, splits: 1, flags: UPPER },
        },
        [gram, q],
        [Math.ceil(quads / 16), blocks, batch],
        cost,
      ),
      this.#step(
        'squares',
        {
          ...{ aStride: quads, aBatch: matrix, cStride: quads, cBatch: shorts * quads },
          ...{ columns: quads, depth: rows, chunk: short },
        },
        [parts, q],
        [lanes, shorts, batch],
        batch * rows * columns,
      ),
      this.#step(
        'sum',
        { aBatch: shorts * quads, splitStride: quads, splits: shorts, cBatch: quads, columns: quads },
        [lengths, parts],
        [lanes, 1, batch],
        batch * shorts * columns,
      ),
      this.#step(
        'correction',
        {
          ...{ aBatch: quads, bOffset: columns * quads, bStride: quads, cStride: quads, cBatch: gramSize },
          ...{ columns: quads, flags },
        },
        [gram, lengths],
        [lanes, blocks, batch],
        batch * columns * columns,
      ),
      this.#step(
        'worst',
        {
          ...{ aOffset: columns * quads, aBatch: gramSize, splitStride: quads, splits: blocks },
          ...{ bBatch: quads, rows: n, flags },
        },
        [worst, gram, lengths],
        [1, 1, batch],
        batch * blocks * columns,
      ),
    ]
  }

  correct(q: GPUBuffer, to: GPUBuffer): Dispatch {
    const { batch, rows, columns, quads, matrix, gram: gramSize } = this.layout
    return this.#step(
      'product',
      {
        ...{ aStride: quads, aBatch: matrix, bStride: quads, bBatch: gramSize, cStride: quads, cBatch: matrix },
        ...{ rows, columns: quads, depth: columns, flags: UPPER },
      },
      [to, q, this.buffers.gram],
      [Math.ceil(quads / 16), rows / 32, batch],
      (batch * rows * columns * columns) / 2,
    )
  }

  revive(q: GPUBuffer): Dispatch {
    const { batch, m, n, quads, matrix } = this.layout
    return this.#step(
      'revive',
      { aBatch: quads, cStride: quads, cBatch: matrix, rows: m, columns: quads, depth: n },
      [q, this.buffers.lengths],
      [Math.ceil(quads / 32), Math.min(m, MAX_GROUPS), batch],
      batch * m * n,
    )
  }

  /** The worst of the records that `measure` left, over the group. */
  async worst(): Promise<{ square: number; dead: number; length: number; broken: boolean }> {
    const { device } = this.state
    const size = 16 * this.layout.batch
    const staging = device.createBuffer({ label: LABEL, size, usage: USAGE_MAP_READ | USAGE_COPY_DST })
    try {
      const { error } = withErrorScope(device, 'validation', () => {
        const encoder = device.createCommandEncoder({ label: LABEL })
        encoder.copyBufferToBuffer(this.buffers.worst, 0, staging, 0, size)
        device.queue.submit([encoder.finish()])
      })
      const [problem] = await untilLost(this.state, Promise.all([error, staging.mapAsync(MAP_MODE_READ)]))
      if (problem !== null)
        throw new WeightInitError('DEVICE_ERROR', `${LABEL}: ${problem.message}`, { cause: problem })
      const found = { square: 0, dead: 0, length: 0, broken: false }
      const values = new Float32Array(staging.getMappedRange())
      for (let at = 0; at < values.length; at += 4) {
        found.square = Math.max(found.square, values[at]!)
        found.dead += values[at + 1]!
        found.length = Math.max(found.length, values[at + 2]!)
        found.broken ||= values[at + 3] !== 0 || !Number.isFinite(values[at]!)
      }
      return found
    } finally {
      staging.destroy()
    }
  }

  /** Orthonormal columns for those in `first`; returns the buffer they are in. */
  async orthonormalize(): Promise<GPUBuffer> {
    let [spare, q] = [this.buffers.first, this.buffers.second]
    await this.run(this.factorise(spare, q))
    let factorisations = 1
    for (let corrections = 0; corrections < MAX_CORRECTIONS; corrections++) {
      // The correction is made at once: mostly it is wanted, and a wrong one costs less than waiting.
      await this.run([...this.measure(q), this.correct(q, spare)])
      const { square, dead, broken } = await this.worst()
      if (!broken && (dead > 0 || square > FAR_OFF) && factorisations < MAX_FACTORISATIONS) {
        await this.run([this.revive(q), ...this.factorise(q, spare)])
        factorisations++
        corrections = -1
      } else if (square <= GOOD_ENOUGH || broken) {
        return spare
      }
      ;[spare, q] = [q, spare]
    }
    return q
  }
}

async function makeKernels(state: DeviceState, names: readonly Kernel[]): Promise<Map<Kernel, GPUComputePipeline>> {
  return new Map(
    await Promise.all(
      names.map(async (name) => [name, await pipeline(state, { entry: `linalg/${name}`, layout: 'linalg' })] as const),
    ),
  )
}

/** Makes scratch buffers, runs `work`, destroys them whatever happens. */
async function withScratch<T>(
  state: DeviceState,
  layout: Layout,
  wanted: readonly (keyof ReturnType<typeof scratchQuads>)[],
  work: (buffers: Worker['buffers']) => Promise<T>,
): Promise<T> {
  const { device } = state
  const sizes = scratchQuads(layout)
  const buffers = {} as Worker['buffers']
  try {
    const { error } = withErrorScope(device, 'out-of-memory', () => {
      for (const name of wanted) {
        const usage = USAGE_STORAGE | (name === 'worst' ? USAGE_COPY_SRC : 0)
        buffers[name] = device.createBuffer({ label: `${LABEL} ${name}`, size: 16 * sizes[name], usage })
      }
    })
    const problem = await untilLost(state, error)
    if (problem !== null) {
      const bytes = wanted.reduce((sum, name) => sum + 16 * sizes[name], 0)
      throw new OutOfMemoryError(
        `The device could not allocate ${bytes} bytes of scratch memory for an orthogonal matrix: ${problem.message}`,
        { cause: problem },
      )
    }
    return await work(buffers)
  } finally {
    for (const buffer of Object.values(buffers)) buffer.destroy()
  }
}

/** The words of a region from matrix `first` on, as a binding, and where in it they begin. */
function regionView(
  state: DeviceState,
  { buffer, byteOffset }: GpuRegion,
  bytesBefore: number,
  byteLength: number,
): { view: View; firstWord: number } {
  const from = byteOffset + bytesBefore
  const offset =
    Math.floor(from / state.device.limits.minStorageBufferOffsetAlignment) *
    state.device.limits.minStorageBufferOffsetAlignment
  return { view: { buffer, offset, size: alignUp(from - offset + byteLength, 4) }, firstWord: (from - offset) / 4 }
}

async function loadStep(
  state: DeviceState,
  layout: Layout,
  region: DTypedRegion,
  firstMatrix: number,
  scale: number,
  to: GPUBuffer,
): Promise<Dispatch> {
  const { batch, m, n, wide, rows, quads, matrix } = layout
  const width = byteWidth(region.dtype)
  const { view, firstWord } = regionView(state, region, firstMatrix * m * n * width, batch * m * n * width)
  const record = new ArrayBuffer(32)
  new Uint32Array(record).set([firstWord, m, n, wide ? 1 : n, wide ? m : 1, quads, matrix])
  new Float32Array(record)[7] = scale
  return {
    pipeline: await pipeline(state, {
      entry: 'linalg/load',
      slots: { load: `load/${region.dtype}` },
      layout: 'linalg',
    }),
    record,
    output: { buffer: to },
    a: view,
    grid: [Math.ceil(quads / 32), Math.min(rows, MAX_GROUPS), batch],
    cost: batch * rows * quads * 4,
  }
}

async function storeStep(
  state: DeviceState,
  layout: Layout,
  region: DTypedRegion,
  firstMatrix: number,
  gain: number,
  from: GPUBuffer,
): Promise<Dispatch> {
  const { batch, m, n, wide, quads, matrix } = layout
  const width = byteWidth(region.dtype)
  const count = batch * m * n
  const { view, firstWord } = regionView(state, region, firstMatrix * m * n * width, count * width)
  const record = new ArrayBuffer(jobLayout.byteLength)
  const data = new DataView(record)
  const u32 = (at: number, value: number): void => data.setUint32(at, value, true)
  u32(jobLayout.key, wide ? m : n)
  u32(jobLayout.key + 4, m * n)
  u32(jobLayout.counter, 4 * quads)
  u32(jobLayout.counter + 4, 4 * matrix)
  data.setFloat32(jobLayout.law, gain, true)
  u32(jobLayout.elementCount, count)
  u32(jobLayout.shift, wide ? 1 : 0)
  u32(jobLayout.firstWord, firstWord)
  const slots =
    region.dtype === 'float32'
      ? { store: 'store/float32' }
      : { store: 'store/half_pair', round: `store/${region.dtype}` }
  return {
    pipeline: await pipeline(state, { entry: 'linalg/store', slots, layout: 'linalg' }),
    record,
    output: view,
    a: { buffer: from },
    grid: [Math.min(MAX_GROUPS, Math.ceil(count / 256)), 1, 1],
    cost: count,
  }
}

/**
 * Replaces each matrix of `source` (normals, float32, row-major) by gain times the Q of its QR factorisation, with R's
 * diagonal positive, in `target`'s dtype. A wide matrix is transposed first and its Q transposed back, as PyTorch's
 * orthogonal_ does: rows are then orthonormal. Source and target may be the same region when both are float32; otherwise
 * the source is read only. Not bit-exact between devices, but the same bits every time on one.
 *
 * A failed or aborted call may leave some matrices of `target` written.
 *
 * @throws DeviceLostError, OutOfMemoryError, the signal's reason; WeightInitError `LIMIT_EXCEEDED` before any GPU work
 */
export async function orthogonalizeOnGpu(
  state: DeviceState,
  source: GpuRegion,
  target: DTypedRegion,
  shape: MatrixShape,
  gain: number,
  signal?: AbortSignal,
): Promise<void> {
  checkMatrixShape(shape)
  requireAlive(state)
  signal?.throwIfAborted()
  if (shape.batch * shape.rows * shape.cols === 0) return
  const size = groupSize(state, shape)
  const kernels = await makeKernels(state, [
    'gram',
    'product',
    'sum',
    'squares',
    'cholesky',
    'correction',
    'worst',
    'revive',
  ])
  const layout = layoutOf({ ...shape, batch: size })
  const all = Object.keys(scratchQuads(layout)) as (keyof Worker['buffers'])[]
  await withScratch(state, layout, all, async (buffers) => {
    for (let first = 0; first < shape.batch; first += size) {
      const part = layoutOf({ ...shape, batch: Math.min(size, shape.batch - first) })
      const worker = new Worker(state, part, buffers, kernels, signal)
      await worker.run([await loadStep(state, part, { ...source, dtype: 'float32' }, first, 1, buffers.first)])
      const q = await worker.orthonormalize()
      await worker.run([await storeStep(state, part, target, first, gain, q)])
    }
  })
  requireAlive(state)
}

/**
 * max |Q^T Q / gain^2 - I| over the matrices of a region (rows for wide ones), measured on the GPU in float32; its own
 * error is below 1e-6 up to 4096 rows. NaN when an element is not finite; 0 for a gain of 0 or an empty region.
 * float16 and bfloat16 regions show their rounding: some 1e-3 and 1e-2.
 */
export async function orthogonalityDefect(
  state: DeviceState,
  region: DTypedRegion,
  shape: MatrixShape,
  gain: number,
  signal?: AbortSignal,
): Promise<number> {
  checkMatrixShape(shape)
  requireAlive(state)
  signal?.throwIfAborted()
  if (shape.batch * shape.rows * shape.cols === 0 || gain === 0) return 0
  const size = groupSize(state, shape)
  const kernels = await makeKernels(state, ['gram', 'sum', 'squares', 'correction', 'worst'])
  const layout = layoutOf({ ...shape, batch: size })
  return withScratch(state, layout, ['first', 'parts', 'gram', 'lengths', 'worst'], async (buffers) => {
    let defect = 0
    for (let first = 0; first < shape.batch; first += size) {
      const part = layoutOf({ ...shape, batch: Math.min(size, shape.batch - first) })
      const worker = new Worker(state, part, buffers, kernels, signal)
      await worker.run([
        await loadStep(state, part, region, first, 1 / gain, buffers.first),
        ...worker.measure(buffers.first, LARGEST),
      ])
      const { square, length, broken } = await worker.worst()
      if (broken) return Number.NaN
      defect = Math.max(defect, Math.sqrt(square), length)
    }
    return defect
  })
}
