import { isVector } from '../../model/validate.js'
import type { ParameterFacts } from '../conventions.js'
import type { OnnxNode } from './messages.js'
import type { Source, Value, View } from './values.js'

/** One node, and what is known of its inputs. */
export interface Call {
  readonly node: OnnxNode
  readonly inputs: readonly Value[]
}

/** What an operator's input is for; undefined: nothing that the operator says. */
export type InputFacts = (view: View, call: Call) => ParameterFacts | undefined

const integer = ({ node }: Call, name: string, fallback = 0): number => node.attributes.get(name)?.integer ?? fallback
/** The source of the weight at a position, for the bias that goes with it. */
const sourceAt = ({ inputs }: Call, position: number): Source | undefined => inputs[position]?.views[0]?.source

const role =
  (value: NonNullable<ParameterFacts['role']>): InputFacts =>
  () => ({ role: value })
const [scale, offset, table, fixed] = [role('norm-scale'), role('norm-bias'), role('embedding'), role('buffer')]

/** A bias, and the weight of its layer. */
export const biasOf = (weight: Source | undefined): ParameterFacts => ({
  role: 'bias',
  ...(weight === undefined ? {} : { layerWeight: weight.name }),
})
const bias =
  (weightAt: number): InputFacts =>
  (_, call) =>
    biasOf(sourceAt(call, weightAt))

const convolution =
  (layout: 'out-in' | 'transposed'): InputFacts =>
  (_, call) => {
    const groups = integer(call, 'group', 1)
    return { role: 'weight', ...(layout === 'transposed' ? { layout } : {}), ...(groups > 1 ? { groups } : {}) }
  }

/** Left operand W of W x: [out, in]; right operand of x W: [in, out]; more axes stack matrices; a vector has one output. */
const factor =
  (plain: 'out-in' | 'in-out', transposed: string): InputFacts =>
  ({ dims }, call) => {
    if (dims === undefined) return { role: 'weight' }
    if (dims.length === 1) return { role: 'weight', layout: 'in-out', fan: { in: Math.max(1, dims[0]!), out: 1 } }
    const flipped = plain === 'in-out' ? 'out-in' : 'in-out'
    const batchAxes = dims.length - 2
    return {
      role: 'weight',
      layout: integer(call, transposed) === 1 ? flipped : plain,
      ...(batchAxes > 0 ? { batchAxes } : {}),
    }
  }

const recurrent = (module: string, blocks: number): readonly (InputFacts | undefined)[] => {
  const layer = (call: Call): ParameterFacts => {
    const recurrentWeight = sourceAt(call, 2)
    return { module, ...(recurrentWeight === undefined ? {} : { layerWeight: recurrentWeight.name }) }
  }
  const gates: InputFacts = (_, call) => ({
    role: 'weight',
    batchAxes: 1,
    ...(blocks > 1 ? { blocks } : {}),
    ...layer(call),
  })
  return [undefined, gates, gates, (_, call) => ({ role: 'bias', ...layer(call) }), undefined, fixed, fixed]
}

/** Letters of an einsum's operand; '.' stands for an ellipsis. */
const labelsOf = (text: string): string[] => [...text.replaceAll('...', '.').replaceAll(' ', '')]

/** In: what is summed over. Out: what reaches the result and is not in another operand. Shared by all three: a batch. */
function einsum(view: View, call: Call): ParameterFacts | undefined {
  const equation = call.node.attributes.get('equation')?.text ?? ''
  const [left = '', right] = equation.split('->')
  const operands = left.split(',').map(labelsOf)
  const at = call.inputs.findIndex((value) => value.views.some((other) => other === view))
  const own = operands[at]
  if (view.dims === undefined || own === undefined || right === undefined || own.length !== view.dims.length) return
  const result = labelsOf(right)
  const others = operands.filter((_, index) => index !== at).flat()
  const isIn = own.map((label) => !result.includes(label))
  const isBatch = own.map((label) => result.includes(label) && others.includes(label))
  const kinds = own.map((_, axis) => (isIn[axis] ? 'i' : isBatch[axis] ? 'b' : 'o')).join('')
  if (!kinds.includes('i')) return undefined
  const [, batch = '', rest] = /^(b*)(io|oi)$/.exec(kinds) ?? []
  if (rest !== undefined) {
    return {
      role: 'weight',
      layout: rest === 'io' ? 'in-out' : 'out-in',
      ...(batch.length > 0 ? { batchAxes: batch.length } : {}),
    }
  }
  const lengths = (kind: string): number =>
    view.dims!.reduce((total, length, axis) => (kinds[axis] === kind ? total * length : total), 1)
  return { role: 'weight', layout: 'in-out', fan: { in: lengths('i'), out: lengths('o') } }
}

const norm: readonly (InputFacts | undefined)[] = [undefined, scale, offset]
const slope: InputFacts = () => ({ role: 'scale', initial: 0.25, module: 'PReLU' })

/** An embedding is looked up along its first axis; what one index picks from a table of more axes is a part of it. */
const lookedUp: InputFacts = ({ dims }, call) =>
  dims?.length === 2 && integer(call, 'axis') === 0 ? { role: 'embedding' } : undefined

/**
 * What the inputs of operators are, by position. A batch norm's running mean starts at 0, as a norm's bias does, its variance
 * at 1, as a scale does. Sources: onnx/docs/Operators.md; microsoft/onnxruntime docs/ContribOperators.md.
 */
export const operators: Readonly<Record<string, readonly (InputFacts | undefined)[]>> = /* @__PURE__ */ (() => ({
  Conv: [undefined, convolution('out-in'), bias(1)],
  FusedConv: [undefined, convolution('out-in'), bias(1)],
  NhwcConv: [undefined, convolution('out-in'), bias(1)],
  ConvTranspose: [undefined, convolution('transposed'), bias(1)],
  Gemm: [factor('out-in', 'transA'), factor('in-out', 'transB'), bias(1)],
  FusedGemm: [factor('out-in', 'transA'), factor('in-out', 'transB'), bias(1)],
  MatMul: [factor('out-in', ''), factor('in-out', '')],
  FusedMatMul: [factor('out-in', 'transA'), factor('in-out', 'transB')],
  Einsum: Array<InputFacts>(8).fill(einsum),
  Gather: [lookedUp],
  LSTM: recurrent('LSTM', 4),
  GRU: recurrent('GRU', 3),
  RNN: recurrent('RNN', 1),
  BatchNormalization: [undefined, scale, offset, offset, scale],
  InstanceNormalization: norm,
  GroupNormalization: norm,
  GroupNorm: norm,
  LayerNormalization: norm,
  RMSNormalization: norm,
  SimplifiedLayerNormalization: norm,
  SkipLayerNormalization: [
    undefined,
    undefined,
    scale,
    offset,
    (_: View, { inputs }: Call) => biasOf(inputs[0]?.layer),
  ],
  SkipSimplifiedLayerNormalization: [undefined, undefined, scale, bias(-1)],
  EmbedLayerNormalization: [undefined, undefined, table, table, table, scale, offset],
  Attention: [undefined, () => ({ role: 'weight' as const, layout: 'in-out' as const, blocks: 3 }), bias(1)],
  MultiHeadAttention: [undefined, undefined, undefined, bias(-1)],
  GroupQueryAttention: [undefined, undefined, undefined, undefined, undefined, undefined, undefined, fixed, fixed],
  RotaryEmbedding: [undefined, fixed, fixed, fixed],
  BiasGelu: [undefined, (_: View, { inputs }: Call) => biasOf(inputs[0]?.layer)],
  FastGelu: [undefined, (_: View, { inputs }: Call) => biasOf(inputs[0]?.layer)],
  PRelu: [undefined, slope],
  DequantizeLinear: [undefined, fixed, fixed],
  QuantizeLinear: [undefined, fixed, fixed],
  Where: [fixed],
  Resize: [undefined, fixed, fixed, fixed],
  Upsample: [undefined, fixed],
  Clip: [undefined, fixed, fixed],
  Pow: [undefined, fixed],
  GridSample: [undefined, fixed],
  Range: [fixed, fixed, fixed],
}))()

/** Whether a value of these dimensions can shift or scale the channels of another. */
export const isChannels = ({ dims }: View): boolean => dims !== undefined && dims.length > 0 && isVector(dims)
