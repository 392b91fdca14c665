// What is used of ONNX Runtime Web, as structures: a user without it needs none of its types.

/** The module: `import * as ort from 'onnxruntime-web'`, or its '/webgpu', '/jspi' or '/all' build. */
export interface OrtModule {
  readonly Tensor: (new (
    type: never,
    data: never,
    dims: never,
  ) => unknown) & {
    fromGpuBuffer(buffer: never, options: never): unknown
  }
  readonly env: {
    readonly wasm?: { readonly proxy?: boolean }
    readonly webgpu?: object
  }
}

/** The module's own `Tensor`. */
export type OrtTensor<M extends OrtModule> = InstanceType<M['Tensor']>

/** What is used of an `ort.InferenceSession`. */
export interface OrtSession {
  readonly inputNames: readonly string[]
  /** Since 1.21. */
  readonly inputMetadata?: readonly {
    readonly name: string
    readonly isTensor: boolean
    readonly type?: string
    readonly shape?: readonly (number | string)[]
  }[]
}
