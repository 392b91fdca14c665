import { byteWidth, type FloatDType } from '../core/dtype.js'
import { blockCounter } from '../fill/make-job.js'
import type { FillSource } from '../ir/job.js'
import { high32, low32 } from '../random/keys.js'
import { simdModule } from './simd-module.js'

/** The exports of assembly/index.ts. The functions work in place on `memory`, beginning with its first byte. */
interface SimdExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  philox4x32(blocks: number, counterLow: number, counterHigh: number, key0: number, key1: number): void
  uniform(count: number, scale: number, offset: number, top: number, step: number, zeroPoint: number): void
  normal(count: number, std: number, mean: number): void
  truncatedNormal(count: number, ...constants: Eleven): void
  float32ToFloat16(count: number): void
  float32ToBfloat16(count: number): void
}
type Five = readonly [number, number, number, number, number]
type Eleven = readonly [...Five, ...Five, number]

/** The part of WebAssembly that is used here. TypeScript declares it only in its DOM library. */
declare const WebAssembly:
  | {
      readonly Module: new (bytes: Uint8Array) => object
      readonly Instance: new (module: object) => { readonly exports: object }
    }
  | undefined

/** How many 32-bit words fit into the module's memory, which is one page. */
const WORDS = 2 ** 14

let instance: SimdExports | null | undefined

/**
 * The samplers in WebAssembly, which are created at the first call. Null if there is no WebAssembly or no 128-bit SIMD, or if
 * the page's content security policy forbids it. They make the same bits as the TypeScript samplers, but faster.
 */
function simdExports(): SimdExports | null {
  if (instance !== undefined) return instance
  instance = null
  try {
    if (typeof WebAssembly !== 'undefined') {
      const module = new WebAssembly.Module(
        Uint8Array.from(simdModule.match(/../g)!, (byte) => Number.parseInt(byte, 16)),
      )
      instance = new WebAssembly.Instance(module).exports as SimdExports
    }
  } catch {
    // The TypeScript samplers are used instead.
  }
  return instance
}

/** What rounds the memory's float32 values in place to each dtype; undefined where only TypeScript does. */
const roundings: Readonly<Record<FloatDType, ((exports: SimdExports, count: number) => void) | undefined>> = {
  float32: () => {},
  float16: (exports, count) => exports.float32ToFloat16(count),
  bfloat16: (exports, count) => exports.float32ToBfloat16(count),
  float8_e4m3fn: undefined,
  float8_e5m2: undefined,
}

/** Turns the first `count` words of the memory into values of a distribution; undefined for a distribution that only TypeScript has. */
function distributionInPlace(
  exports: SimdExports,
  { sampler, constants }: FillSource & { kind: 'sampler' },
): ((count: number) => void) | undefined {
  const floats = new Float32Array(constants.buffer, constants.byteOffset, constants.length)
  const [f0 = 0, f1 = 0, f2 = 0, f3 = 0, f4 = 0, f5 = 0, f6 = 0, f7 = 0, f8 = 0, f9 = 0] = floats
  switch (sampler) {
    case 'uniform':
      return (count) => exports.uniform(count, f0, f1, f2, f3, f4)
    case 'normal':
      return (count) => exports.normal(count, f0, f1)
    case 'truncated_normal': {
      const [b0 = 0, b1 = 0, b2 = 0, b3 = 0, b4 = 0] = constants
      return (count) => exports.truncatedNormal(count, b0, b1, b2, b3, b4, f5, f6, f7, f8, f9, constants[10]!)
    }
    default:
      return undefined
  }
}

/** Writes elements [first, first + count) to `target`, beginning at `target[at]`, little-endian. */
export type RangeWriter = (first: number, count: number, target: Uint8Array, at: number) => void

/**
 * The WebAssembly version of `sampleRange`, with values rounded to the dtype; undefined if the TypeScript version must be used.
 */
export function simdSampler(source: FillSource & { kind: 'sampler' }, dtype: FloatDType): RangeWriter | undefined {
  const exports = simdExports()
  const distribution = exports === null ? undefined : distributionInPlace(exports, source)
  const round = roundings[dtype]
  if (exports === null || distribution === undefined || round === undefined) return undefined
  const width = byteWidth(dtype)
  const memory = new Uint8Array(exports.memory.buffer)
  const key0 = low32(source.stream.key)
  const key1 = high32(source.stream.key)
  return (first, count, target, at) => {
    let skipped = first % 4
    for (let done = 0; done < count; ) {
      const words = Math.min(WORDS, 4 * Math.ceil((skipped + count - done) / 4))
      exports.philox4x32(words / 4, ...blockCounter(source.stream, first + done), key0, key1)
      distribution(words)
      round(exports, words)
      const taken = Math.min(words - skipped, count - done)
      target.set(memory.subarray(skipped * width, (skipped + taken) * width), at + done * width)
      done += taken
      skipped = 0
    }
  }
}

/** Writes float32 values rounded to a dtype, little-endian; false, with nothing written, where only TypeScript can. */
export function simdRound(values: Float32Array, dtype: FloatDType, target: Uint8Array): boolean {
  const round = roundings[dtype]
  const exports = round === undefined ? null : simdExports()
  if (round === undefined || exports === null) return false
  const width = byteWidth(dtype)
  const { buffer } = exports.memory
  const floats = new Float32Array(buffer)
  for (let done = 0; done < values.length; done += WORDS) {
    const part = values.subarray(done, done + WORDS)
    floats.set(part)
    round(exports, part.length)
    target.set(new Uint8Array(buffer, 0, part.length * width), done * width)
  }
  return true
}
