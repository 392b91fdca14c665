import { isCpuAdapter } from '../device/adapter-info.js'
import type { DeviceState } from '../device/device-state.js'

/** Invocations per workgroup of the fill shaders: 64 is no worse than 256 on any device measured (bench/results.md). */
export const WORKGROUP_INVOCATIONS = 64

/** Iterations of an invocation on a CPU, where there are enough for LEAST_WORKGROUPS: what it does only once is then little. */
const CPU_ITERATIONS = 32
const LEAST_WORKGROUPS = 16

/**
 * Workgroups of the fill shaders for so many iterations of their loop. More than 2048 bring nothing: the shaders stride. Well under
 * the limit of 65535. A GPU is better filled by many invocations of an iteration each, a CPU by few of many.
 * @param rows jobs that share the dispatch, so many workgroups each
 */
export function workgroupsFor(state: DeviceState, iterations: number, rows = 1): number {
  const most = Math.min(2048, Math.ceil(iterations / WORKGROUP_INVOCATIONS))
  if (!isCpuAdapter(state.device)) return most
  const least = Math.ceil(LEAST_WORKGROUPS / rows)
  return Math.min(most, Math.max(least, Math.ceil(iterations / WORKGROUP_INVOCATIONS / CPU_ITERATIONS)))
}
