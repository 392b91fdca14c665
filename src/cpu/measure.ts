import { viewFloat32 } from '../core/decode.js'
import { byteWidth } from '../core/dtype.js'
import { eventLoopTurn } from '../core/event-loop.js'
import { Accumulator } from '../statistics/accumulate.js'
import { anchorMask } from '../statistics/fingerprint.js'
import type { MeasuredTensor } from '../statistics/measured-tensor.js'
import type { Measurement } from '../statistics/measurement.js'
import { noRepeats, RepeatFinder, type Repeats } from '../statistics/repeats.js'
import type { MeasureOptions } from '../store/weight-store.js'

/** How many elements are measured before the event loop may run and the abort signal is checked. */
const CHUNK_ELEMENTS = 2 ** 18

/** Measures tensors in host memory or read from a file. It is the CPU reference of src/gpu/statistics. */
export class CpuMeasurer {
  readonly #mask: number
  readonly #finder: RepeatFinder | undefined
  readonly #signal: AbortSignal | undefined
  readonly #measurements: Measurement[][] = []
  #sinceTurn = 0

  /** @param tensors all tensors that will be measured */
  constructor(tensors: readonly MeasuredTensor[], { repeats, signal }: MeasureOptions) {
    const anchored = tensors.filter((tensor) => tensor.anchored)
    this.#mask = anchorMask(anchored.reduce((sum, { parameter }) => sum + parameter.elementCount, 0))
    this.#finder = repeats ? new RepeatFinder() : undefined
    this.#signal = signal
  }

  /** @param read returns bytes [start, start + length) of the tensor */
  async measure(
    tensor: MeasuredTensor,
    read: (start: number, length: number) => Uint8Array | Promise<Uint8Array>,
  ): Promise<Measurement[]> {
    const { parameter, normalisation, runs, anchored } = tensor
    const { name, dtype } = parameter
    const width = byteWidth(dtype)
    const finder = anchored ? this.#finder : undefined
    const measured: Measurement[] = []
    for (const { firstElement, elementCount, padding } of runs) {
      const anchors =
        finder === undefined || padding
          ? undefined
          : {
              mask: this.#mask,
              sink: (bits: Uint32Array, at: number, index: number) => finder.note(name, firstElement + index, bits, at),
            }
      const accumulator = new Accumulator(normalisation, firstElement, anchors)
      for (let at = 0; at < elementCount; at += CHUNK_ELEMENTS) {
        const count = Math.min(CHUNK_ELEMENTS, elementCount - at)
        accumulator.add(viewFloat32(await read((firstElement + at) * width, count * width), dtype))
        this.#sinceTurn += count
        if (this.#sinceTurn >= CHUNK_ELEMENTS) {
          this.#sinceTurn = 0
          await eventLoopTurn()
          this.#signal?.throwIfAborted()
        }
      }
      measured.push(accumulator.finish())
    }
    this.#measurements.push(measured)
    return measured
  }

  result(): { measurements: Measurement[][]; repeats: Repeats } {
    return { measurements: this.#measurements, repeats: this.#finder?.result() ?? noRepeats }
  }
}
