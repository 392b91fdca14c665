// Entry point `webgpu-init/interop/onnx`: the weights of an ONNX graph, apart so that no one else loads the reader of ONNX's operators.
export type { CheckpointModel, GuessedTensor, OmittedTensor } from '../readers/checkpoint.js'
export { readOnnxModel } from '../readers/onnx.js'
