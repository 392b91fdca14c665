import { refuse, show } from '../core/errors.js'
import { executeOnCpu } from '../cpu/store.js'
import { executeOnGpu } from '../gpu/execute-plan.js'
import type { InitializationPlan } from '../ir/plan.js'
import type { ResolvedOptions } from '../plan/options.js'
import type { WeightStore } from '../store/weight-store.js'
import { defaultDevice } from './default-device.js'

/** Runs a plan where the options say. All or nothing: a failed run frees what it allocated. */
export async function materialize(plan: InitializationPlan, options: ResolvedOptions): Promise<WeightStore> {
  refuseComputed(plan)
  const device = options.device === 'auto' ? await defaultDevice() : options.device
  return device === 'cpu' ? executeOnCpu(plan, options) : executeOnGpu(plan, options, device)
}

/** What no distribution of this package is: only a recorded program makes it. */
function refuseComputed({ parameters }: InitializationPlan): void {
  for (const { name, action, distribution, generatorSource } of parameters) {
    if (action !== 'initialize' || distribution.kind !== 'computed' || generatorSource !== undefined) continue
    refuse('UNSUPPORTED_GENERATOR')(
      `Parameter ${show(name)} is computed from draws (${distribution.operations}), and no distribution of this package is ` +
        "that. Use generator { name: 'torch-cpu', program } (--generator torch-cpu), which makes it as PyTorch does, or skip it.",
    )
  }
}
