import { describeDistribution } from '../distributions/registry.js'
import type { InitializationPlan, PlannedParameter } from '../ir/plan.js'
import type { ResolvedOptions } from './options.js'

/** A plan from its parameters. */
export function assemblePlan(
  { seed, generatorSettings }: Pick<ResolvedOptions, 'seed' | 'generatorSettings'>,
  parameters: readonly PlannedParameter[],
): InitializationPlan {
  const own = parameters.filter(({ action }) => action === 'initialize')
  return {
    valueContract: 1,
    seed,
    generator: generatorSettings.name,
    generatorSettings,
    parameters,
    totals: {
      parameterCount: own.length,
      elementCount: own.reduce((sum, p) => sum + p.elementCount, 0),
      byteLength: own.reduce((sum, p) => sum + p.byteLength, 0),
    },
    toJSON() {
      return {
        valueContract: this.valueContract,
        seed: String(this.seed),
        generator: this.generator,
        ...(this.generator === 'philox' ? {} : { generatorSettings: this.generatorSettings }),
        totals: this.totals,
        parameters: this.parameters.map((p) => ({
          ...withoutPatches(p),
          description: describePlanned(p),
          stream: { key: String(p.stream.key), counter: String(p.stream.counter) },
        })),
      }
    },
  }
}

/** What is drawn; of an orthogonal distribution that is cut, also what is made for it. */
function describePlanned({ distribution, whole }: PlannedParameter): string {
  const description = describeDistribution(distribution)
  if (whole === undefined) return description
  const { matrixCount, rows, columns } = whole
  return `${description}, part of ${matrixCount} whole ${rows} x ${columns} ${matrixCount === 1 ? 'matrix' : 'matrices'}`
}

/** The one patch that a plan has, an embedding's padding row, as the manifest has it: its bytes say nothing to a reader. */
function withoutPatches({ patches: [padding], ...rest }: PlannedParameter): Record<string, unknown> {
  return padding === undefined ? rest : { ...rest, padding: { first: padding.first, count: padding.count } }
}
