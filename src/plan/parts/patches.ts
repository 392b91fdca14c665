import type { Patch } from '../../ir/job.js'
import type { PartGeometry } from '../../ir/part.js'
import { elementIndex } from './geometry.js'

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
 * Patches of a full tensor as patches of a part of it, indices counted within the part. A range stays one range, as the
 * part keeps the tensor's order; a diagonal becomes as few diagonals as its places in the part allow, mostly one.
 */
export function patchesOfPart(patches: readonly Patch[], part: PartGeometry, elementCount: number): Patch[] {
  return patches.flatMap((patch): Patch[] => {
    const { pattern } = patch
    if (patch.kind === 'range') {
      const first = elementsBefore(part, elementCount, patch.first)
      const count = elementsBefore(part, elementCount, patch.first + patch.count) - first
      return count === 0 ? [] : [{ kind: 'range', first, count, pattern }]
    }
    return diagonalRuns(patch, part, elementCount).map((run) => ({ kind: 'diagonal', ...run, pattern }))
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
  const neighbours = part.axes[0]!.length
  let step = Math.max(0, Math.ceil((part.firstElement - first) / stride))
  while (step < count && first + step * stride <= last) {
    const index = first + step * stride
    const skipped = stepsToPart(index - part.firstElement, stride, part)
    if (skipped > 0) {
      step += skipped
      continue
    }
    const local = localIndex(part, index)
    if (local === undefined) {
      step++
      continue
    }
    // All that lie among the same neighbours keep their distance.
    const taken = Math.min(count - step, Math.floor((neighbours - 1 - (local % neighbours)) / stride) + 1)
    append(runs, { first: local, stride, count: taken })
    step += taken
  }
  return runs
}

/** Adds elements behind the last run, or to it where they continue it. Within a run they are two or more apart. */
function append(runs: Run[], { first, stride, count }: Run): void {
  const run = runs.at(-1)
  if (run !== undefined && (count === 1 || run.stride === stride)) {
    if (run.count > 1 && first === run.first + run.count * run.stride) {
      run.count += count
      return
    }
    if (run.count === 1 && count === 1 && first - run.first >= 2) {
      run.stride = first - run.first
      run.count = 2
      return
    }
  }
  runs.push({ first, stride, count })
}

/**
 * A lower bound of the steps until a diagonal is inside the part again, 0 where it may be inside: what lies between two
 * runs of neighbours is passed over at once, however long the tensor's axes are.
 */
function stepsToPart(ahead: number, stride: number, { axes }: PartGeometry): number {
  let steps = 0
  for (let i = 0; i < axes.length - 1; i++) {
    const { length, stride: inner } = axes[i]!
    const period = axes[i + 1]!.stride
    const inside = (length - 1) * inner + (i === 0 ? 1 : axes[i - 1]!.length * axes[i - 1]!.stride)
    const place = ahead % period
    if (place < inside) continue
    const forward = stride % period
    if (forward === 0) return Number.POSITIVE_INFINITY
    // Stepping up it stays outside until the period's end, stepping down until it is below `inside`: the same steps.
    steps = Math.max(steps, Math.ceil((period - place) / forward), Math.ceil((place - inside + 1) / (period - forward)))
  }
  return steps
}

/** Number within the part of an element of the full tensor; undefined where it lies outside. */
function localIndex({ firstElement, axes }: PartGeometry, index: number): number | undefined {
  let rest = index - firstElement
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
