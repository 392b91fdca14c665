import type { InitializationPlan } from '../../ir/plan.js'
import type { InitializationManifest } from './types.js'

/** The manifest of a plan: what is skipped is not in it. */
export function manifestOf(plan: InitializationPlan): InitializationManifest {
  return {
    format: 'webgpu-init-manifest',
    version: 1,
    valueContract: plan.valueContract,
    generator: plan.generator,
    ...(plan.generator === 'philox' ? {} : { generatorSettings: plan.generatorSettings }),
    seed: String(plan.seed),
    parameters: plan.parameters
      .filter(({ action }) => action !== 'skip')
      .map(({ name, shape, part, dtype, role, rule, distribution, tiedTo, generatorSource, patches }) => ({
        name,
        shape,
        ...(part === undefined ? {} : { part }),
        dtype,
        role,
        initializer: rule.initializer,
        config: rule.config,
        distribution,
        ...(tiedTo === undefined ? {} : { tiedTo }),
        ...(patches[0] === undefined ? {} : { padding: { first: patches[0].first, count: patches[0].count } }),
        ...(generatorSource === undefined ? {} : { generatorSource }),
      })),
  }
}
