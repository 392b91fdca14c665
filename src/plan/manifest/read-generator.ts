import { show } from '../../core/errors.js'
import { isDrawn } from '../../distributions/registry.js'
import type { SourceContext } from '../../generators/kind.js'
import { generatorNamed } from '../../generators/registry.js'
import { resolveGenerator } from '../../generators/settings.js'
import { checkGeneratorDistribution } from '../../generators/sources.js'
import { programEngine } from '../../generators/torch/program-engine.js'
import type { Distribution } from '../../ir/distribution.js'
import type {
  GeneratorName,
  GeneratorOption,
  GeneratorSettings,
  GeneratorSource,
  LibraryGeneratorName,
} from '../../ir/generator.js'
import { fail, record } from './fields.js'

/** The settings of a manifest's generator. */
export function readGeneratorSettings(generator: GeneratorName, value: unknown): GeneratorSettings {
  if (value === undefined) {
    if (generator === 'philox') return { name: generator }
    return fail(`generator ${generator} needs its generatorSettings.`)
  }
  const library = generatorNamed(generator)
  const known = ['name', 'layout', ...(library?.settings ?? [])].filter((key) => key !== 'program')
  const { layout, ...settings } = record(value, 'generatorSettings', known)
  if (settings.name !== generator) fail(`generatorSettings are of ${show(settings.name)}, not of ${generator}.`)
  if (layout !== library?.layout) {
    fail(`generatorSettings.layout ${show(layout)} was not made by this release.`)
  }
  return resolveGenerator(settings as unknown as GeneratorOption)
}

export interface SourceOwner {
  readonly settings: GeneratorSettings
  readonly distribution: Distribution
  /** Of the whole tensor. */
  readonly elementCount: number
  readonly tied: boolean
  readonly where: string
}

/** Where a manifest's parameter has its words from. */
export function readGeneratorSource(
  value: unknown,
  { settings, distribution, elementCount, tied, where }: SourceOwner,
): GeneratorSource | undefined {
  const { name } = settings
  const library = generatorNamed(name)
  const drawn = isDrawn(distribution)
  if (value === undefined) {
    if (library !== undefined && drawn && !tied) fail(`${where} needs its generatorSource with generator ${name}.`)
    return undefined
  }
  if (library === undefined) {
    return fail(`${where}: generator ${name} has no generatorSource, but found ${show(value)}.`)
  }
  if (name === 'torch-cpu' && (value as { generator?: unknown } | null)?.generator === 'torch-program') {
    return programEngine().read(value, elementCount, where)
  }
  if (drawn) checkGeneratorDistribution(distribution, settings, where)
  type Fits = (value: unknown, context: SourceContext<LibraryGeneratorName>) => boolean
  const fields = Object.entries<Fits>(library.sourceFields)
  const source = record(value, `${where}: generatorSource`, ['generator', ...fields.map(([field]) => field)])
  const most = library.mostElements ?? Number.MAX_SAFE_INTEGER
  if (elementCount > most)
    fail(`${where}: generator ${name} takes at most ${most} elements, but found ${elementCount}.`)
  const context = { settings, distribution, drawn, elementCount, source } as SourceContext<LibraryGeneratorName>
  const check = (field: string, fits: boolean): void => {
    if (!fits) fail(`${where}: generatorSource.${field} ${show(source[field])} is none of generator ${name}.`)
  }
  check('generator', source.generator === name)
  for (const [field, fits] of fields) check(field, fits(source[field], context))
  return source as unknown as GeneratorSource
}
