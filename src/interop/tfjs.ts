// webgpu-init/interop/tfjs: fresh weights as TensorFlow.js tensors, and as the weights of a LayersModel. It imports nothing
// of TensorFlow.js, because the caller passes the module.
export { useDevice } from './tfjs/device.js'
export { initializeLayersModel } from './tfjs/initialize.js'
export { readLayersModel } from './tfjs/layers-model.js'
export { toTensor, toTensors } from './tfjs/tensors.js'
export type { LayersModelLike, LayerVariableLike, TfjsModule, TfjsTensor, WebGPUBackendClass } from './tfjs/types.js'
