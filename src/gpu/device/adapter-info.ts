/**
 * Information about a device's adapter, or undefined where it is not safe to ask: Deno (2.9) ends the whole process when
 * the adapter that the device came from was garbage-collected, and this package cannot know whether it was.
 */
export function adapterInfoOf(device: GPUDevice): GPUAdapterInfo | undefined {
  return 'Deno' in globalThis ? undefined : device.adapterInfo
}

/** Whether the device is a CPU, as llvmpipe and SwiftShader are. False where nothing is known about the adapter. */
export const isCpuAdapter = (device: GPUDevice): boolean => adapterInfoOf(device)?.isFallbackAdapter === true
