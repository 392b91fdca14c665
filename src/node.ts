export { layoutSafetensors, type SafetensorsEntry, type SafetensorsLayout } from './interop/safetensors.js'
export { type NodeDeviceOptions, requestNodeDevice } from './node/device.js'
export { writeSafetensors } from './node/safetensors-file.js'
