// Submits: one place that waits for the device, says what it refused, and hears that it is lost.
import { expect, test, vi } from 'vitest'
import { DeviceLostError, OutOfMemoryError, WeightInitError } from '../../../../src/core/errors.js'
import { deviceState } from '../../../../src/gpu/device/device-state.js'
import { type SubmittedWork, submit } from '../../../../src/gpu/device/submit.js'

const work: SubmittedWork = { label: 'webgpu-init test', subject: '"w"' }

/** A device whose queue is done when the test says so, and which finds this error in a submit. */
function fakeDevice(found: string | null = null) {
  const calls: string[] = []
  const labels: unknown[] = []
  let finish: () => void = () => {}
  let lose: (info: object) => void = () => {}
  const lost = new Promise<object>((resolve) => {
    lose = resolve
  })
  const fence = { destroy: vi.fn() }
  const pass = { dispatchWorkgroups: () => calls.push('dispatch'), end: () => calls.push('end') }
  const encoder = {
    beginComputePass: ({ label }: { label: string }) => {
      labels.push(label)
      return pass
    },
    finish: ({ label }: { label: string }) => {
      labels.push(label)
      return {}
    },
  }
  const device = {
    lost,
    adapterInfo: { isFallbackAdapter: false },
    createBuffer: () => fence,
    createCommandEncoder: ({ label }: { label: string }) => {
      labels.push(label)
      return encoder
    },
    pushErrorScope: (filter: string) => calls.push(`push ${filter}`),
    popErrorScope: async () => {
      calls.push('pop')
      return found === null ? null : { message: found }
    },
    queue: {
      submit: () => calls.push('submit'),
      onSubmittedWorkDone: () =>
        new Promise<void>((resolve) => {
          finish = resolve
        }),
    },
  }
  return { state: deviceState(device as unknown as GPUDevice), calls, labels, finish: () => finish(), lose }
}

test('submits at once, inside an error scope, under its label, and resolves when the device is done', async () => {
  const { state, calls, labels, finish } = fakeDevice()
  let milliseconds: number | undefined
  const done = submit(state, work, (pass) => pass.dispatchWorkgroups(1)).then((found) => {
    milliseconds = found
  })
  expect(calls).toEqual(['push validation', 'dispatch', 'end', 'submit', 'pop'])
  expect(labels).toEqual([work.label, work.label, work.label])
  await new Promise((resolve) => setTimeout(resolve, 5))
  expect(milliseconds).toBe(undefined)
  finish()
  await done
  expect(milliseconds).toBeGreaterThan(1)
  expect(state.onLost.size).toBe(0)
})

test('what the device refuses is a DEVICE_ERROR that names the subject', async () => {
  const { state, finish } = fakeDevice('binding 0 is too small')
  const done = submit(state, work, () => {})
  finish()
  const error = (await done.catch((e: unknown) => e)) as WeightInitError
  expect(error).toBeInstanceOf(WeightInitError)
  expect(error.code).toBe('DEVICE_ERROR')
  expect(error.message).toBe('The device refused the work for "w": binding 0 is too small')
})

test('missing memory is named before the refusal that follows from it', async () => {
  const { state, finish } = fakeDevice('buffer is invalid')
  const memory = { byteLength: 64, purpose: 'to fill "w"', error: Promise.resolve({ message: 'full' } as GPUError) }
  const done = submit(state, { ...work, memory }, () => {})
  finish()
  const error = (await done.catch((e: unknown) => e)) as OutOfMemoryError
  expect(error).toBeInstanceOf(OutOfMemoryError)
  expect(error.message).toBe('The device could not allocate 64 bytes to fill "w": full')
})

test('a device that is lost meanwhile ends the wait', async () => {
  const { state, lose } = fakeDevice()
  const done = submit(state, work, () => {})
  lose({ reason: 'destroyed', message: '' })
  await expect(done).rejects.toThrow(DeviceLostError)
  expect(state.onLost.size).toBe(0)
  await expect(submit(state, work, () => {})).rejects.toThrow(DeviceLostError)
})

test('an error of the encoder closes the error scope', async () => {
  const { state, calls } = fakeDevice()
  const done = submit(state, work, () => {
    throw new RangeError('no')
  })
  await expect(done).rejects.toThrow(RangeError)
  expect(calls).toEqual(['push validation', 'pop'])
})
