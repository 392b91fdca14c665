import { show, WeightInitError } from '../core/errors.js'
import type { CustomSampler, DistributionOf, SamplerParameterType } from '../ir/distribution.js'
import { brief, checkFinite, fail, requireFloat } from './checks.js'
import type { DistributionDefinition } from './kind.js'

/** The WGSL module that connects the fill shader to the user's sampler: it builds `Params` and calls `sample` for each word. */
export function customSamplerModule({ name, parameters }: CustomSampler): string {
  const component = ['x', 'y', 'z', 'w']
  const entries = Object.entries(parameters)
  const fields = entries.map(([key, type]) => `  ${key}: ${type},`)
  const values = entries.map(([, type], index) => {
    const bits = `constants.${'abc'[index >> 2]}.${component[index & 3]}`
    return type === 'u32' ? bits : `bitcast<${type}>(${bits})`
  })
  return [
    '//#import "core/constants"',
    `//#import "custom/${name}"`,
    // WGSL does not allow empty structs.
    `struct Params {\n${fields.length > 0 ? fields.join('\n') : '  unused: u32,'}\n}`,
    'fn sampleWords(words: vec4<u32>, block: vec2<u32>, constants: Constants, zero: u32) -> vec4<f32> {',
    `  let params = Params(${values.length > 0 ? values.join(', ') : '0u'});`,
    '  return vec4<f32>(',
    ...['x', 'y', 'z', 'w'].map((c) => `    sample(words.${c}, params, zero),`),
    '  );',
    '}',
  ].join('\n')
}

/** The value that the shader gets for a parameter. */
export function roundParameter(value: number, type: SamplerParameterType): number {
  return type === 'f32' ? Math.fround(value) : value
}

export const customDistribution: DistributionDefinition<DistributionOf<'custom'>> = {
  drawn: true,
  fields: undefined,
  check(distribution, dtype, where) {
    const { sampler, parameters } = distribution
    requireFloat(dtype, sampler.name, where)
    for (const key of Object.keys(parameters)) {
      if (!Object.hasOwn(sampler.parameters, key)) {
        fail(
          where,
          `sampler ${show(sampler.name)} has no parameter ${show(key)}; it takes: ${Object.keys(sampler.parameters).join(', ') || 'none'}.`,
        )
      }
    }
    for (const [key, type] of Object.entries(sampler.parameters)) {
      const value = checkFinite(parameters[key], `parameter ${key} of sampler ${show(sampler.name)}`, where)
      const [low, high] =
        type === 'u32' ? [0, 2 ** 32 - 1] : type === 'i32' ? [-(2 ** 31), 2 ** 31 - 1] : [-3.4e38, 3.4e38]
      if (value < low || value > high || (type !== 'f32' && !Number.isInteger(value))) {
        fail(where, `parameter ${key} of sampler ${show(sampler.name)} must fit ${type}, but found ${value}.`)
      }
    }
    const { mean, std } = sampler.moments(parameters)
    if (!Number.isFinite(mean) || !Number.isFinite(std)) {
      throw new WeightInitError(
        'INVALID_CONFIG',
        `${where}: moments() of sampler ${show(sampler.name)} must give a finite mean and std, but found ${show({ mean, std })}.`,
      )
    }
    return distribution
  },
  expected: ({ sampler, parameters }) => ({
    min: Number.NEGATIVE_INFINITY,
    max: Number.POSITIVE_INFINITY,
    ...sampler.moments(parameters),
  }),
  describe: ({ sampler, parameters }) =>
    `${sampler.name}(${Object.entries(parameters)
      .map(([key, value]) => `${key} ${brief(value)}`)
      .join(', ')})`,
  fill({ sampler, parameters }, _, stream) {
    const constants = new Uint32Array(12)
    const view = new DataView(constants.buffer)
    Object.entries(sampler.parameters).forEach(([key, type], index) => {
      if (type === 'f32') view.setFloat32(4 * index, parameters[key]!, true)
      else view.setUint32(4 * index, parameters[key]! >>> 0, true)
    })
    return { source: { kind: 'sampler', sampler, constants, stream }, patches: [] }
  },
}
