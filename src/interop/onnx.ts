// Entry point `webgpu-init/interop/onnx`: the weights of an ONNX graph. It is separate because only it needs a protobuf reader.
export type { CheckpointModel, OmittedTensor } from '../readers/checkpoint.js'
export { readOnnxModel } from '../readers/onnx.js'
