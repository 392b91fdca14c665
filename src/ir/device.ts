/** The option `device`: where weights are made. 'auto' takes WebGPU if it is available, otherwise the CPU. */
export type DeviceOption = GPUDevice | 'cpu' | 'auto'

/** Where weights are stored. */
export type Backend = 'webgpu' | 'cpu'

/** Where the weights are stored for a `device` of this type: 'cpu' for 'cpu', 'webgpu' for a GPUDevice, either for 'auto'. */
export type BackendOf<Device> = Device extends 'cpu' ? 'cpu' : Device extends GPUDevice ? 'webgpu' : Backend
