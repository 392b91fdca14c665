import { refuse, show } from '../core/errors.js'
import type { Distribution } from '../ir/distribution.js'
import type { DrawingDistribution, GeneratorSettings, GeneratorSource } from '../ir/generator.js'
import { seedKey } from '../random/keys.js'
import type { Drawing } from './kind.js'
import { generatorNamed } from './registry.js'
import { programEngine } from './torch/program-engine.js'

/**
 * Returns where a parameter's words come from; undefined for the package's own streams. It is called once for every parameter
 * whose distribution is random, in the model's order, with the distribution that the initializer returned.
 */
export type SourcePlanner = (drawing: Drawing, distribution: Distribution) => GeneratorSource | undefined

/**
 * Below this std, the rounding error of a float32 product could be subnormal, and WGSL allows a device to flush it to zero: see
 * docs/value-contract.md.
 */
const SMALLEST_STD_BESIDE_MEAN = 2 ** -36

/**
 * Assigns words to parameters. PyTorch's sequential generators assign them in the order of the draws, in which constants and
 * tied or skipped parameters take none. Generators with keys assign them by name.
 */
export function sourcePlanner(settings: GeneratorSettings, seed: number | bigint): SourcePlanner {
  if ('program' in settings && settings.program !== undefined) {
    return programEngine().assign(settings.program, seedKey(seed), settings.variant)
  }
  const assign = generatorNamed(settings.name)?.assign(settings as never, seedKey(seed))
  if (assign === undefined) return () => undefined
  return (drawing, distribution) => assign(drawing, checkGeneratorDistribution(distribution, settings, drawing.where))
}

/**
 * Checks that the generator's library has this distribution and that its values can be the library's.
 * @throws WeightInitError `UNSUPPORTED_GENERATOR`, `INVALID_CONFIG` or `LIMIT_EXCEEDED`
 */
export function checkGeneratorDistribution(
  distribution: Distribution,
  settings: GeneratorSettings,
  where: string,
): DrawingDistribution {
  const { name } = settings
  const library = generatorNamed(name)
  const kinds: readonly string[] = library?.distributions ?? []
  if (!kinds.includes(distribution.kind)) {
    refuse('UNSUPPORTED_GENERATOR')(
      `${where}: generator ${name} draws ${kinds.join(', ')} distributions, but its initializer asks ` +
        `for ${distribution.kind}. Choose another initializer for it, skip it, or use the default generator.`,
    )
  }
  const drawing = distribution as DrawingDistribution
  library?.check?.(drawing, settings as never, where)
  if (drawing.kind === 'normal' || drawing.kind === 'truncated-normal') {
    if (drawing.mean !== 0 && drawing.std !== 0 && drawing.std < SMALLEST_STD_BESIDE_MEAN) {
      refuse('INVALID_CONFIG')(
        `${where}: generator ${name} needs std >= 2^-36 with a non-zero mean, but found std ${show(drawing.std)}.`,
      )
    }
  }
  return drawing
}
