// The calls of uniform_ and normal_ of which PyTorch's initializers consist, on the CPU and on CUDA.

import type { SimpleDistribution, TorchCpuSource, TorchCudaSource } from '../../ir/generator.js'
import { advanceTorch, sampleTorchCpu, type TorchCursor } from './cpu.js'
import { cudaOffsetStep, sampleTorchCuda } from './cuda.js'

/** Where a call begins, and how many elements it draws. */
export type TorchCall =
  | { readonly generatorSource: TorchCpuSource }
  | { readonly generatorSource: TorchCudaSource; readonly count: number }

/** Elements [first, first + count) of one call as float32, in a new array. */
export function sampleCall(
  distribution: SimpleDistribution,
  { generatorSource }: TorchCall,
  first: number,
  count: number,
): Float32Array {
  return generatorSource.generator === 'torch-cpu'
    ? sampleTorchCpu({ distribution, generatorSource }, first, count)
    : sampleTorchCuda({ distribution, generatorSource }, first, count)
}

/** The next call for the same number of elements, after a call of this kind. */
export function nextCall(call: TorchCall, kind: SimpleDistribution['kind']): TorchCall {
  if (!('count' in call)) {
    const { position, cachedAt, ...rest } = call.generatorSource
    return {
      generatorSource: { ...rest, ...advanceTorch(cursorOf(call.generatorSource), kind, call.generatorSource.count) },
    }
  }
  const { generatorSource, count } = call
  const offset = BigInt(generatorSource.offset) + cudaOffsetStep(count, generatorSource.threads)
  return { generatorSource: { ...generatorSource, offset: String(BigInt.asUintN(64, offset)) }, count }
}

/** The place in its stream where a call begins. */
export function cursorOf({ position, cachedAt }: TorchCpuSource): TorchCursor {
  return cachedAt === undefined ? { position } : { position, cachedAt }
}
