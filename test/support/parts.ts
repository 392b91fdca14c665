/** A part of a row-major tensor's bytes, element by element: what `slice` and `shard` have to give. */
export function cutBytes(
  whole: Uint8Array,
  shape: readonly number[],
  start: readonly number[],
  end: readonly number[],
  width: number,
): Uint8Array {
  const out: number[] = []
  const walk = (axis: number, index: number): void => {
    if (axis === shape.length) {
      for (let byte = 0; byte < width; byte++) out.push(whole[index * width + byte]!)
      return
    }
    for (let i = start[axis]!; i < end[axis]!; i++) walk(axis + 1, index * shape[axis]! + i)
  }
  walk(0, 0)
  return Uint8Array.from(out)
}
