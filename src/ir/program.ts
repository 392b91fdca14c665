/** One line of a recording: an operation, its arguments, and options as a last object. The format is in python/record.py. */
export type RecordedRow = readonly unknown[]

/** A tensor of a recorded program, and the operations that write it, in order. */
export interface RecordedTensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype: string
  readonly writes: readonly RecordedRow[]
}

/**
 * Every random call of a Python program that builds a model, in order, and how its parameters come from them: what
 * `generator: { name: 'torch-cpu', program }` replays. Plain data, as `readRecording` gives it.
 */
export interface TorchProgram {
  readonly format: 'webgpu-init-program'
  readonly version: 1
  /** Those whose values depend on draws. */
  readonly parameters: readonly RecordedTensor[]
  /** Tensors that are no parameters, and that parameters or other values are computed from. */
  readonly values: readonly RecordedTensor[]
  /** Generators of their own that the program uses; seed null: one that cannot be followed. */
  readonly generators: readonly { readonly seed: number | string | null }[]
  readonly calls: readonly RecordedRow[]
  /** Why the program cannot be replayed, where it cannot. */
  readonly refusal?: string
}
