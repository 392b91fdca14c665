import { byteWidth, checkDType } from '../../core/dtype.js'
import { show } from '../../core/errors.js'
import { isInteger } from '../../core/integers.js'
import { constantPattern } from '../../distributions/constant.js'
import { expectedMoments } from '../../distributions/registry.js'
import type { GeneratorSettings } from '../../ir/generator.js'
import { type ParameterRole, parameterRoles } from '../../ir/parameter.js'
import type { ParameterPart } from '../../ir/part.js'
import type { PlannedParameter } from '../../ir/plan.js'
import { validateShape } from '../../model/validate.js'
import { parameterStream } from '../../random/keys.js'
import { checkPart, checkPartSource, partShape } from '../parts/cut.js'
import { wholeMatrices } from '../parts/whole.js'
import { fail, record } from './fields.js'
import { readDistribution } from './read-distribution.js'
import { readGeneratorSource } from './read-generator.js'

const entryKeys = [
  'name',
  'shape',
  'part',
  'dtype',
  'role',
  'initializer',
  'config',
  'distribution',
  'tiedTo',
  'padding',
  'generatorSource',
]

/** @param index in the manifest's list */
export function readParameter(
  value: unknown,
  index: number,
  { seed, generatorSettings }: { seed: number | bigint; generatorSettings: GeneratorSettings },
): PlannedParameter {
  const entry = record(value, `parameters[${index}]`, entryKeys)
  const { name, role, initializer, config, tiedTo } = entry
  if (typeof name !== 'string' || name.length === 0) {
    return fail(`parameters[${index}]: name must be a non-empty string, but found ${show(name)}.`)
  }
  const where = `Parameter ${show(name)}`
  const { shape, elementCount } = validateShape(entry.shape, where)
  const dtype = checkDType(entry.dtype, where)
  if (!(parameterRoles as readonly unknown[]).includes(role)) {
    fail(`${where}: unknown role ${show(role)}; known: ${parameterRoles.join(', ')}.`)
  }
  if (typeof initializer !== 'string') fail(`${where}: initializer must be a name, but found ${show(initializer)}.`)
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    fail(`${where}: config must be an object, but found ${show(config)}.`)
  }
  if (tiedTo !== undefined && typeof tiedTo !== 'string') {
    fail(`${where}: tiedTo must be a name, but found ${show(tiedTo)}.`)
  }
  const byteLength = elementCount * byteWidth(dtype)
  if (!Number.isSafeInteger(byteLength)) fail(`${where} of shape ${show(shape)} has more than 2^53 - 1 bytes.`)
  const part = entry.part === undefined ? undefined : readPart(entry.part, shape, where)
  const fullCount = (part?.fullShape ?? shape).reduce((product, length) => product * length, 1)
  const distribution = readDistribution(entry.distribution, dtype, fullCount, where)
  const padding = entry.padding === undefined ? undefined : readPadding(entry.padding, fullCount, where)
  if (padding !== undefined && distribution.kind === 'orthogonal')
    fail(`${where}: an orthogonal distribution has no padding row.`)
  const whole = part === undefined ? undefined : wholeMatrices(distribution, part)
  const generatorSource = readGeneratorSource(entry.generatorSource, {
    settings: generatorSettings,
    distribution,
    elementCount: fullCount,
    tied: tiedTo !== undefined,
    where,
  })
  const planned: PlannedParameter = {
    name,
    shape,
    ...(part === undefined ? {} : { part }),
    ...(whole === undefined ? {} : { whole }),
    elementCount,
    dtype,
    byteLength,
    role: role as ParameterRole,
    layout: 'out-in',
    action: tiedTo === undefined ? 'initialize' : 'tied',
    ...(tiedTo === undefined ? {} : { tiedTo: tiedTo as string }),
    rule: {
      initializer: initializer as string,
      config: config as Readonly<Record<string, unknown>>,
      because: 'the manifest',
    },
    distribution,
    expected: expectedMoments(distribution),
    stream: parameterStream(name, seed),
    patches: padding === undefined ? [] : [{ kind: 'range', ...padding, pattern: constantPattern(0, dtype) }],
    ...(generatorSource === undefined ? {} : { generatorSource }),
  }
  checkPartSource(planned)
  return planned
}

function readPadding(value: unknown, fullCount: number, where: string): { first: number; count: number } {
  const { first, count } = record(value, `${where}: padding`, ['first', 'count'])
  if (!isInteger(first, 0, fullCount - 1) || !isInteger(count, 1, fullCount - first)) {
    return fail(`${where}: padding ${show(value)} is no range of its ${fullCount} elements.`)
  }
  return { first, count }
}

function readPart(value: unknown, shape: readonly number[], where: string): ParameterPart {
  const { fullShape, start, end } = record(value, `${where}: part`, ['fullShape', 'start', 'end'])
  const full = validateShape(fullShape, `${where}: part.fullShape`).shape
  for (const [name, bounds] of Object.entries({ start, end })) {
    const fits =
      Array.isArray(bounds) && bounds.length === full.length && bounds.every((b) => Number.isSafeInteger(b) && b >= 0)
    if (!fits) fail(`${where}: part.${name} must have ${full.length} integers >= 0, but found ${show(bounds)}.`)
  }
  const part = { fullShape: full, start: start as number[], end: end as number[] }
  checkPart(part, `${where}: part`)
  if (shape.length !== full.length || partShape(part).some((length, axis) => length !== shape[axis])) {
    fail(`${where}: the part has shape ${show(partShape(part))}, but the parameter ${show(shape)}.`)
  }
  return part
}
