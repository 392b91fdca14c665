import type { Model, ParameterSpec } from '../ir/parameter.js'
import { validateModel } from './validate.js'

/**
 * Makes a model from its list of parameters and checks it: names must be unique, shapes positive integers, and dtypes, roles
 * and layouts known; groups must divide their channels, and tied parameters must have the same dtype and element count.
 *
 * @example
 * const model = defineModel({ parameters: [{ name: 'fc.weight', shape: [10, 256] }, { name: 'fc.bias', shape: [10] }] })
 * @throws WeightInitError `INVALID_MODEL`, `INVALID_SHAPE` or `UNSUPPORTED_DTYPE`, naming the parameter
 */
export function defineModel(model: { readonly parameters: readonly ParameterSpec[] }): Model {
  validateModel(model)
  const parameters = model.parameters.map((spec) =>
    Object.freeze({
      ...spec,
      shape: Object.freeze([...spec.shape]),
      ...(spec.fan === undefined ? {} : { fan: Object.freeze({ ...spec.fan }) }),
    }),
  )
  return { parameters: Object.freeze(parameters) }
}
