/** Runs `work` inside an error scope. Returns its result, and a promise of the error that the device reports. */
export function withErrorScope<T>(
  device: GPUDevice,
  filter: GPUErrorFilter,
  work: () => T,
): { result: T; error: Promise<GPUError | null> } {
  device.pushErrorScope(filter)
  try {
    const result = work()
    return { result, error: device.popErrorScope() }
  } catch (thrown) {
    device.popErrorScope().catch(() => {})
    throw thrown
  }
}
