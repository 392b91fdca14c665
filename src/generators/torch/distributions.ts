// The distributions of torch.nn.init, which PyTorch's two sequential generators (CPU and CUDA) share.

import { refuse } from '../../core/errors.js'
import type { DrawingDistribution, GeneratorSourceOf } from '../../ir/generator.js'
import type { GeneratorSampler } from '../kind.js'
import { nextCall, sampleCall, type TorchCall } from './calls.js'
import { LONG_PERMUTATION } from './randperm.js'
import { sampleSparse } from './sparse.js'
import { checkTorchTruncated, isUntruncated, sampleTruncated } from './truncated.js'

type TorchName = 'torch-cpu' | 'torch-cuda'

export const torchDistributions: readonly DrawingDistribution['kind'][] = [
  'uniform',
  'normal',
  'truncated-normal',
  'sparse',
  'orthogonal',
]

/** @param rejects whether trunc_normal_ uses rejection */
export function checkTorchDistribution(
  distribution: DrawingDistribution,
  name: TorchName,
  rejects: boolean,
  where: string,
): void {
  if (distribution.kind === 'sparse' && distribution.rows >= LONG_PERMUTATION) {
    refuse('LIMIT_EXCEEDED')(
      `${where}: sparse with generator ${name} takes fewer than ${LONG_PERMUTATION} rows, but found ${distribution.rows}. ` +
        'Split the matrix, or use the default generator.',
    )
  }
  if (distribution.kind === 'truncated-normal' && rejects) checkTorchTruncated(distribution, where)
}

/**
 * The sampler of either generator.
 * @param callOf returns the call of uniform_ or normal_ with which a source begins
 * @param normalsOf returns the call of normal_ for `count` elements with which a source begins
 */
export const torchSampler = <N extends TorchName>(
  callOf: (source: GeneratorSourceOf<N>) => TorchCall,
  normalsOf: (source: GeneratorSourceOf<N>, count: number) => TorchCall,
): GeneratorSampler<N> => ({
  sample(distribution, source, first, count) {
    const call = callOf(source)
    if (distribution.kind === 'truncated-normal') return sampleTruncated(distribution, call, first, count)
    if (distribution.kind === 'sparse') return sampleSparse(distribution, call, first, count)
    return sampleCall(distribution, call, first, count)
  },
  // A truncated normal of which no value can be rejected is a normal distribution. With inversion it never is.
  simplify(distribution, source) {
    if (distribution.kind !== 'truncated-normal') return distribution
    const inverted = 'truncation' in source && source.truncation === 'inversion'
    if (inverted || !isUntruncated(distribution, callOf(source))) return distribution
    return { kind: 'normal', mean: distribution.mean, std: distribution.std }
  },
  // Every matrix is filled by one call of normal_, in order.
  matrixSources({ batch, rows, columns }, source) {
    let call = normalsOf(source, rows * columns)
    return Array.from({ length: batch }, () => {
      const { generatorSource } = call
      call = nextCall(call, 'normal')
      return generatorSource
    })
  },
})

/** The element count of one call: that of the tensor, or that of one matrix for an orthogonal distribution. */
export const elementsOfCall = (distribution: DrawingDistribution, elementCount: number): number =>
  distribution.kind === 'orthogonal' ? distribution.rows * distribution.columns : elementCount

/**
 * The largest position that a manifest may contain. It is far beyond every model, and leaves room for many draws of the
 * largest tensor before positions are no longer exact integers.
 */
export const LAST_POSITION: number = 2 ** 52

/** Whether a value is a decimal string of an unsigned 64-bit integer. */
export const isDecimal64 = (x: unknown): x is string =>
  typeof x === 'string' && /^[0-9]{1,20}$/.test(x) && BigInt(x) < 2n ** 64n
