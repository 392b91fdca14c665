import { expect } from 'vitest'
import { WeightInitError, type WeightInitErrorCode } from '../../src/core/errors.js'

/**
 * Asserts that `act` throws or rejects with a WeightInitError of this code whose message holds every fragment: the
 * parameter, the value, the remedy.
 */
export async function expectRefusal(
  act: () => unknown,
  code: WeightInitErrorCode,
  ...fragments: string[]
): Promise<WeightInitError> {
  let thrown: unknown
  let result: unknown
  try {
    result = await act()
  } catch (error) {
    thrown = error
  }
  if (thrown === undefined) expect.fail(`should be refused with ${code}, but gave ${describe(result)}`)
  if (!(thrown instanceof WeightInitError)) expect.fail(`should be a WeightInitError ${code}, but is ${thrown}`)
  expect({ code: thrown.code, message: thrown.message }).toEqual({ code, message: thrown.message })
  for (const fragment of fragments) expect(thrown.message).toContain(fragment)
  return thrown
}

function describe(value: unknown): string {
  return Object.prototype.toString.call(value)
}

/** A device that looks like one to the argument check; any other touch of it is an error, and counted. */
export function untouchableDevice(): { device: GPUDevice; touches: string[] } {
  const touches: string[] = []
  const device = new Proxy({} as GPUDevice, {
    get(_, property) {
      // What every promise machinery or error printer may ask, and the duck type of the argument check.
      if (property === 'createComputePipelineAsync') return () => touches.push('createComputePipelineAsync()')
      if (property === 'then' || typeof property === 'symbol' || property === 'toJSON') return undefined
      touches.push(property)
      throw new Error(`the device was touched: ${property}`)
    },
  })
  return { device, touches }
}
