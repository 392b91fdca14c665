import { fillingOf } from '../../src/distributions/registry.js'
import { contextOf, type Initializer, type InitializerContext } from '../../src/initializers/initializer.js'
import type { Distribution } from '../../src/ir/distribution.js'
import type { FillSource } from '../../src/ir/job.js'
import type { Parameter, ParameterSpec } from '../../src/ir/parameter.js'
import { validateModel } from '../../src/model/validate.js'
import type { Stream } from '../../src/random/keys.js'

/** A parameter of this shape with every default filled in. */
export function parameterOf(shape: readonly number[], facts: Partial<ParameterSpec> = {}): Parameter {
  return validateModel({ parameters: [{ name: 'w', shape, ...facts }] })[0]!
}

export function contextFor(shape: readonly number[], facts: Partial<ParameterSpec> = {}): InitializerContext {
  const parameter = parameterOf(shape, facts)
  return contextOf(parameter, new Map([[parameter.name, parameter]]), 'layout')
}

/** The one number of a centred law: std of a normal, bound of a uniform. Fails for any other law. */
export function scaleOf(initializer: Initializer, context: InitializerContext): number {
  const law = initializer.distribution(context)
  if (law.kind === 'normal' && law.mean === 0) return law.std
  if (law.kind === 'uniform' && law.low === -law.high) return law.high
  throw new Error(`not a centred law: ${JSON.stringify(law)}`)
}

/** How a random law is made, as the samplers take it. */
export function samplerSource(
  law: Distribution,
  stream: Stream = { seed: 0n, offset: 0n },
): FillSource & { kind: 'sampler' } {
  const { source } = fillingOf(law, 'float32', stream)
  if (source.kind !== 'sampler') throw new Error(`not a random law: ${JSON.stringify(law)}`)
  return source
}
