import type { Overlay } from '../jobs.js'
import { elementIndex, type PartGeometry } from './geometry.js'

/** Elements of the part that lie before element `index` of the full tensor: the part keeps the tensor's order. */
function elementsBefore(part: PartGeometry, elementCount: number, index: number): number {
  let low = 0
  let high = elementCount
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (elementIndex(part, middle) < index) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * Overlays of a full tensor as overlays of a part of it, indices counted within the part. A range stays one range, as the
 * part keeps the tensor's order; a diagonal becomes as few diagonals as its places in the part allow, mostly one.
 */
export function overlaysOfPart(overlays: readonly Overlay[], part: PartGeometry, elementCount: number): Overlay[] {
  return overlays.flatMap((overlay): Overlay[] => {
    const { pattern } = overlay
    if (overlay.kind === 'range') {
      const first = elementsBefore(part, elementCount, overlay.first)
      const count = elementsBefore(part, elementCount, overlay.first + overlay.count) - first
      return count === 0 ? [] : [{ kind: 'range', first, count, pattern }]
    }
    return diagonalRuns(overlay, part, elementCount).map((run) => ({ kind: 'diagonal', ...run, pattern }))
  })
}

interface Run {
  first: number
  stride: number
  count: number
}

function diagonalRuns({ first, stride, count }: Run, part: PartGeometry, elementCount: number): Run[] {
  const runs: Run[] = []
  const last = elementIndex(part, elementCount - 1)
  let step = Math.max(0, Math.ceil((part.origin - first) / stride))
  for (; step < count && first + step * stride <= last; step++) {
    const local = localIndex(part, first + step * stride)
    if (local === undefined) continue
    const run = runs.at(-1)
    if (run !== undefined && run.count > 1 && local === run.first + run.count * run.stride) run.count++
    // Neighbours of 16 bits share a word: they go into runs of their own.
    else if (run?.count === 1 && local - run.first >= 2) {
      run.stride = local - run.first
      run.count = 2
    } else runs.push({ first: local, stride: 2, count: 1 })
  }
  return runs
}

/** Number within the part of an element of the full tensor; undefined where it lies outside. */
function localIndex({ origin, axes }: PartGeometry, index: number): number | undefined {
  let rest = index - origin
  let local = 0
  let size = axes.reduce((product, { length }) => product * length, 1)
  for (let i = axes.length - 1; i >= 0; i--) {
    const { length, stride } = axes[i]!
    const digit = Math.floor(rest / stride)
    if (digit < 0 || digit >= length) return undefined
    size /= length
    local += digit * size
    rest -= digit * stride
  }
  return rest === 0 ? local : undefined
}
