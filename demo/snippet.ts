import type {
  FanConvention,
  FloatDType,
  GeneratorName,
  InitializeOptions,
  InitializerArgument,
  InitializerName,
} from '../src/index.js'
import { type Config, changedSettings } from './knobs.ts'
import { buildModel, type ModelSource } from './models.ts'

/** The settings of the page, as data. */
export interface Request {
  readonly source: ModelSource
  /** The initializer's name, or 'recipe' for the model's own rules. */
  readonly initializer: string
  readonly config: Config
  /** The seed in decimal notation, because seeds have 64 bits. */
  readonly seed: string
  /** '' is the model's own. */
  readonly dtype: '' | FloatDType
  readonly generator: GeneratorName
  readonly fans: FanConvention
}

/** The arguments for `initializeModel` and `planModel`. */
export function argumentsOf({ source, initializer, config, seed, dtype, generator, fans }: Request) {
  const { model, recipe } = buildModel(source)
  const isRecipe = initializer === 'recipe'
  const argument: InitializerArgument = isRecipe ? recipe! : (initializer as InitializerName)
  const options: InitializeOptions = { seed: BigInt(seed), ...(dtype === '' ? {} : { dtype }), generator, fans }
  return { model, initializer: argument, config: isRecipe ? {} : config, options }
}

/** Code that makes the same bits in the user's own program. */
export function snippetOf({ source, initializer, config, seed, dtype, generator, fans }: Request): string {
  const { code } = buildModel(source)
  const settings = initializer === 'recipe' ? {} : changedSettings(initializer, config)
  const what =
    initializer === 'recipe'
      ? 'recipe, {}'
      : `'${initializer}', ${
          Object.keys(settings).length === 0
            ? '{}'
            : `{ ${Object.entries(settings)
                .map(([name, value]) => `${name}: ${typeof value === 'string' ? `'${value}'` : value}`)
                .join(', ')} }`
        }`
  const literal = Number.isSafeInteger(Number(seed)) ? seed : `${seed}n`
  const options = [
    `seed: ${literal}`,
    ...(dtype === '' ? [] : [`dtype: '${dtype}'`]),
    ...(generator === 'philox' ? [] : [`generator: '${generator}'`]),
    ...(fans === 'layout' ? [] : [`fans: '${fans}'`]),
  ].join(', ')
  return [
    `import { ${['initializeModel', ...code.imports].sort((a, b) => a.localeCompare(b, 'en')).join(', ')} } from 'webgpu-init'`,
    '',
    ...code.lines,
    `const weights = await initializeModel(model, ${what}, { ${options} })`,
    '',
    'const { buffer } = weights.get([...weights.parameters.keys()][0]) // a GPUBuffer, ready to bind',
  ].join('\n')
}
