export {
  layoutSafetensors,
  parseSafetensorsHeader,
  type SafetensorsEntry,
  type SafetensorsLayout,
  safetensorsHeaderLength,
} from './interop/safetensors.js'
export type { SafetensorsHeader, SafetensorsTensor } from './interop/safetensors-header.js'
export { type NodeDeviceOptions, requestNodeDevice } from './node/device.js'
export { type ModelFile, readModelFile } from './node/model-file.js'
export { writeSafetensors } from './node/safetensors-file.js'
