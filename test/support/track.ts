// A device that is watched: live buffers and their bytes, submits, dispatches, labels. Overrides methods of one GPUDevice object.

import { deviceState } from '../../src/gpu/device/device-state.js'
import { releaseScratch } from '../../src/gpu/device/scratch.js'
import type { Speed } from '../../src/gpu/device/submit-budget.js'

export interface DeviceWatch {
  /** Buffers that were made and not destroyed; memory kept for a next call is released first. */
  readonly live: ReadonlySet<GPUBuffer>
  liveBytes: number
  peakBytes: number
  submits: number
  /** Bytes that went through queue.writeBuffer, of which the device keeps a copy meanwhile. */
  writtenBytes: number
  dispatches: number
  /** Called before every submit, which it counts already. */
  onSubmit: () => void
  /** Every descriptor without a label, as 'createBuffer'. */
  readonly unlabelled: string[]
  /** How many objects were looked at. */
  labelled: number
}

const creators = [
  'createBuffer',
  'createBindGroup',
  'createBindGroupLayout',
  'createPipelineLayout',
  'createShaderModule',
  'createComputePipelineAsync',
  'createCommandEncoder',
] as const

export function watchDevice(device: GPUDevice): DeviceWatch {
  const live = new Set<GPUBuffer>()
  const watch: DeviceWatch = {
    get live() {
      releaseScratch(deviceState(device))
      return live
    },
    liveBytes: 0,
    peakBytes: 0,
    submits: 0,
    writtenBytes: 0,
    dispatches: 0,
    onSubmit() {},
    unlabelled: [],
    labelled: 0,
  }
  const look = (what: string, descriptor: { label?: string } | undefined): void => {
    watch.labelled++
    if (!descriptor?.label) watch.unlabelled.push(what)
  }
  for (const name of creators) {
    const create = device[name] as (descriptor: object) => never
    device[name] = ((descriptor: { label?: string }) => {
      look(name, descriptor)
      const made = create.call(device, descriptor) as GPUBuffer & GPUCommandEncoder
      if (name === 'createBuffer') watchBuffer(made)
      if (name === 'createCommandEncoder') watchEncoder(made)
      return made
    }) as never
  }
  const watchBuffer = (buffer: GPUBuffer): void => {
    live.add(buffer)
    watch.liveBytes += buffer.size
    watch.peakBytes = Math.max(watch.peakBytes, watch.liveBytes)
    const { destroy } = buffer
    buffer.destroy = () => {
      if (live.delete(buffer)) watch.liveBytes -= buffer.size
      return destroy.call(buffer)
    }
  }
  const watchEncoder = (encoder: GPUCommandEncoder): void => {
    const { beginComputePass, finish } = encoder
    encoder.beginComputePass = (descriptor) => {
      look('beginComputePass', descriptor)
      const pass = beginComputePass.call(encoder, descriptor)
      const { dispatchWorkgroups } = pass
      pass.dispatchWorkgroups = (...counts: Parameters<typeof dispatchWorkgroups>) => {
        watch.dispatches++
        return dispatchWorkgroups.apply(pass, counts)
      }
      return pass
    }
    encoder.finish = (descriptor) => {
      look('finish', descriptor)
      return finish.call(encoder, descriptor)
    }
  }
  const { queue } = device
  const { submit, writeBuffer } = queue
  queue.submit = (buffers) => {
    watch.submits++
    watch.onSubmit()
    return submit.call(queue, buffers)
  }
  queue.writeBuffer = (buffer, bufferOffset, data, dataOffset = 0, elementCount) => {
    const elementBytes = 'BYTES_PER_ELEMENT' in data ? Number(data.BYTES_PER_ELEMENT) : 1
    watch.writtenBytes +=
      elementCount === undefined ? data.byteLength - dataOffset * elementBytes : elementCount * elementBytes
    return writeBuffer.call(queue, buffer, bufferOffset, data as ArrayBuffer, dataOffset, elementCount)
  }
  return watch
}

/**
 * Sets what the library believes a device's speed to be, and keeps it from learning another: how many submits a call makes
 * then depends on the call alone, whatever else the machine does.
 * @param elementsPerMs of every pipeline; at first that of a software device on an idle machine
 */
export function fixSpeed(device: GPUDevice, elementsPerMs = 2 ** 14): void {
  const rates = new Map<string, number>()
  rates.get = () => elementsPerMs
  rates.set = () => rates
  const speed: Speed = {
    rates,
    get dispatchMs() {
      return 0.02
    },
    set dispatchMs(_) {},
  }
  Object.assign(deviceState(device), { speed })
}

/** Calls `act` when a method of an object is called for the nth time (from 1), before the call itself. */
export function onCall<T extends object>(object: T, method: keyof T, nth: number, act: () => void): void {
  const original = object[method] as (...args: unknown[]) => unknown
  let count = 0
  object[method] = ((...args: unknown[]) => {
    if (++count === nth) act()
    return original.apply(object, args)
  }) as never
}
