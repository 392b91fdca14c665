import type { DType } from '../core/dtype.js'
import { show, WeightInitError } from '../core/errors.js'
import type { Model, ParameterSpec } from '../ir/parameter.js'
import { defineModel } from '../model/define.js'
import { isConv1dWeight, isFixedBuffer, roleOfTensor, usesConv1d } from './tensor-roles.js'

/** A model read from the tensors of a file: names, shapes and dtypes as they are, roles inferred from the names. */
export interface CheckpointModel {
  readonly model: Model
  /** Parameters that are no weights (masks, index tables): no rule can make them. Skip or copy them. */
  readonly fixed: readonly string[]
  /** Tensors of the file that are not in the model, and why. */
  readonly omitted: readonly OmittedTensor[]
}

export interface OmittedTensor {
  readonly name: string
  readonly reason: string
}

/** A tensor as a file lists it. */
export interface ListedTensor {
  readonly name: string
  readonly shape: readonly number[]
  /** undefined: one that this package cannot write. */
  readonly dtype?: DType
  /** The file's own word for the dtype. */
  readonly storedDType: string
  /** What is known better than the name says. */
  readonly facts?: Partial<Omit<ParameterSpec, 'name' | 'shape' | 'dtype'>>
}

/**
 * A model of these tensors, in their order.
 * @throws WeightInitError `INVALID_FILE` when none can be a parameter; `INVALID_MODEL`, `INVALID_SHAPE` as `defineModel`
 */
export function modelOfTensors(tensors: readonly ListedTensor[], file: string): CheckpointModel {
  const parameters: ParameterSpec[] = []
  const omitted: OmittedTensor[] = []
  const conv1d = usesConv1d(tensors)
  const ranks = new Map(tensors.map(({ name, shape }) => [name, shape.length]))
  for (const { name, shape, dtype, storedDType, facts } of tensors) {
    if (dtype === undefined) omitted.push({ name, reason: `its dtype ${storedDType} cannot be written` })
    else if (shape.includes(0)) omitted.push({ name, reason: 'it has no elements' })
    else {
      const layout = conv1d && isConv1dWeight(name) ? { layout: 'in-out' as const } : {}
      const role = roleOfTensor(name, shape)
      // A norm may have no name of its own (downsample.1): its weight has one axis.
      const ofNorm = role === 'bias' && ranks.get(name.replace(/bias$/, 'weight')) === 1
      parameters.push({ name, shape, dtype, role: ofNorm ? 'norm-bias' : role, ...layout, ...facts })
    }
  }
  if (parameters.length === 0) {
    throw new WeightInitError(
      'INVALID_FILE',
      `${file} holds no tensor that could be a parameter` +
        (omitted[0] === undefined ? '.' : `: ${show(omitted[0].name)} is left out, since ${omitted[0].reason}.`),
    )
  }
  return {
    model: defineModel({ parameters }),
    fixed: parameters.filter(isFixedBuffer).map(({ name }) => name),
    omitted,
  }
}
