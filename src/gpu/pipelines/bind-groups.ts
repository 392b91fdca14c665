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

/** A node of the cache: a map from the next key to a further node, and at the end of a path a bind group. */
interface CacheNode {
  readonly next: Map<unknown, CacheNode>
  group?: GPUBindGroup
}

/** Like `bindGroup`, but it makes one bind group per combination of buffers and reuses it for all dispatches. */
export function bindGroupCache(
  state: DeviceState,
  label: string,
): (layout: BindingLayout, buffers: readonly GPUBufferBinding[]) => GPUBindGroup {
  const root: CacheNode = { next: new Map() }
  const follow = ({ next }: CacheNode, key: unknown): CacheNode => {
    let node = next.get(key)
    if (node === undefined) {
      node = { next: new Map() }
      next.set(key, node)
    }
    return node
  }
  return (layout, buffers) => {
    let node = follow(root, layout)
    for (const { buffer, offset, size } of buffers) node = follow(follow(follow(node, buffer), offset), size)
    node.group ??= bindGroup(state, label, layout, buffers)
    return node.group
  }
}
