// What the shaders under shaders/statistics see: their buffers, and the uniform block of a job.
import { START_LENGTH } from '../../statistics/fingerprint.js'
import type { Normalisation } from '../../statistics/measurement.js'
import { type BindingLayout, uniformBlocks } from '../shaders/pipeline-key.js'
import { EDGE_TABLE_BYTES } from './edges.js'
import type { MeasureDispatch } from './pieces.js'

export const MEASURE_JOB_BYTES = 64

const input = { type: 'read-only-storage' } as const
const output = { type: 'storage' } as const

/** Elements, job, edges; partials, records, anchors. */
export const measureLayout: BindingLayout = {
  name: 'measure',
  entries: [
    input,
    /* @__PURE__ */ uniformBlocks({ byteLength: MEASURE_JOB_BYTES }),
    /* @__PURE__ */ uniformBlocks({ byteLength: EDGE_TABLE_BYTES }),
    output,
    output,
    output,
  ],
}
/** Partials, records, runs of partials. */
export const mergeLayout: BindingLayout = { name: 'measure merge', entries: [input, output, input] }
/** Anchors, hash slots, what was found. */
export const repeatsLayout: BindingLayout = { name: 'measure repeats', entries: [input, output, output] }

export interface JobPlaces {
  readonly firstPartial: number
  readonly result: number
  readonly anchorMask: number
  readonly anchorCapacity: number
  readonly id: number
}

export function packMeasureJob(
  view: DataView,
  at: number,
  dispatch: MeasureDispatch,
  y: Normalisation,
  p: JobPlaces,
): void {
  const words = [
    dispatch.elementCount,
    dispatch.available,
    dispatch.firstWord,
    dispatch.shift,
    p.firstPartial,
    p.result,
    y.edges.length,
    0,
    0,
    y.rowLength,
    Math.min(dispatch.firstElement, START_LENGTH),
    p.anchorMask,
    p.anchorCapacity,
    p.id,
    0,
    0,
  ]
  words.forEach((word, index) => {
    view.setUint32(at + 4 * index, word, true)
  })
  view.setFloat32(at + 28, y.center, true)
  view.setFloat32(at + 32, y.scale, true)
}
