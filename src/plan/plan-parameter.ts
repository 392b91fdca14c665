import { byteWidth, type DType } from '../core/dtype.js'
import { show, WeightInitError } from '../core/errors.js'
import { constantPattern } from '../distributions/constant.js'
import {
  checkDistribution,
  distributionKinds,
  expectedMoments,
  isDistribution,
  isDrawn,
} from '../distributions/registry.js'
import type { SourcePlanner } from '../generators/sources.js'
import { calculateFans } from '../initializers/fans.js'
import { contextOf, type Initializer } from '../initializers/initializer.js'
import type { Distribution } from '../ir/distribution.js'
import type { Patch } from '../ir/job.js'
import type { Parameter } from '../ir/parameter.js'
import type { PlannedParameter } from '../ir/plan.js'
import { parameterStream } from '../random/keys.js'
import type { Choice } from './choose-initializer.js'
import { effectiveDType, type ResolvedOptions } from './options.js'

/** A parameter as the model has it, whole: which part of it is stored is not settled yet, see parts/cut.ts. */
export interface WholeParameter
  extends Omit<PlannedParameter, 'shape' | 'elementCount' | 'byteLength' | 'part' | 'whole'> {
  readonly fullShape: readonly number[]
}

/**
 * What a choice makes of a parameter.
 * @param sourceOf called for every parameter that draws, so that parameters have to be planned in the model's order
 */
export function planParameter(
  parameter: Parameter,
  model: ReadonlyMap<string, Parameter>,
  { initializer, because, citation }: Choice,
  options: ResolvedOptions,
  sourceOf: SourcePlanner,
): WholeParameter {
  const { name, shape: fullShape, elementCount, role, layout } = parameter
  const dtype = effectiveDType(parameter.dtype, options.dtype)
  const where = `Parameter ${show(name)}`
  if (!Number.isSafeInteger(elementCount * byteWidth(dtype))) {
    throw new WeightInitError(
      'INVALID_SHAPE',
      `${where} of shape ${show(fullShape)} has more than 2^53 - 1 bytes, which cannot be addressed.`,
    )
  }
  const absent = typeof initializer === 'string'
  const context = contextOf(parameter, model, options.fans, options.generatorSettings.name)
  const asked: Distribution = absent ? { kind: 'constant', value: 0 } : distributionOf(initializer, context, where)
  const distribution = absent ? asked : checkDistribution(asked, dtype, where)
  const patches = absent ? [] : paddingPatch(parameter, distribution, dtype)
  const drawing = { name, elementCount, dtype, where, ...(patches[0] === undefined ? {} : { paddingRow: patches[0] }) }
  const generatorSource = isDrawn(asked) ? sourceOf(drawing, asked) : undefined
  return {
    name,
    fullShape,
    dtype,
    role,
    layout,
    action: absent ? initializer : 'initialize',
    ...(parameter.tiedTo === undefined ? {} : { tiedTo: parameter.tiedTo }),
    rule: {
      initializer: absent ? initializer : initializer.name,
      config: absent ? {} : initializer.config,
      because,
      ...(citation === undefined ? {} : { citation }),
    },
    ...plannedFans(parameter, context),
    distribution,
    expected: expectedMoments(distribution),
    stream: parameterStream(name, options.seed),
    patches,
    ...(generatorSource === undefined ? {} : { generatorSource }),
  }
}

function plannedFans(
  parameter: Parameter,
  context: ReturnType<typeof contextOf>,
): Pick<PlannedParameter, 'fans' | 'torchFans'> {
  if (parameter.shape.length < 2) return parameter.fan === undefined ? {} : { fans: context.fans() }
  const layout = calculateFans(parameter)
  const torch = calculateFans(parameter, 'torch')
  const same = layout.fanIn === torch.fanIn && layout.fanOut === torch.fanOut
  return { fans: context.fans(), ...(same ? {} : { torchFans: torch }) }
}

/** The padding row of an embedding is 0 after any random distribution, as in PyTorch's nn.Embedding. */
function paddingPatch({ name, paddingIndex, shape }: Parameter, distribution: Distribution, dtype: DType): Patch[] {
  if (paddingIndex === undefined || distribution.kind === 'constant') return []
  if (distribution.kind === 'orthogonal') {
    throw new WeightInitError(
      'INVALID_CONFIG',
      `Parameter ${show(name)}: a row of zeros (paddingIndex ${paddingIndex}) would break its orthogonality; ` +
        'leave paddingIndex out, or choose another initializer for it.',
    )
  }
  const columns = shape[1] ?? 1
  return [{ kind: 'range', first: paddingIndex * columns, count: columns, pattern: constantPattern(0, dtype) }]
}

function distributionOf(initializer: Initializer, context: ReturnType<typeof contextOf>, where: string): Distribution {
  const distribution: unknown = initializer.distribution(context)
  if (isDistribution(distribution)) return distribution
  throw new WeightInitError(
    'INVALID_CONFIG',
    `${where}: initializer ${show(initializer.name)} returned ${show(distribution)}, which is no distribution ` +
      `{ kind, ... }; known kinds: ${distributionKinds.join(', ')}.`,
  )
}
