import { calculateFans } from '../../src/initializers/fans.js'
import type { Initializer, InitializerContext } from '../../src/initializers/types.js'
import type { Parameter, ParameterSpec } from '../../src/model/types.js'
import { validateModel } from '../../src/model/validate.js'

/** A parameter of this shape with every default filled in. */
export function parameterOf(shape: readonly number[], facts: Partial<ParameterSpec> = {}): Parameter {
  return validateModel({ parameters: [{ name: 'w', shape, ...facts }] })[0]!
}

export function contextFor(shape: readonly number[], facts: Partial<ParameterSpec> = {}): InitializerContext {
  const parameter = parameterOf(shape, facts)
  return { parameter, fans: () => calculateFans(parameter) }
}

/** The one number of a centred law: std of a normal, bound of a uniform. Fails for any other law. */
export function scaleOf(initializer: Initializer, context: InitializerContext): number {
  const law = initializer.distribution(context)
  if (law.kind === 'normal' && law.mean === 0) return law.std
  if (law.kind === 'uniform' && law.low === -law.high) return law.high
  throw new Error(`not a centred law: ${JSON.stringify(law)}`)
}
