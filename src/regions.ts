import { show, WeightInitError } from './errors.js'

/** The caller's bytes for one parameter. */
export interface RegionSpan {
  readonly name: string
  readonly buffer: object
  readonly begin: number
  readonly end: number
}

/** @throws WeightInitError `INVALID_BUFFER` where two parameters would share bytes */
export function refuseOverlap(spans: readonly RegionSpan[]): void {
  const groups = new Map<object, RegionSpan[]>()
  for (const span of spans) {
    const group = groups.get(span.buffer)
    if (group === undefined) groups.set(span.buffer, [span])
    else group.push(span)
  }
  for (const group of groups.values()) {
    const sorted = [...group].sort((a, b) => a.begin - b.begin)
    sorted.forEach((span, index) => {
      const before = sorted[index - 1]
      if (before !== undefined && before.end > span.begin) {
        throw new WeightInitError(
          'INVALID_BUFFER',
          `into[${show(span.name)}] begins at byte ${span.begin}, inside into[${show(before.name)}], which ends at ${before.end}.`,
        )
      }
    })
  }
}
