import { isCpuAdapter } from '../device/adapter-info.js'
import type { DeviceState } from '../device/device-state.js'

/** Invocations per workgroup of the fill shaders: 64 was no slower than 256 on any measured device (bench/results.md). */
export const WORKGROUP_INVOCATIONS = 64

/** Iterations per invocation on a CPU, if LEAST_WORKGROUPS remain, so that the cost of starting an invocation is small. */
const CPU_ITERATIONS = 32
const LEAST_WORKGROUPS = 16

/**
 * Workgroups of the fill shaders for this number of iterations of their loop. More than 2048 have no advantage, because the
 * invocations stride through the elements, and the limit of 65535 is far away. A GPU is busiest with many invocations of one
 * iteration each, a CPU with few invocations of many iterations.
 * @param rows the number of jobs that share the dispatch; each gets this number of workgroups
 */
export function workgroupsFor(state: DeviceState, iterations: number, rows = 1): number {
  const most = Math.min(2048, Math.ceil(iterations / WORKGROUP_INVOCATIONS))
  if (!isCpuAdapter(state.device)) return most
  const least = Math.ceil(LEAST_WORKGROUPS / rows)
  return Math.min(most, Math.max(least, Math.ceil(iterations / WORKGROUP_INVOCATIONS / CPU_ITERATIONS)))
}
