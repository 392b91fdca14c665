import type { DeviceState } from '../device/device-state.js'
import type { BindingLayout } from '../shaders/pipeline-key.js'

export function bindGroupLayout(state: DeviceState, layout: BindingLayout): GPUBindGroupLayout {
  let known = state.layouts.get(layout)
  if (known === undefined) {
    known = state.device.createBindGroupLayout({
      label: `webgpu-init ${layout.name} layout`,
      // 4 is GPUShaderStage.COMPUTE.
      entries: layout.entries.map((buffer, binding) => ({ binding, visibility: 4, buffer })),
    })
    state.layouts.set(layout, known)
  }
  return known
}

/** @param buffers in the order of the layout's bindings */
export function bindGroup(
  state: DeviceState,
  label: string,
  layout: BindingLayout,
  buffers: readonly GPUBufferBinding[],
): GPUBindGroup {
  return state.device.createBindGroup({
    label,
    layout: bindGroupLayout(state, layout),
    entries: buffers.map((resource, binding) => ({ binding, resource })),
  })
}

/** As `bindGroup`, but one for each combination of buffers, however many dispatches see it. */
export function bindGroupCache(
  state: DeviceState,
  label: string,
): (layout: BindingLayout, buffers: readonly GPUBufferBinding[]) => GPUBindGroup {
  const numbers = new Map<GPUBuffer, number>()
  const groups = new Map<string, GPUBindGroup>()
  return (layout, buffers) => {
    let key = layout.name
    for (const { buffer, offset = 0, size = 0 } of buffers) {
      const number = numbers.get(buffer) ?? numbers.size
      numbers.set(buffer, number)
      key += ` ${number}+${offset}:${size}`
    }
    const group = groups.get(key) ?? bindGroup(state, label, layout, buffers)
    groups.set(key, group)
    return group
  }
}
