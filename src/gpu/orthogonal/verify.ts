import { byteWidth } from '../../core/dtype.js'
import { fillJob } from '../../fill/make-job.js'
import type { FillJob } from '../../ir/job.js'
import type { PlannedParameter } from '../../ir/plan.js'
import { elementIndex } from '../../plan/parts/geometry.js'
import type { LookAtBoth } from '../../store/weight-store.js'
import { USAGE_COPY_DST, USAGE_COPY_SRC, USAGE_STORAGE } from '../device/constants.js'
import type { DeviceState } from '../device/device-state.js'
import { copyOut } from '../device/readback.js'
import { alignUp } from '../device/windows.js'
import { runFills } from '../fill/run-fills.js'
import { forEachGroup, madeShape, zeros } from './fill.js'
import { orthogonalityError } from './orthogonalize.js'
import { elementSpan, geometryOf, type MadeMatrices, writeOrthogonalPart } from './part.js'

/** The number of elements that are compared at a time. */
const CHUNK_ELEMENTS = 2 ** 18
const LABEL = 'webgpu-init orthogonal check'

/**
 * Makes the matrices of an orthogonal distribution, or of a part of it, again, and shows what is stored beside them. Gives how
 * orthogonal those are that were made. A device gives the same bits every time.
 */
export async function makeOrthogonalAgain(
  state: DeviceState,
  parameter: PlannedParameter,
  read: (start: number, length: number) => Promise<Uint8Array>,
  look: LookAtBoth,
  signal?: AbortSignal,
): Promise<number> {
  const job = fillJob(parameter)
  const width = byteWidth(job.dtype)
  let orthogonalityError = 0
  const staging = state.device.createBuffer({
    label: LABEL,
    size: alignUp(Math.min(CHUNK_ELEMENTS, job.elementCount) * width, 4),
    usage: USAGE_STORAGE | USAGE_COPY_SRC | USAGE_COPY_DST,
  })
  try {
    await forEachGroup(state, job, [elementSpan(job)], signal, async (matrices) => {
      orthogonalityError = Math.max(orthogonalityError, await groupError(state, job, matrices, signal))
      const [begin, end] = rangeOf(job, matrices)
      // A chunk begins at a whole word: what lies before is of the group before, and not looked at.
      for (let chunk = begin - (begin % 4); chunk < end; chunk += CHUNK_ELEMENTS) {
        signal?.throwIfAborted()
        const count = Math.min(CHUNK_ELEMENTS, end - chunk)
        const piece = { ...job, firstElement: job.firstElement + chunk, elementCount: count }
        const target = { buffer: staging, byteOffset: 0 }
        await runFills(state, [{ job: zeros(piece), ...target }], { signal })
        await writeOrthogonalPart(state, { job: piece, ...target }, matrices, signal)
        const first = Math.max(chunk, begin)
        const skipped = (first - chunk) * width
        const actual = await read(chunk * width, count * width)
        await copyOut(state, staging, 0, count * width, (expected) =>
          look(actual.subarray(skipped), expected.subarray(skipped), first),
        )
      }
    })
  } finally {
    staging.destroy()
  }
  return orthogonalityError
}

async function groupError(
  state: DeviceState,
  { source }: FillJob,
  { buffer, matrixCount }: MadeMatrices & { readonly matrixCount: number },
  signal: AbortSignal | undefined,
): Promise<number> {
  if (source.kind !== 'orthogonal') return 0
  const shape = { ...madeShape(source), batch: matrixCount }
  return orthogonalityError(state, { buffer, byteOffset: 0, dtype: 'float32' }, shape, source.distribution.gain, signal)
}

/** The range of the job's elements, counted from its first, that lie in the matrices. For a delta-orthogonal it is all. */
function rangeOf(job: FillJob, { first, count }: MadeMatrices): readonly [begin: number, end: number] {
  if (job.source.kind === 'orthogonal' && job.source.distribution.field > 1) return [0, job.elementCount]
  const geometry = geometryOf(job)
  // The elements of a part have the order of the tensor, so a binary search finds the range.
  const before = (element: number): number => {
    let [low, high] = [0, job.elementCount]
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if (elementIndex(geometry, job.firstElement + middle) < element) low = middle + 1
      else high = middle
    }
    return low
  }
  return [before(first), before(first + count)]
}
