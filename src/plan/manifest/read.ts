import { show, WeightInitError } from '../../core/errors.js'
import { generatorNames } from '../../generators/registry.js'
import type { GeneratorName } from '../../ir/generator.js'
import type { InitializationPlan, PlannedParameter } from '../../ir/plan.js'
import { assemblePlan } from '../assemble.js'
import { fail, record } from './fields.js'
import { readGeneratorSettings } from './read-generator.js'
import { readParameter } from './read-parameter.js'

const manifestKeys = ['format', 'version', 'valueContract', 'generator', 'generatorSettings', 'seed', 'parameters']

/**
 * The plan that a manifest describes. The manifest may come from anywhere: every field is checked, and nothing is
 * allocated.
 *
 * @param manifest what `manifest()` gave, parsed or as JSON text
 * @throws WeightInitError `INVALID_FILE` (or the code of the parameter's fault) naming the field and the value
 */
export function planFromManifest(manifest: unknown): InitializationPlan {
  const parsed = typeof manifest === 'string' ? parseJson(manifest) : manifest
  const table = record(parsed, 'it', manifestKeys)
  const { format, version, valueContract, generator, generatorSettings, seed, parameters } = table
  if (format !== 'webgpu-init-manifest') fail(`format must be "webgpu-init-manifest", but found ${show(format)}.`)
  if (version !== 1 || valueContract !== 1) {
    fail(
      `version ${show(version)} with value contract ${show(valueContract)} was not made by this release, which knows ` +
        'version 1 with contract 1. Use the release that wrote it.',
    )
  }
  if (!(generatorNames as readonly unknown[]).includes(generator)) {
    fail(`unknown generator ${show(generator)}; known: ${generatorNames.join(', ')}.`)
  }
  if (typeof seed !== 'string' || !/^-?[0-9]{1,400}$/.test(seed)) {
    return fail(`seed must be a decimal string, but found ${show(seed)}.`)
  }
  if (!Array.isArray(parameters) || parameters.length === 0) {
    return fail(`parameters must be a list that is not empty, but found ${show(parameters)}.`)
  }
  const integer = BigInt(seed)
  const numeric = Number(seed)
  const options = {
    seed: Number.isSafeInteger(numeric) ? numeric : integer,
    generatorSettings: readGeneratorSettings(generator as GeneratorName, generatorSettings),
  }
  const byName = new Map<string, PlannedParameter>()
  for (const [index, entry] of parameters.entries()) {
    const planned = readParameter(entry, index, options)
    if (byName.has(planned.name)) fail(`two parameters are called ${show(planned.name)}.`)
    byName.set(planned.name, planned)
  }
  for (const planned of byName.values()) checkTie(planned, byName)
  return assemblePlan(options, [...byName.values()])
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new WeightInitError('INVALID_FILE', `Manifest: not valid JSON: ${(cause as Error).message}.`, { cause })
  }
}

function checkTie(
  { name, tiedTo, elementCount, dtype }: PlannedParameter,
  byName: ReadonlyMap<string, PlannedParameter>,
): void {
  if (tiedTo === undefined) return
  const owner = byName.get(tiedTo)
  if (owner === undefined || owner.tiedTo !== undefined) {
    fail(`parameter ${show(name)} is tied to ${show(tiedTo)}, which is no parameter with memory of its own.`)
  } else if (owner.elementCount !== elementCount || owner.dtype !== dtype) {
    fail(`parameter ${show(name)} is tied to ${show(tiedTo)}, which has another size or dtype.`)
  }
}
