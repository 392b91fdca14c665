// The calls of uniform_ and normal_ that PyTorch's initializers are made of, on the CPU and on CUDA alike.

import type { SimpleDistribution, TorchCpuSource, TorchCudaSource } from '../../ir/generator.js'
import { advanceTorch, sampleTorchCpu, type TorchCursor } from './cpu.js'
import { cudaOffsetStep, sampleTorchCuda } from './cuda.js'

/** Where a call begins, and on how many elements. */
export type TorchCall =
  | { readonly generatorSource: TorchCpuSource }
  | { readonly generatorSource: TorchCudaSource; readonly count: number }

/** Elements [first, first + count) of one call, float32, in a new array. */
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

/** Where the next call on as many elements begins, after one of this kind. */
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
