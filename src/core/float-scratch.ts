/** A float32 and its bits: one cell of memory, seen both ways. */
export interface FloatScratch {
  readonly float: Float32Array
  readonly bits: Uint32Array
}

export function createFloatScratch(): FloatScratch {
  const float = new Float32Array(1)
  return { float, bits: new Uint32Array(float.buffer) }
}
