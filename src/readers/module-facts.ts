import type { Layout, ParameterRole } from '../ir/parameter.js'

/** What the class of a parameter's module says about it; nothing for a class that is not known. */
export function factsOf(module: string, name: string): { role?: ParameterRole; layout?: Layout; initial?: number } {
  const bias = /(^|[._])bias(_\w+)?$/.test(name)
  if (/Norm(\d+d)?$/.test(module)) {
    if (/(running_mean|running_var|num_batches_tracked)$/.test(name)) return { role: 'buffer' }
    return { role: bias ? 'norm-bias' : 'norm-scale' }
  }
  if (module === 'PReLU') return { role: 'scale', initial: 0.25 }
  if (module === 'Embedding' || module === 'EmbeddingBag') return { role: 'embedding' }
  if (!/^(Lazy)?(Linear|Conv(Transpose)?[123]d|Conv1D|Bilinear|(LSTM|GRU|RNN)(Cell)?)$/.test(module)) return {}
  if (bias) return { role: 'bias' }
  const layout = module.includes('Transpose') ? 'transposed' : module === 'Conv1D' ? 'in-out' : undefined
  return { role: 'weight', ...(layout === undefined ? {} : { layout }) }
}
