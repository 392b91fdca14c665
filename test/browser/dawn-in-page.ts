// Takes the place of the package "webgpu" (Dawn for Node) where the GPU suites run in a page: the browser's own WebGPU.
export const globals = {}
export const create = (): GPU => navigator.gpu
