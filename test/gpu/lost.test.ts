// A device that is lost while its weights are in use: every call ends in DeviceLostError, none hangs, nothing stays.
import { describe, expect, test } from 'vitest'
import {
  DeviceLostError,
  type InitializedModel,
  initializeModel,
  linear,
  propagateSignal,
  relu,
  rematerialize,
  sequential,
} from '../../src/index.js'
import { requestNodeDevice } from '../../src/node/device.js'
import { adapterName, useDevice } from '../support/gpu.js'
import { watchDevice } from '../support/track.js'

const gpu = useDevice()
const model = sequential(linear(96, 64), relu(), linear(64, 10))
const uses: [string, (weights: InitializedModel) => Promise<unknown>][] = [
  ['read', (weights) => weights.read('0.weight')],
  ['readBytes', (weights) => weights.readBytes('0.weight', 4, 400)],
  ['statistics', (weights) => weights.statistics()],
  ['check', (weights) => weights.check()],
  ['verify', (weights) => weights.verify()],
  ['propagateSignal', (weights) => propagateSignal(model, weights, { batch: 4 })],
  ['rematerialize on the same device', (weights) => weights.rematerialize(weights.device as GPUDevice)],
]

describe(`a device lost in use, on ${adapterName}`, () => {
  describe.each(uses)('%s', (_, use) => {
    // Before the call, and at its first submit.
    test.each([0, 1])('lost at submit %i', async (nth) => {
      const device = await requestNodeDevice()
      const watch = watchDevice(device)
      const weights = await initializeModel(model, 'kaiming', {}, { device, seed: 1 })
      await use(weights).then((made) => (made as Partial<InitializedModel> | undefined)?.destroy?.())
      const held = watch.live.size
      if (nth === 0) {
        device.destroy()
        await device.lost
      } else {
        watch.onSubmit = () => device.destroy()
      }
      const outcome = await use(weights).then(
        (made) => {
          ;(made as Partial<InitializedModel> | undefined)?.destroy?.()
          return made
        },
        (error: unknown) => error,
      )
      expect(outcome).toBeInstanceOf(DeviceLostError)
      expect(watch.live.size).toBe(held)
      weights.destroy()
      expect(watch.live.size).toBe(0)
      using again = await rematerialize(weights.manifest(), gpu.device)
      expect((await again.verify()).ok).toBe(true)
      device.destroy()
    })
  })
})
