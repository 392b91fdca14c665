// Measures the cost of new memory: the first fill of a new buffer, the next fills, and the page faults. It measures with Dawn's
// clearing of new buffers and, in a process of its own, without it.
//   node bench/memory.mjs [--megabytes N] [--no-clear]      prints one JSON line
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { create, globals } from 'webgpu'
import { median } from './rounds.mjs'

const { values } = parseArgs({
  allowNegative: true,
  options: { megabytes: { type: 'string', default: '64' }, clear: { type: 'boolean', default: true } },
})
Object.assign(globalThis, globals)
const size = Number(values.megabytes) * 2 ** 20
const gpu = create(values.clear ? [] : ['disable-dawn-features=lazy_clear_resource_on_first_use'])
const adapter = await gpu.requestAdapter()
const device = await adapter.requestDevice({ requiredLimits: { maxBufferSize: adapter.limits.maxBufferSize } })
const code = `
  @group(0) @binding(0) var<storage, read_write> quads: array<vec4<u32>>;
  @compute @workgroup_size(64)
  fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    for (var quad = id.x; quad < arrayLength(&quads); quad += groups.x * 64u) {
      quads[quad] = vec4<u32>(quad);
    }
  }`
const module = device.createShaderModule({ code })
const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'main' } })

/** Minor page faults of this process so far. Only Linux reports them. */
function pageFaults() {
  try {
    return Number(readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ')[7])
  } catch {
    return Number.NaN
  }
}

async function fill(buffer) {
  const faults = pageFaults()
  const began = performance.now()
  const encoder = device.createCommandEncoder()
  const pass = encoder.beginComputePass()
  pass.setPipeline(pipeline)
  const layout = pipeline.getBindGroupLayout(0)
  pass.setBindGroup(0, device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer } }] }))
  pass.dispatchWorkgroups(1024)
  pass.end()
  device.queue.submit([encoder.finish()])
  await device.queue.onSubmittedWorkDone()
  return { milliseconds: performance.now() - began, faults: pageFaults() - faults }
}

const first = []
const later = []
for (let round = 0; round < 4; round++) {
  const buffer = device.createBuffer({ size, usage: 0x80 | 0x4 | 0x8 })
  const one = await fill(buffer)
  const two = await fill(buffer)
  buffer.destroy()
  // The first round is a warm-up.
  if (round > 0) {
    first.push(one)
    later.push(two)
  }
}
const summary = (all) => ({
  milliseconds: median(all.map(({ milliseconds }) => milliseconds)),
  faults: median(all.map(({ faults }) => faults)),
})
console.log(JSON.stringify({ bytes: size, first: summary(first), later: summary(later) }))
process.exit(0)
