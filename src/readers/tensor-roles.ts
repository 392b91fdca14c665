import { isFloatDType } from '../core/dtype.js'
import type { ParameterRole, ParameterSpec } from '../ir/parameter.js'
import { inferRole } from '../model/validate.js'

/** Tables of vectors, by the name of the module or of the parameter itself. */
const tables =
  /(^|[._/])(embed(ding)?s?|wte|wpe|shared|tok_embeddings|(token|word|position|token_type|entity|label)_embeddings?|(embed|pos)_(tokens|positions|embed(ding)?s?)|relative_attention_bias|(token|position)_embedding_table)$/i
/** Single learnt vectors and position tables that are no module of their own. */
const tokens =
  /(^|[._/])((cls|mask|dist|distillation|class|register|sep)_(token|embedding)s?|position_embeddings?|pos_embed|positional_embedding)$/i
/** Masks, index tables and frequencies that old checkpoints carry: not learnt, and not to be drawn. */
const fixedTables =
  /(^|[._/])(inv_freq|position_ids|token_type_ids|masked_bias|attn_mask|causal_mask|relative_position_index|relative_coords_table|freqs?_(cis|cos|sin))$/

/** What a tensor is for, by its name and shape: `inferRole`, and embeddings. */
export function roleOfTensor(name: string, shape: readonly number[]): ParameterRole {
  if (isFixed(name, shape)) return 'buffer'
  const owner = name.replace(/[._/](weight|embedding|embeddings)$/i, '')
  if (shape.length === 2 && tables.test(owner)) return 'embedding'
  if (shape.length >= 1 && shape.length <= 3 && tokens.test(name)) return 'embedding'
  return inferRole(name, shape)
}

/** GPT-2's causal mask is called attn.bias: [1, 1, n, n]. */
const isFixed = (name: string, shape: readonly number[]): boolean =>
  fixedTables.test(name) || (shape.length === 4 && shape[0] === 1 && shape[1] === 1 && /attn\.bias$/.test(name))

/** Whether a parameter has no value that could be drawn or is a default: running statistics start at 0 and 1. */
export function isFixedBuffer({ name, role, dtype = 'float32' }: ParameterSpec): boolean {
  if (/(^|\.)(running_mean|running_var|num_batches_tracked)$/.test(name)) return false
  return role === 'buffer' || !isFloatDType(dtype)
}

/**
 * transformers' Conv1D keeps [in, out] under names that nn.Linear also has: a GPT-2's fused projection is 3 times as wide as
 * it is high.
 */
export function usesConv1d(tensors: readonly { readonly name: string; readonly shape: readonly number[] }[]): boolean {
  return tensors.some(
    ({ name, shape: [rows = 0, columns = 0] }) => name.endsWith('c_attn.weight') && columns === 3 * rows,
  )
}

export const isConv1dWeight = (name: string): boolean => /(^|\.)(c_attn|c_proj|c_fc|q_attn)\.weight$/.test(name)
