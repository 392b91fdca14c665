/** The fields of `Task` in shaders/orthogonal/task.wgsl, in its order. A test reads them from the shader and compares them. */
export const taskFields = [
  'aOffset',
  'aStride',
  'aBatch',
  'bOffset',
  'bStride',
  'bBatch',
  'cOffset',
  'cStride',
  'cBatch',
  'rows',
  'columns',
  'depth',
  'chunk',
  'splits',
  'splitStride',
  'flags',
  'dOffset',
  'dStride',
  'dBatch',
  'unused',
] as const

export type Task = Partial<Record<(typeof taskFields)[number], number>>

export const FLIP = 1
export const FIRST = 2
export const PROJECTED = 4
export const ORTHONORMAL = 8
export const INDEPENDENT = 16

/** Absent fields are 0. */
export function packTask(task: Task): ArrayBuffer {
  return Uint32Array.from(taskFields, (name) => task[name] ?? 0).buffer
}
