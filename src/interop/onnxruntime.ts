// webgpu-init/interop/onnxruntime: fresh weights as input tensors of ONNX Runtime Web. It imports nothing of that library,
// because the caller passes the module.
export { sessionDevice } from './onnxruntime/device.js'
export { initializeInputs } from './onnxruntime/initialize.js'
export { toFeeds, toTensor } from './onnxruntime/tensors.js'
export type { OrtModule, OrtSession, OrtTensor } from './onnxruntime/types.js'
