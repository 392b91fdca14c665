import { roundParameter } from '../distributions/custom.js'
import { blockCounter } from '../fill/make-job.js'
import type { CustomSampler } from '../ir/distribution.js'
import type { FillSource, SamplerName } from '../ir/job.js'
import { high32, low32 } from '../random/keys.js'
import { normalQuad } from '../random/normal.js'
import { philox4x32 } from '../random/philox.js'
import { permutedRow } from '../random/sparse.js'
import { truncatedNormalValue } from '../random/truncated-normal.js'
import { uniformValue } from '../random/uniform.js'

/**
 * The CPU reference of a shader's `sampleWords`. It writes four float32 values, made from the words of a block, to out[at] to
 * out[at + 3]. `block` is the block's index within the parameter.
 */
export type BlockSampler = (words: Uint32Array, block: number, out: Float32Array, at: number) => void

/** Makes a sampler from a distribution's twelve constants, which are passed as integers and as float32. */
const samplers: Readonly<Record<SamplerName, (bits: Uint32Array, floats: Float32Array) => BlockSampler>> = {
  uniform(_, [scale = 0, offset = 0, top = 0, step = 0, zeroPoint = 0]) {
    const constants = { scale, offset, top, step, zeroPoint }
    return (words, _block, out, at) => {
      for (let lane = 0; lane < 4; lane++) out[at + lane] = uniformValue(words[lane]!, constants)
    }
  },
  normal:
    (_, [std = 0, mean = 0]) =>
    (words, _block, out, at) =>
      normalQuad(words, std, mean, out, at),
  truncated_normal: (bits, floats) => (words, _block, out, at) => {
    for (let lane = 0; lane < 4; lane++) out[at + lane] = truncatedNormalValue(words[lane]!, bits, floats)
  },
  sparse([, rows = 0, columns = 0, zeros = 0, key0 = 0, key1 = 0, halfBits = 0], [std = 0]) {
    return (words, block, out, at) => {
      normalQuad(words, std, 0, out, at)
      for (let lane = 0; lane < 4; lane++) {
        const index = block * 4 + lane
        const row = Math.floor(index / columns)
        if (row < rows && permutedRow(row, index % columns, rows, halfBits, key0, key1) < zeros) out[at + lane] = 0
      }
    }
  },
}

function customSampler({ sample, parameters: types }: CustomSampler, constants: Uint32Array): BlockSampler {
  const view = new DataView(constants.buffer)
  const parameters = Object.fromEntries(
    Object.entries(types).map(([key, type], index) => {
      const at = 4 * index
      const value =
        type === 'f32' ? view.getFloat32(at, true) : type === 'i32' ? view.getInt32(at, true) : view.getUint32(at, true)
      return [key, roundParameter(value, type)]
    }),
  )
  return (words, _block, out, at) => {
    for (let lane = 0; lane < 4; lane++) out[at + lane] = sample(words[lane]!, parameters)
  }
}

export function blockSampler({ sampler, constants }: FillSource & { kind: 'sampler' }): BlockSampler {
  return typeof sampler === 'string'
    ? samplers[sampler](constants, new Float32Array(constants.buffer))
    : customSampler(sampler, constants)
}

/**
 * Elements [first, first + count) of a random parameter as float32, in a new array. Element i depends only on the stream and
 * on i. CPU reference of shaders/fill/fill.wgsl; src/cpu/simd.ts makes the same bits faster.
 */
export function sampleRange(source: FillSource & { kind: 'sampler' }, first: number, count: number): Float32Array {
  const shift = first % 4
  const blocks = Math.ceil((shift + count) / 4)
  const out = new Float32Array(blocks * 4)
  const sample = blockSampler(source)
  const words = new Uint32Array(4)
  const key0 = low32(source.stream.key)
  const key1 = high32(source.stream.key)
  const firstBlock = Math.floor(first / 4)
  let [low, high] = blockCounter(source.stream, first)
  for (let block = 0; block < blocks; block++) {
    philox4x32(words, low, high, 0, 0, key0, key1)
    sample(words, firstBlock + block, out, block * 4)
    low = (low + 1) >>> 0
    if (low === 0) high = (high + 1) >>> 0
  }
  return shift === 0 && count === out.length ? out : out.subarray(shift, shift + count)
}
