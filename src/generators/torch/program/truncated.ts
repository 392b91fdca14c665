// trunc_normal_ by rejection in halves (torch/nn/init.py of PyTorch 2.13): bounds and candidates are rounded to the dtype.

import { erf } from '../../erf.js'
import { advanced } from './advance.js'
import { rounding } from './arithmetic.js'
import { type Draw, normals, numbersOf, uniforms } from './elements.js'

const normalCdf = (x: number): number => (1 + erf(x / Math.SQRT2)) / 2

/** All elements, and where the next call begins. */
export function rejectInDType(draw: Draw): { readonly values: Float32Array; readonly after: Draw['place'] } {
  const { call } = draw
  const [mean, std, low, high] = numbersOf(call) as [number, number, number, number]
  const round = rounding(call.dtype)
  let place = draw.place
  /** A call of normal_ or uniform_ on the whole tensor, at the place that the one before left. */
  const next = (operation: 'normal_' | 'uniform_', first: number, second: number): Float32Array => {
    const one = { ...draw, call: { ...call, operation, arguments: [first, second] }, place }
    place = advanced(one.call, place)
    return (operation === 'normal_' ? normals : uniforms)(one, first, second, 0, call.count)
  }
  const values = new Float32Array(call.count)
  let pending = Array.from(values.keys())
  const [lowest, highest] = [round(low), round(high)]
  if (normalCdf((high - mean) / std) - normalCdf((low - mean) / std) > 0.3) {
    while (pending.length > 0) {
      const drawn = next('normal_', mean, std)
      for (const i of pending) values[i] = drawn[i]!
      pending = pending.filter((i) => values[i]! < lowest || values[i]! > highest)
    }
    return { values, after: place }
  }
  const logPeak = -0.5 * ((Math.max(low, Math.min(mean, high)) - mean) / std) ** 2
  // Differences take a number as the dtype has it, quotients as float32.
  const [centre, scale, peak] = [round(mean), Math.fround(std), round(logPeak)]
  while (pending.length > 0) {
    const drawn = next('uniform_', low, high)
    const units = next('uniform_', 0, 1)
    for (const i of pending) values[i] = drawn[i]!
    pending = pending.filter((i) => {
      const z = round(round(values[i]! - centre) / scale)
      return round(Math.log(units[i]!)) > round(round(round(z * z) * -0.5) - peak)
    })
  }
  return { values, after: place }
}
