let sharedDevice: Promise<GPUDevice | 'cpu'> | undefined

/** The page's or runtime's own WebGPU device, asked for once and again after a loss; the CPU where there is none. */
export async function defaultDevice(): Promise<GPUDevice | 'cpu'> {
  sharedDevice ??= requestDefaultDevice()
  const device = await sharedDevice
  if (device === 'cpu') sharedDevice = undefined
  return device
}

async function requestDefaultDevice(): Promise<GPUDevice | 'cpu'> {
  const gpu = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu
  const adapter = await gpu?.requestAdapter().catch(() => null)
  if (adapter === null || adapter === undefined) return 'cpu'
  try {
    const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits
    const device = await adapter.requestDevice({
      label: 'webgpu-init',
      requiredLimits: { maxBufferSize, maxStorageBufferBindingSize },
    })
    device.lost.then(() => {
      sharedDevice = undefined
    })
    return device
  } catch {
    return 'cpu'
  }
}
