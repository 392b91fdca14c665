// Copies matrices from a region of any dtype into scratch memory, and back.
import { byteWidth, type FloatDType } from '../../core/dtype.js'
import type { DeviceState } from '../device/device-state.js'
import type { GpuRegion } from '../device/segments.js'
import { alignUp } from '../device/windows.js'
import { jobLayout } from '../fill/layouts.js'
import { type KernelDispatch, kernelLayout } from '../pipelines/kernels.js'
import { pipeline } from '../pipelines/pipelines.js'
import { loadSlots, storeSlots } from '../shaders/pipeline-key.js'
import { MAX_GROUPS, type OrthogonalLayout } from './layout.js'

export interface DTypedRegion extends GpuRegion {
  readonly dtype: FloatDType
}

/** A binding of the region's words from matrix `first` on, and the position in it at which they begin. */
function regionView(
  state: DeviceState,
  { buffer, byteOffset }: GpuRegion,
  bytesBefore: number,
  byteLength: number,
): { view: GPUBufferBinding; firstWord: number } {
  const from = byteOffset + bytesBefore
  const offset =
    Math.floor(from / state.device.limits.minStorageBufferOffsetAlignment) *
    state.device.limits.minStorageBufferOffsetAlignment
  return { view: { buffer, offset, size: alignUp(from - offset + byteLength, 4) }, firstWord: (from - offset) / 4 }
}

export async function loadStep(
  state: DeviceState,
  layout: OrthogonalLayout,
  region: DTypedRegion,
  firstMatrix: number,
  scale: number,
  to: GPUBuffer,
): Promise<KernelDispatch> {
  const { batch, length, count, wide, columns, lengthQuads, matrixQuads } = layout
  const width = byteWidth(region.dtype)
  const { view, firstWord } = regionView(
    state,
    region,
    firstMatrix * length * count * width,
    batch * length * count * width,
  )
  const record = new ArrayBuffer(32)
  new Uint32Array(record).set([firstWord, length, count, wide ? 1 : count, wide ? length : 1, lengthQuads, matrixQuads])
  new Float32Array(record)[7] = scale
  return {
    pipeline: await pipeline(state, {
      entry: 'orthogonal/load',
      slots: loadSlots(region.dtype),
      layout: kernelLayout,
    }),
    layout: kernelLayout,
    record,
    output: { buffer: to },
    a: view,
    // These numbers match QUADS_ACROSS in the shader.
    grid: wide ? [Math.ceil(lengthQuads / 32), columns, batch] : [columns / 32, Math.ceil(lengthQuads / 4), batch],
    cost: 16 * batch * matrixQuads,
  }
}

export async function storeStep(
  state: DeviceState,
  layout: OrthogonalLayout,
  region: DTypedRegion,
  firstMatrix: number,
  gain: number,
  from: GPUBuffer,
): Promise<KernelDispatch> {
  const { batch, length, count, wide, lengthQuads, matrixQuads } = layout
  const width = byteWidth(region.dtype)
  const elements = batch * length * count
  const { view, firstWord } = regionView(state, region, firstMatrix * length * count * width, elements * width)
  const record = new ArrayBuffer(jobLayout.byteLength)
  const data = new DataView(record)
  const u32 = (at: number, value: number): void => data.setUint32(at, value, true)
  u32(jobLayout.key, wide ? length : count)
  u32(jobLayout.key + 4, length * count)
  u32(jobLayout.counter, 4 * lengthQuads)
  u32(jobLayout.counter + 4, 4 * matrixQuads)
  data.setFloat32(jobLayout.constants, gain, true)
  u32(jobLayout.elementCount, elements)
  u32(jobLayout.shift, wide ? 1 : 0)
  u32(jobLayout.firstWord, firstWord)
  const slots = storeSlots(region.dtype, firstWord % 4 === 0 && elements % 4 === 0)
  return {
    pipeline: await pipeline(state, { entry: 'orthogonal/store', slots, layout: kernelLayout }),
    layout: kernelLayout,
    record,
    output: view,
    a: { buffer: from },
    grid: [Math.min(MAX_GROUPS, Math.ceil(elements / 256)), 1, 1],
    cost: 16 * elements,
  }
}
