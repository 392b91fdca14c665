// What `init` and `plan` have in common: a model, how to initialise it, and which of its parameters.

import type { FloatDType } from '../core/dtype.js'
import type { InitializerName } from '../initializers/names.js'
import { initializerNames } from '../initializers/registry.js'
import type { InitializerArgument } from '../initializers/rules.js'
import type { FanConvention } from '../ir/fans.js'
import type { GeneratorOption } from '../ir/generator.js'
import type { Model } from '../ir/parameter.js'
import type { InitializationPlan } from '../ir/plan.js'
import type { TorchProgram } from '../ir/program.js'
import { createMatcher } from '../model/match.js'
import { validateModel } from '../model/validate.js'
import { type ModelFile, readModelFile } from '../node/model-file.js'
import { diagnosePlan, type PlanFinding } from '../plan/lint.js'
import type { SignalOptions } from '../signal/types.js'
import type { Arguments, Flags } from './arguments.js'
import {
  dtypeFlag,
  dtypeOf,
  fansFlag,
  fansOf,
  generatorFlag,
  generatorOf,
  patternFlag,
  patternsOf,
  seedFlag,
  seedOf,
} from './flags.js'
import { readSettings, refuseSettingsOfRecipe, settingFlags } from './settings.js'
import { UsageError } from './usage.js'

export const modelFlags: Flags = {
  head: {
    value: 'CLASS',
    help: "of a config.json: the class to read, in place of its architectures: 'BertModel', ...",
  },
  transformers: { value: '5|4', help: 'of a config.json: the major version of transformers that is meant, default 5' },
  init: {
    value: 'NAME',
    help: `recipe (the model's own, default; where the file names none: torch_default), or ${initializerNames.join(', ')}`,
  },
  ...settingFlags,
  seed: seedFlag,
  dtype: dtypeFlag,
  generator: generatorFlag,
  fans: fansFlag,
  strict: { help: 'refuse to give a value to any tensor whose kind is only a guess' },
  only: patternFlag("initialise only parameters of these names: globs such as 'classifier.*', or /regexp/; repeatable"),
  skip: patternFlag('leave these out; repeatable'),
}

/** The kinds of models, for the descriptions of commands. */
export const modelKinds: string =
  'a Hugging Face config.json; a recording of a Python model (python/record.py); a .safetensors file, a ' +
  'model.safetensors.index.json or an .onnx file (fresh weights of the ' +
  'same names and shapes); model JSON, { "layers": [["linear", 784, 256], "relu", ...] } or { "parameters": [{ "name", ' +
  '"shape", ... }] }; or a folder with one of them'

type PatternOption = ReturnType<typeof patternsOf>

/** A model, and everything else that `planModel` takes. */
export interface ModelRequest extends Pick<ModelFile, 'tied' | 'fixed' | 'omitted' | 'guesses' | 'rounded' | 'files'> {
  /** Options for `propagateSignal` from the model's file. */
  readonly signal: SignalOptions
  /** A short name: the model's architecture, or the file's name. */
  readonly label: string
  readonly model: Model
  readonly initializer: InitializerArgument
  readonly config: Readonly<Record<string, unknown>>
  readonly options: {
    readonly seed?: bigint
    readonly dtype?: FloatDType
    readonly generator?: GeneratorOption
    readonly fans?: FanConvention
    readonly only?: PatternOption
    readonly skip?: PatternOption
  }
}

/** Reads the flags alone, so that wrong values are refused before any file is opened. */
export function readModelFlags(args: Arguments): Pick<ModelRequest, 'config' | 'options'> & {
  readonly init: string
  readonly head?: string
  readonly transformers?: 5 | 4
} {
  const config = readSettings(args)
  const init = args.text('init') ?? 'recipe'
  refuseSettingsOfRecipe(init, config)
  const seed = seedOf(args)
  const dtype = dtypeOf(args)
  const generator = generatorOf(args)
  const fans = fansOf(args)
  const options = {
    ...(seed === undefined ? {} : { seed }),
    ...(dtype === undefined ? {} : { dtype }),
    ...(generator === undefined ? {} : { generator }),
    ...(fans === undefined ? {} : { fans }),
    ...(args.has('only') ? { only: patternsOf(args, 'only') } : {}),
    ...(args.has('skip') ? { skip: patternsOf(args, 'skip') } : {}),
  }
  const head = args.text('head')
  const version = args.choice('transformers', ['5', '4'])
  return {
    init,
    config,
    options,
    ...(head === undefined ? {} : { head }),
    ...(version === undefined ? {} : { transformers: version === '5' ? 5 : 4 }),
  }
}

/** Reads the model's file, and refuses patterns that match no parameter. */
export async function readModel(
  path: string,
  flags: ReturnType<typeof readModelFlags>,
  abort: AbortSignal,
): Promise<ModelRequest> {
  const { init, config, options, head, transformers } = flags
  const classOptions = {
    ...(head === undefined ? {} : { head }),
    ...(transformers === undefined ? {} : { transformers }),
  }
  const file = await readModelFile(
    path,
    { ...classOptions, ...(options.dtype === undefined ? {} : { dtype: options.dtype }) },
    abort,
  )
  const { kind, title, model, recipe, tied, fixed, omitted, guesses, rounded, program, files, signal = {} } = file
  if ((head ?? transformers) !== undefined && kind !== 'huggingface') {
    throw new UsageError(
      `--${head === undefined ? 'transformers' : 'head'} is for a Hugging Face config.json, and ${path} is not one.`,
    )
  }
  refuseIdlePatterns(model, 'only', options.only)
  refuseIdlePatterns(model, 'skip', options.skip)
  const noWeights = new Set(fixed)
  // The program makes what was recorded, not what another initializer asks for.
  const replayed = init === 'recipe' ? withProgram(options.generator, program) : undefined
  return {
    label: title.replace(/ \(.*/, ''),
    model,
    signal,
    tied,
    fixed,
    omitted,
    ...(replayed !== undefined && rounded !== undefined ? { rounded } : {}),
    guesses,
    files,
    // An unknown name is refused when the plan is made.
    initializer: init === 'recipe' ? (recipe ?? 'torch_default') : (init as InitializerName),
    config,
    options: {
      ...options,
      ...(replayed === undefined ? {} : { generator: replayed }),
      ...(fixed.length === 0
        ? {}
        : {
            skip: [
              ...(options.skip ?? []),
              function noWeight({ name }: { name: string }) {
                return noWeights.has(name)
              },
            ],
          }),
    },
  }
}

/** The generator torch-cpu with a recording's program; undefined for other generators, and where there is none. */
function withProgram(
  generator: GeneratorOption | undefined,
  program: TorchProgram | undefined,
): GeneratorOption | undefined {
  const settings = typeof generator === 'object' ? generator : { name: generator }
  return settings?.name === 'torch-cpu' && program !== undefined
    ? { ...settings, name: 'torch-cpu', program }
    : undefined
}

/** The findings of `diagnosePlan`. With --strict a guess is an error. */
export function findingsOf(request: ModelRequest, plan: InitializationPlan, args: Arguments): PlanFinding[] {
  return diagnosePlan(plan, request.tied, request.guesses).map((finding) =>
    args.has('strict') && finding.code === 'role-guessed' ? { ...finding, severity: 'error' } : finding,
  )
}

function refuseIdlePatterns(model: Model, flag: string, patterns: PatternOption = []): void {
  const parameters = validateModel(model)
  for (const pattern of patterns) {
    const matcher = createMatcher(pattern, `--${flag}`)
    if (parameters.some((parameter) => matcher.matches(parameter))) continue
    const names = parameters.slice(0, 5).map(({ name }) => name)
    throw new UsageError(
      `--${flag} ${matcher.text} matches none of the model's ${parameters.length} parameters: ${names.join(', ')}` +
        `${parameters.length > names.length ? ', ...' : ''}.`,
    )
  }
}
