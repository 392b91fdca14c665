import type { PartGeometry } from '../../ir/part.js'

/**
 * The geometry of elements [start, end) per axis. Axes that continue each other are merged, so that a cut along one axis
 * has at most two, and a part that is one run has one.
 */
export function partGeometry(
  fullShape: readonly number[],
  start: readonly number[],
  end: readonly number[],
): PartGeometry {
  const axes: { length: number; stride: number }[] = []
  let firstElement = 0
  let stride = 1
  for (let axis = fullShape.length - 1; axis >= 0; axis--) {
    const length = end[axis]! - start[axis]!
    firstElement += start[axis]! * stride
    if (length > 1) {
      const inner = axes.at(-1)
      if (inner !== undefined && inner.length * inner.stride === stride) inner.length *= length
      else axes.push({ length, stride })
    }
    stride *= fullShape[axis]!
  }
  // A part without neighbours (a column, one element) is made of runs of one.
  if (axes[0]?.stride !== 1) axes.unshift({ length: 1, stride: 1 })
  return { firstElement, axes }
}

/** Position along every axis of element `local` of the part, innermost first. */
export function partDigits({ axes }: PartGeometry, local: number): number[] {
  let rest = local
  return axes.map(({ length }) => {
    const digit = rest % length
    rest = Math.floor(rest / length)
    return digit
  })
}

/** Index in the full tensor of element `local` of the part. CPU reference of elementIndex in shaders/fill/fill_part.wgsl. */
export function elementIndex(part: PartGeometry, local: number): number {
  return partDigits(part, local).reduce((sum, digit, axis) => sum + digit * part.axes[axis]!.stride, part.firstElement)
}

/** The runs of neighbours that hold elements [first, first + count) of the part: indices in the full tensor. */
export function* partRuns(
  part: PartGeometry,
  first: number,
  count: number,
): Generator<{ readonly first: number; readonly count: number }> {
  const run = part.axes[0]!.length
  for (let local = first; local < first + count; ) {
    const length = Math.min(run - (local % run), first + count - local)
    yield { first: elementIndex(part, local), count: length }
    local += length
  }
}
