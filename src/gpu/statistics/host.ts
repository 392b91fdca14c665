import { decodeFloat32 } from '../../core/decode.js'
import { byteWidth } from '../../core/dtype.js'
import { Accumulator } from '../../statistics/accumulate.js'
import type { Measurement } from '../../statistics/measurement.js'
import type { DeviceState } from '../device/device-state.js'
import { readSegments } from '../device/readback.js'
import type { GpuMeasuredTensor } from './pieces.js'

/** Elements that the host reads and measures at a time. */
const HOST_ELEMENTS = 2 ** 20

/** Reads a run of a tensor and measures it in float64. */
export async function measureOnHost(
  state: DeviceState,
  { tensor: { parameter, normalisation, runs }, segments }: GpuMeasuredTensor,
  run: number,
  signal: AbortSignal | undefined,
): Promise<Measurement> {
  const { firstElement, elementCount } = runs[run]!
  const accumulator = new Accumulator(normalisation, firstElement)
  const width = byteWidth(parameter.dtype)
  for (let at = 0; at < elementCount; at += HOST_ELEMENTS) {
    signal?.throwIfAborted()
    const count = Math.min(HOST_ELEMENTS, elementCount - at)
    const from = (firstElement + at) * width
    // A copy begins at a whole word.
    const start = Math.floor(from / 4) * 4
    const bytes = await readSegments(state, segments, start, from + count * width - start)
    accumulator.add(decodeFloat32(bytes.subarray(from - start), parameter.dtype))
  }
  return accumulator.finish()
}
