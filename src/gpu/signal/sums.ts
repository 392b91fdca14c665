import type { TensorSums } from '../../signal/kernels.js'

export const RECORD_BYTES = 16

/** Merges the `Record`s of shaders/signal/measure.wgsl, and counts the dead units, which are stored behind them. */
export function readSums(view: DataView, groups: number, count: number, unitCount: number): TensorSums {
  let finiteCount = 0
  let sum = 0
  let squares = 0
  for (let group = 0; group < groups; group++) {
    const at = group * RECORD_BYTES
    const scale = 2 ** view.getInt32(at + 4, true)
    finiteCount += view.getUint32(at, true)
    sum += view.getFloat32(at + 8, true) * scale
    squares += view.getFloat32(at + 12, true) * scale * scale
  }
  let deadUnitCount = 0
  for (let unit = 0; unit < unitCount; unit++) deadUnitCount += view.getUint32(groups * RECORD_BYTES + 4 * unit, true)
  return {
    finiteCount,
    nonFiniteCount: count - finiteCount,
    mean: finiteCount === 0 ? 0 : sum / finiteCount,
    meanSquare: finiteCount === 0 ? 0 : squares / finiteCount,
    deadUnitCount,
  }
}
