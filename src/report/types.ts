import type { SignalReport } from '../signal/types.js'

/** A number that was compared with what it may be. */
export interface ReportCheck {
  readonly name: string
  readonly ok: boolean
  /** The number, and what it is measured against, as text: 'z = 0.31', 'p >= 1e-9'. */
  readonly value: string
  readonly limit: string
  /** How near the limit it came: below 1 passes. For sorting. */
  readonly severity: number
}

export interface ReportHistogram {
  /** Rising; bin b holds edges[b - 1] <= x < edges[b], the first and the last are open. */
  readonly edges: readonly number[]
  readonly counts: readonly number[]
  /** What the distribution promises for each bin. */
  readonly probabilities: readonly number[]
}

export interface ReportParameter {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype: string
  /** The distribution, as describeDistribution says it. */
  readonly distribution: string
  /** Why it has it. */
  readonly because: string
  readonly elementCount: number
  readonly expected: { readonly mean: number; readonly std: number; readonly min: number; readonly max: number }
  readonly measured: { readonly mean: number; readonly std: number; readonly min: number; readonly max: number }
  /** More of what was measured, as it is shown: 'skewness' -> '0.001'. */
  readonly more: readonly (readonly [name: string, value: string])[]
  readonly checks: readonly ReportCheck[]
  readonly histogram?: ReportHistogram
}

/** Everything the HTML page shows: plain JSON. */
export interface ReportData {
  readonly title: string
  /** 'webgpu-init 0.1.0' */
  readonly madeBy: string
  /** Lines of 'seed' -> '42', in order. */
  readonly facts: readonly (readonly [name: string, value: string])[]
  /** Of the model as a whole: parity, duplicates. */
  readonly checks: readonly ReportCheck[]
  readonly parameters: readonly ReportParameter[]
  readonly signal?: SignalReport
  /** What the signal propagation covers, or why there is none. */
  readonly signalNote: string
}

/** Whether every check of model and parameters passed, and the signal is what it should be where it was measured. */
export const reportPasses = ({ checks, parameters }: Pick<ReportData, 'checks' | 'parameters'>): boolean =>
  [...checks, ...parameters.flatMap((parameter) => parameter.checks)].every(({ ok }) => ok)
