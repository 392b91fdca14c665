import { executeOnCpu } from '../cpu/store.js'
import { executeOnGpu } from '../gpu/execute-plan.js'
import type { InitializationPlan } from '../ir/plan.js'
import type { ResolvedOptions } from '../plan/options.js'
import type { WeightStore } from '../store/weight-store.js'
import { defaultDevice } from './default-device.js'

/** Runs a plan where the options say. All or nothing: a failed run frees what it allocated. */
export async function materialize(plan: InitializationPlan, options: ResolvedOptions): Promise<WeightStore> {
  const device = options.device === 'auto' ? await defaultDevice() : options.device
  return device === 'cpu' ? executeOnCpu(plan, options) : executeOnGpu(plan, options, device)
}
