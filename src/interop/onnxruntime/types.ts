// The parts of ONNX Runtime Web that are used, as structural types, so that users without it do not need its types.

/** The module: `import * as ort from 'onnxruntime-web'`, or one of its builds '/webgpu', '/jspi' and '/all'. */
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

/** A tensor of the module. */
export type OrtTensor<M extends OrtModule> = InstanceType<M['Tensor']>

/** The used parts of an `ort.InferenceSession`. */
export interface OrtSession {
  readonly inputNames: readonly string[]
  /** Available since version 1.21. */
  readonly inputMetadata?: readonly {
    readonly name: string
    readonly isTensor: boolean
    readonly type?: string
    readonly shape?: readonly (number | string)[]
  }[]
}
