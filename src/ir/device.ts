/** Where weights are made: the option `device`. 'auto' is WebGPU where there is one, else the CPU. */
export type DeviceOption = GPUDevice | 'cpu' | 'auto'

/** Where weights are. */
export type Backend = 'webgpu' | 'cpu'

/** Where the weights are when `device` is of this type: 'cpu', 'webgpu' for a GPUDevice, either for 'auto'. */
export type BackendOf<Device> = Device extends 'cpu' ? 'cpu' : Device extends GPUDevice ? 'webgpu' : Backend
