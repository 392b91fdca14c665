export type { CheckpointTensor } from './node/checkpoint-reader.js'
export { type NodeDeviceOptions, requestNodeDevice } from './node/device.js'
export {
  type FilePhase,
  type FileProgress,
  type FileReport,
  type InitializeFileOptions,
  initializeFile,
} from './node/initialize-file.js'
export {
  type CheckpointInspection,
  type InspectedTensor,
  type InspectOptions,
  inspectCheckpoint,
  type TensorStatistics,
} from './node/inspect-checkpoint.js'
export { type ModelFile, readModelFile } from './node/model-file.js'
export type { StoredTensor } from './node/writers/checkpoint-writer.js'
export type { CheckpointFormat, WriterOptions } from './node/writers/create-writer.js'
export type { FileShard } from './node/writers/shards.js'
export { type WriteWeightsOptions, writeSafetensors, writeWeights } from './node/writers/write-weights.js'
export {
  layoutSafetensors,
  parseSafetensorsHeader,
  type SafetensorsEntry,
  type SafetensorsLayout,
  safetensorsHeaderLength,
} from './readers/safetensors.js'
export type { SafetensorsHeader, SafetensorsTensor } from './readers/safetensors-header.js'
