/**
 * What is known of a device's adapter; undefined where asking is not safe: Deno (2.9) ends the whole process when the adapter
 * that the device came from was garbage-collected, which nobody can rule out.
 */
export function adapterInfoOf(device: GPUDevice): GPUAdapterInfo | undefined {
  return 'Deno' in globalThis ? undefined : device.adapterInfo
}

/** Whether the device is a CPU, as llvmpipe and SwiftShader are; false where nothing is known. */
export const isCpuAdapter = (device: GPUDevice): boolean => adapterInfoOf(device)?.isFallbackAdapter === true
