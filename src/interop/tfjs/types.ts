// The parts of TensorFlow.js that are used, as structural types, so that users without it do not need its types.

export interface TfjsTensor {
  dispose(): void
}

/** The module: `import * as tf from '@tensorflow/tfjs'`, or '@tensorflow/tfjs-core'. */
export interface TfjsModule<T extends TfjsTensor = TfjsTensor> {
  tensor(
    values: { buffer: GPUBuffer; zeroCopy: true } | Float32Array | Int32Array,
    shape: number[],
    dtype: 'float32' | 'int32',
  ): T
  backend(): object
  getBackend(): string
  ready(): Promise<void>
}

/** The additional parts of the module that `useDevice` needs. */
export interface TfjsBackends {
  findBackendFactory(name: string): unknown
  removeBackend(name: string): void
  registerBackend(name: string, factory: () => never, priority?: number): boolean
  setBackend(name: string): Promise<boolean>
}

/** The class `WebGPUBackend` of '@tensorflow/tfjs-backend-webgpu'. */
export type WebGPUBackendClass = new (device: GPUDevice, adapterInfo?: GPUAdapterInfo) => object

/** A weight of a layer. */
export interface LayerVariableLike {
  readonly id: number
  readonly originalName: string
  readonly shape: readonly (number | null)[]
  readonly dtype: string
}

/** A `tf.LayersModel` or `tf.Sequential`. */
export interface LayersModelLike<T extends TfjsTensor = TfjsTensor> {
  readonly layers: readonly object[]
  readonly weights: readonly LayerVariableLike[]
  getWeights(): T[]
  setWeights(weights: T[]): void
}
