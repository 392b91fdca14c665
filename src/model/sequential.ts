import { show, WeightInitError } from '../core/errors.js'
import type { Model, ParameterSpec } from '../ir/parameter.js'

/**
 * Layers that follow one another, like PyTorch's nn.Sequential. The children are called '0', '1', ..., and their parameters
 * 'child.name'. An object gives the children names of your choice, in the object's order, like an OrderedDict in PyTorch.
 *
 * @example
 * const model = sequential(linear(2, 3), relu(), linear(3, 1)) // 0.weight, 0.bias, 2.weight, 2.bias
 * @throws WeightInitError `INVALID_MODEL` for a child that is not a model; the message names its place
 */
export function sequential(...layers: Model[] | [Readonly<Record<string, Model>>]): Model {
  const [first] = layers
  const isRecord =
    layers.length === 1 && typeof first === 'object' && first !== null && !Array.isArray((first as Model).parameters)
  const children = isRecord
    ? Object.entries(first as Record<string, Model>)
    : (layers as Model[]).map((layer, index) => [String(index), layer] as const)
  const parameters: ParameterSpec[] = []
  for (const [name, child] of children) {
    if (typeof child !== 'object' || child === null || !Array.isArray(child.parameters)) {
      throw new WeightInitError(
        'INVALID_MODEL',
        `Layer ${show(name)} of sequential is not a model but ${show(child)}; use a layer function such as linear(784, 256).`,
      )
    }
    for (const spec of child.parameters) {
      parameters.push({
        ...spec,
        name: `${name}.${spec.name}`,
        ...(spec.tiedTo === undefined ? {} : { tiedTo: `${name}.${spec.tiedTo}` }),
      })
    }
  }
  return { parameters, layer: { kind: 'sequential' }, children }
}
