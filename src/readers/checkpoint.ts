import { type DType, isFloatDType } from '../core/dtype.js'
import { show, WeightInitError } from '../core/errors.js'
import type { Model, ParameterSpec } from '../ir/parameter.js'
import { defineModel } from '../model/define.js'
import { inferRole } from '../model/validate.js'
import { namingOf, type ParameterFacts } from './conventions.js'

/**
 * A model read from the tensors of a file: names, shapes and dtypes as they are; roles, layouts and known values by the
 * naming conventions of the libraries that write such files.
 */
export interface CheckpointModel {
  readonly model: Model
  /** Parameters that are no weights (masks, index tables): no rule can make them. Skip or copy them. */
  readonly fixed: readonly string[]
  /** Tensors of the file that are not in the model, and why. */
  readonly omitted: readonly OmittedTensor[]
  /**
   * Parameters whose facts no convention gives for certain, and why. Those of role 'unknown' or 'scale' without an `initial`
   * are refused unless a rule matches them.
   */
  readonly guesses: readonly GuessedTensor[]
}

export interface GuessedTensor {
  readonly name: string
  readonly reason: string
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
  readonly facts?: ParameterFacts
  /** Why the facts may be wrong. */
  readonly doubt?: string
}

/**
 * A model of these tensors, in their order.
 * @throws WeightInitError `INVALID_FILE` when none can be a parameter; `INVALID_MODEL`, `INVALID_SHAPE` as `defineModel`
 */
export function modelOfTensors(tensors: readonly ListedTensor[], file: string): CheckpointModel {
  const parameters: ParameterSpec[] = []
  const omitted: OmittedTensor[] = []
  const guesses: GuessedTensor[] = []
  const naming = namingOf(tensors)
  for (const { name, shape, dtype, storedDType, facts, doubt } of tensors) {
    if (dtype === undefined) omitted.push({ name, reason: `its dtype ${storedDType} cannot be written` })
    else if (shape.includes(0)) omitted.push({ name, reason: 'it has no elements' })
    else {
      const named = facts?.role === undefined ? naming(name, shape) : { facts, doubt }
      const parameter = { name, shape, dtype, ...named.facts, ...facts }
      parameters.push(parameter)
      if (named.doubt !== undefined && !isFixedBuffer(parameter)) guesses.push({ name, reason: named.doubt })
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
    guesses,
  }
}

/** Whether a parameter has no value that could be drawn or is a default: running statistics start at 0 and 1. */
function isFixedBuffer({ name, shape, role, dtype = 'float32' }: ParameterSpec): boolean {
  if (inferRole(name, shape) === 'buffer') return false
  return role === 'buffer' || !isFloatDType(dtype)
}
