/**
 * The part of a diagonal run that lies in elements [first, first + count), with indices relative to `first`; undefined if
 * there is none.
 */
export function clipDiagonal(
  run: { readonly first: number; readonly stride: number; readonly count: number },
  first: number,
  count: number,
): { readonly first: number; readonly stride: number; readonly count: number } | undefined {
  const skipped = Math.max(0, Math.ceil((first - run.first) / run.stride))
  const start = run.first + skipped * run.stride
  const left = Math.min(run.count - skipped, Math.ceil((first + count - start) / run.stride))
  return left > 0 ? { first: start - first, stride: run.stride, count: left } : undefined
}

/** The part of a range that lies in elements [first, first + count), relative to `first`; undefined if there is none. */
export function clipRange(
  range: { readonly first: number; readonly count: number },
  first: number,
  count: number,
): { readonly first: number; readonly count: number } | undefined {
  const start = Math.max(range.first, first)
  const end = Math.min(range.first + range.count, first + count)
  return end > start ? { first: start - first, count: end - start } : undefined
}
