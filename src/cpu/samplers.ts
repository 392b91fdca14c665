import type { FillSource } from '../jobs.js'
import { blockCounter } from '../jobs.js'
import { type PartGeometry, partRuns } from '../parts/geometry.js'
import { high32, low32 } from '../random/keys.js'
import { boxMuller } from '../random/normal.js'
import { philox4x32 } from '../random/philox.js'
import { uniformValue } from '../random/uniform.js'

/** Turns the four words of a block into four float32 values at `out[at..at+3]`: the twin of a shader's `sample`. */
export type BlockSampler = (words: Uint32Array, out: Float32Array, at: number) => void

export function blockSampler({ sampler, constants }: FillSource & { kind: 'sampler' }): BlockSampler {
  const [c0 = 0, c1 = 0, c2 = 0, c3 = 0, c4 = 0] = constants
  if (sampler === 'uniform') {
    const law = { scale: c0, offset: c1, top: c2, step: c3, origin: c4 }
    return (words, out, at) => {
      for (let i = 0; i < 4; i++) out[at + i] = uniformValue(words[i]!, law)
    }
  }
  const std = c0
  const mean = c1
  const pair = new Float32Array(2)
  const fround = Math.fround
  return (words, out, at) => {
    boxMuller(pair, words[0]!, words[1]!)
    out[at] = fround(pair[0]! * std) + mean
    out[at + 1] = fround(pair[1]! * std) + mean
    boxMuller(pair, words[2]!, words[3]!)
    out[at + 2] = fround(pair[0]! * std) + mean
    out[at + 3] = fround(pair[1]! * std) + mean
  }
}

/**
 * Elements [first, first + count) of a random parameter as float32, in a new array. Element i depends on the stream
 * and on i alone.
 */
export function sampleRange(source: FillSource & { kind: 'sampler' }, first: number, count: number): Float32Array {
  const shift = first % 4
  const blocks = Math.ceil((shift + count) / 4)
  const out = new Float32Array(blocks * 4)
  const sample = blockSampler(source)
  const words = new Uint32Array(4)
  const key0 = low32(source.stream.seed)
  const key1 = high32(source.stream.seed)
  let [low, high] = blockCounter(source.stream, first)
  for (let block = 0; block < blocks; block++) {
    philox4x32(words, low, high, 0, 0, key0, key1)
    sample(words, out, block * 4)
    low = (low + 1) >>> 0
    if (low === 0) high = (high + 1) >>> 0
  }
  return shift === 0 && count === out.length ? out : out.subarray(shift, shift + count)
}

/** Elements [first, first + count) of a part, run by run. Twin of shaders/fill_part.wgsl. */
export function samplePart(
  source: FillSource & { kind: 'sampler' },
  part: PartGeometry,
  first: number,
  count: number,
): Float32Array {
  const out = new Float32Array(count)
  let done = 0
  for (const run of partRuns(part, first, count)) {
    out.set(sampleRange(source, run.first, run.count), done)
    done += run.count
  }
  return out
}
