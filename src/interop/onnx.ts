// Entry point `webgpu-init/interop/onnx`: the weights of an ONNX graph, apart so that no one else needs a protobuf reader.
export type { CheckpointModel, OmittedTensor } from '../readers/checkpoint.js'
export { readOnnxModel } from '../readers/onnx.js'
