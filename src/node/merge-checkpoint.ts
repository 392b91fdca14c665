import { show, showPath, WeightInitError } from '../core/errors.js'
import type { InitializationPlan, PlannedParameter } from '../ir/plan.js'
import type { CheckpointReader, CheckpointTensor } from './checkpoint-reader.js'
import { type StoredTensor, storedTensor } from './writers/checkpoint-writer.js'

/**
 * The tensors of a checkpoint in which the plan's parameters are initialised and all others are copied from the base. They
 * are in the order of the base; new tensors come at the end.
 *
 * @throws WeightInitError `INVALID_MODEL` for a parameter that is neither initialised nor in the base, for one that has
 *   another shape or dtype in the base, and for a tied parameter that the base stores separately
 */
export function mergeCheckpoint(plan: InitializationPlan, base: CheckpointReader): StoredTensor[] {
  const fresh = new Map(plan.parameters.filter(({ action }) => action === 'initialize').map((p) => [p.name, p]))
  const refuse = (parameter: PlannedParameter, what: string): never => {
    throw new WeightInitError('INVALID_MODEL', `Parameter ${show(parameter.name)} ${what}`)
  }
  for (const parameter of plan.parameters) {
    const { name, action, tiedTo } = parameter
    const there = base.tensors.get(name)
    if (action === 'skip') {
      if (there === undefined && tiedTo === undefined) {
        refuse(
          parameter,
          `is not initialised, and ${show(base.path)} has no tensor of that name to copy; initialise it too.`,
        )
      }
      if (there !== undefined) requireSame(parameter, there, base.path)
    } else if (action === 'tied' && there !== undefined && fresh.has(tiedTo ?? '')) {
      refuse(
        parameter,
        `shares the memory of ${show(tiedTo)}, which is initialised, but ${show(base.path)} stores it separately: the copy would ` +
          `differ. Describe the model untied, or leave ${show(tiedTo)} as it is.`,
      )
    }
  }
  const replaced = [...base.tensors.values()].map(({ name, shape, storedDType, dtype, byteLength }): StoredTensor => {
    const parameter = fresh.get(name)
    if (parameter !== undefined) return storedTensor(parameter)
    return { name, shape, storedDType, ...(dtype === undefined ? {} : { dtype }), byteLength }
  })
  const added = [...fresh.values()].filter(({ name }) => !base.tensors.has(name)).map(storedTensor)
  return [...replaced, ...added]
}

function requireSame({ name, shape, dtype }: PlannedParameter, there: CheckpointTensor, path: string): void {
  const mismatch = (what: string, model: string, file: string, remedy: string): never => {
    throw new WeightInitError(
      'INVALID_MODEL',
      `Parameter ${show(name)} has the ${what} ${model} in the model and ${file} in ${showPath(path)}; ${remedy}.`,
    )
  }
  if (shape.length !== there.shape.length || shape.some((length, axis) => length !== there.shape[axis])) {
    mismatch('shape', `[${shape}]`, `[${there.shape}]`, 'initialise it too, or take the checkpoint of this model')
  }
  if (dtype !== there.dtype) {
    const remedy = `initialise it too, or give the model the checkpoint's dtype`
    mismatch('dtype', dtype, there.dtype ?? there.storedDType, remedy)
  }
}
