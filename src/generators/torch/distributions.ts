// What PyTorch's two sequential generators, CPU and CUDA, have in common: the distributions of torch.nn.init.

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

/** @param rejects whether trunc_normal_ is made by rejection */
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
 * How the values of either generator are made.
 * @param callOf the call of uniform_ or normal_ with which a source begins
 * @param normalsOf the call of normal_ on so many elements with which it begins
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
  // A truncated normal from which nothing can be rejected is a normal distribution; one by inversion never is.
  simplify(distribution, source) {
    if (distribution.kind !== 'truncated-normal') return distribution
    const inverted = 'truncation' in source && source.truncation === 'inversion'
    if (inverted || !isUntruncated(distribution, callOf(source))) return distribution
    return { kind: 'normal', mean: distribution.mean, std: distribution.std }
  },
  // The matrices are filled by a call of normal_ each, in order.
  matrixSources({ batch, rows, columns }, source) {
    let call = normalsOf(source, rows * columns)
    return Array.from({ length: batch }, () => {
      const { generatorSource } = call
      call = nextCall(call, 'normal')
      return generatorSource
    })
  },
})

/** Elements of one call: of the tensor, or of each of an orthogonal distribution's matrices. */
export const elementsOfCall = (distribution: DrawingDistribution, elementCount: number): number =>
  distribution.kind === 'orthogonal' ? distribution.rows * distribution.columns : elementCount

/** Far beyond any model: the words after it, of many draws of the largest tensor, still have exact positions. */
export const LAST_POSITION: number = 2 ** 52

/** Whether a value is an unsigned 64-bit integer as a decimal string. */
export const isDecimal64 = (x: unknown): x is string =>
  typeof x === 'string' && /^[0-9]{1,20}$/.test(x) && BigInt(x) < 2n ** 64n
