// What PyTorch's two sequential generators, CPU and CUDA, have in common: the distributions of torch.nn.init.

import { refuse } from '../../core/errors.js'
import type { DistributionOf } from '../../ir/distribution.js'
import type { DrawingDistribution, GeneratorSource, RandomDistribution } from '../../ir/generator.js'
import { nextCall, sampleCall, type TorchCall } from './calls.js'
import { LONG_PERMUTATION } from './randperm.js'
import { sampleSparse } from './sparse.js'
import { checkTorchTruncated, isUntruncated, sampleTruncated } from './truncated.js'

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
  name: string,
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

/** Elements [first, first + count) of a tensor whose draw begins with this call, float32, in a new array. */
export function sampleTorch(
  distribution: RandomDistribution,
  call: TorchCall,
  first: number,
  count: number,
): Float32Array {
  if (distribution.kind === 'truncated-normal') return sampleTruncated(distribution, call, first, count)
  if (distribution.kind === 'sparse') return sampleSparse(distribution, call, first, count)
  return sampleCall(distribution, call, first, count)
}

/** A truncated normal from which nothing can be rejected is a normal distribution; one by inversion never is. */
export function simplifyTorch(distribution: RandomDistribution, call: TorchCall): RandomDistribution {
  if (distribution.kind !== 'truncated-normal') return distribution
  const inverted = 'truncation' in call.generatorSource && call.generatorSource.truncation === 'inversion'
  if (inverted || !isUntruncated(distribution, call)) return distribution
  return { kind: 'normal', mean: distribution.mean, std: distribution.std }
}

/** The matrices of an orthogonal distribution are filled by a call of normal_ each, in order. */
export function torchMatrixSources(first: TorchCall, { batch }: DistributionOf<'orthogonal'>): GeneratorSource[] {
  let call = first
  return Array.from({ length: batch }, () => {
    const { generatorSource } = call
    call = nextCall(call, 'normal')
    return generatorSource
  })
}

/** Elements of one call: of the tensor, or of each of an orthogonal distribution's matrices. */
export const elementsOfCall = (distribution: DrawingDistribution, elementCount: number): number =>
  distribution.kind === 'orthogonal' ? distribution.rows * distribution.columns : elementCount

/** Far beyond any model: the words after it, of many draws of the largest tensor, still have exact positions. */
export const LAST_POSITION: number = 2 ** 52

/** Whether a value is an unsigned 64-bit integer as a decimal string. */
export const isDecimal64 = (x: unknown): x is string =>
  typeof x === 'string' && /^[0-9]{1,20}$/.test(x) && BigInt(x) < 2n ** 64n
