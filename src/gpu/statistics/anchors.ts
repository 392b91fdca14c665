import { anchorMask } from '../../statistics/fingerprint.js'
import { LISTED_REPEATS, noRepeats, type Repeats, sortedRepeats } from '../../statistics/repeats.js'
import { USAGE_COPY_SRC, USAGE_STORAGE } from '../device/constants.js'
import type { DeviceState } from '../device/device-state.js'
import { destroyAll, requestBuffers } from '../device/memory.js'
import { copyOut } from '../device/readback.js'
import { submit } from '../device/submit.js'
import { bindGroup } from '../pipelines/bind-groups.js'
import { pipeline } from '../pipelines/pipelines.js'
import { repeatsLayout } from './layout.js'

/** Of the header, and of each anchor. */
const ANCHOR_BYTES = 16
const LABEL = 'webgpu-init repeats'

/** Hashes of some windows of what was measured, by which copies are found. */
export class Anchors {
  readonly buffer: GPUBuffer
  readonly mask: number
  readonly capacity: number
  readonly #state: DeviceState
  /** By id: which tensor, and the element at which the dispatch began. */
  readonly #places: { readonly name: string; readonly firstElement: number }[] = []

  /** @param anchoredCount elements of everything that will be measured and searched for copies; 0: no search */
  constructor(state: DeviceState, anchoredCount: number) {
    this.#state = state
    this.mask = anchorMask(anchoredCount)
    // A third more than expected, and room for the spread of a few.
    this.capacity = anchoredCount === 0 ? 0 : Math.ceil((anchoredCount / (this.mask + 1)) * 1.33) + 256
    this.buffer = state.device.createBuffer({
      label: 'webgpu-init anchors',
      size: (this.capacity + 1) * ANCHOR_BYTES,
      usage: USAGE_STORAGE,
    })
  }

  /** @returns the id by which the shader names what it sees from this element on */
  place(name: string, firstElement: number): number {
    return this.#places.push({ name, firstElement }) - 1
  }

  /** The copies among everything measured so far. */
  async repeats(): Promise<Repeats> {
    if (this.capacity === 0) return noRepeats
    const state = this.#state
    const search = await pipeline(state, { entry: 'statistics/repeats', layout: repeatsLayout })
    const resultBytes = 16 + 16 * LISTED_REPEATS
    const slotBytes = 4 * 2 ** Math.ceil(Math.log2(2 * this.capacity))
    const memory = requestBuffers(state, LABEL, 'to search for copies', {
      slots: { byteLength: slotBytes, usage: USAGE_STORAGE },
      found: { byteLength: resultBytes, usage: USAGE_STORAGE | USAGE_COPY_SRC },
    })
    const { slots, found } = memory.buffers
    try {
      await submit(state, { label: LABEL, subject: 'the search for copies', memory }, (pass) => {
        const buffers = [{ buffer: this.buffer }, { buffer: slots }, { buffer: found }]
        pass.setPipeline(search)
        pass.setBindGroup(0, bindGroup(state, LABEL, repeatsLayout, buffers))
        const groups = Math.ceil(this.capacity / 64)
        pass.dispatchWorkgroups(Math.min(groups, 65535), Math.ceil(groups / 65535))
      })
      let repeats = noRepeats
      await copyOut(state, found, 0, resultBytes, (bytes) => {
        repeats = this.#read(new Uint32Array(bytes.slice().buffer))
      })
      return repeats
    } finally {
      destroyAll(memory.buffers)
    }
  }

  #read(words: Uint32Array): Repeats {
    const place = (at: number): { name: string; element: number } => {
      const { name, firstElement } = this.#places[words[at]!]!
      return { name, element: firstElement + words[at + 1]! }
    }
    const listed = Math.min(words[0]!, LISTED_REPEATS)
    const examples = Array.from({ length: listed }, (_, k) => {
      const first = place(6 + 4 * k)
      return { ...place(4 + 4 * k), firstName: first.name, firstElement: first.element }
    })
    // Where a dtype has few values, a frequent one may make more anchors than there is room for: those are not looked at.
    const anchorCount = Math.min(words[1]!, this.capacity)
    return { anchorCount, count: words[0]!, examples: sortedRepeats(examples) }
  }

  destroy(): void {
    this.buffer.destroy()
  }
}
