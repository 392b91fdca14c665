import type { FloatDType } from '../dtype.js'
import { WeightInitError } from '../errors.js'
import type { FillJob, FillSource } from '../jobs.js'
import type { PipelineKey } from './pipelines.js'

type GeneratorFill = FillSource & { readonly kind: 'generator' }

export function generatorPipelineId({ law, origin }: GeneratorFill, dtype: FillJob['dtype']): string {
  return `${origin.generator} ${law.kind} ${dtype}`
}

export function generatorPipelineKey({ origin }: GeneratorFill, _dtype: FillJob['dtype']): PipelineKey {
  throw new WeightInitError('UNSUPPORTED_GENERATOR', `generator ${origin.generator} needs device: 'cpu' so far.`)
}

export function packGenerator(
  _u32: (offset: number, value: number) => void,
  _f32: (offset: number, value: number) => void,
  _window: { job: FillJob; source: GeneratorFill; start: number; count: number },
): void {}
export type { FloatDType }
