import { fillSpecOf } from '../../src/distributions/registry.js'
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

/** The one number of a centred distribution: std of a normal, bound of a uniform. Fails for any other distribution. */
export function scaleOf(initializer: Initializer, context: InitializerContext): number {
  const distribution = initializer.distribution(context)
  if (distribution.kind === 'normal' && distribution.mean === 0) return distribution.std
  if (distribution.kind === 'uniform' && distribution.low === -distribution.high) return distribution.high
  throw new Error(`not a centred distribution: ${JSON.stringify(distribution)}`)
}

/** How a random distribution is made, as the samplers take it. */
export function samplerSource(
  distribution: Distribution,
  stream: Stream = { key: 0n, counter: 0n },
): FillSource & { kind: 'sampler' } {
  const { source } = fillSpecOf(distribution, 'float32', stream)
  if (source.kind !== 'sampler') throw new Error(`not a random distribution: ${JSON.stringify(distribution)}`)
  return source
}
