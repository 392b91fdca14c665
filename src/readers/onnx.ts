import { isFloatDType } from '../core/dtype.js'
import { show, WeightInitError } from '../core/errors.js'
import type { ParameterSpec } from '../ir/parameter.js'
import { type CheckpointModel, type ListedTensor, modelOfTensors } from './checkpoint.js'
import { dtypesBy } from './dtype-names.js'
import { type OnnxNode, type OnnxTensor, readOnnxGraph } from './onnx-protobuf.js'
import { roleOfTensor } from './tensor-roles.js'

/** TensorProto.DataType: this package's dtypes by number, and the names of the others. */
const dtypeOf = /* @__PURE__ */ dtypesBy('onnx')
const otherTypes: Readonly<Record<number, string>> = {
  8: 'string',
  11: 'float64',
  14: 'complex64',
  15: 'complex128',
  18: 'float8_e4m3fnuz',
  20: 'float8_e5m2fnuz',
  21: 'uint4',
  22: 'int4',
  23: 'float4_e2m1',
  24: 'float8_e8m0',
}

type Facts = NonNullable<ListedTensor['facts']>
/** What an operator's input is for; undefined: nothing that it would say about its shape or role. */
type InputFacts = (node: OnnxNode, tensor: OnnxTensor) => Facts | undefined

const weight =
  (layout: ParameterSpec['layout']): InputFacts =>
  ({ integers }) => {
    const groups = integers.get('group') ?? 1
    return { role: 'weight', ...(layout === undefined ? {} : { layout }), ...(groups > 1 ? { groups } : {}) }
  }
const role =
  (value: ParameterSpec['role'] & string): InputFacts =>
  () => ({ role: value })
const [scale, offset, bias] = [role('norm-scale'), role('norm-bias'), role('bias')]
const gates =
  (blocks: number): InputFacts =>
  () => ({ role: 'weight', batchAxes: 1, ...(blocks > 1 ? { blocks } : {}) })
/** Left operand W of W x: [out, in]; right operand of x W: [in, out]; more axes stack matrices. */
const factor =
  (layout: 'out-in' | 'in-out'): InputFacts =>
  (_, { dims }) => {
    if (dims.length < 2) return undefined
    return { role: 'weight', layout, ...(dims.length > 2 ? { batchAxes: dims.length - 2 } : {}) }
  }
const gemm =
  (transposed: string, plain: 'out-in' | 'in-out', other: 'out-in' | 'in-out'): InputFacts =>
  ({ integers }) => ({ role: 'weight', layout: integers.get(transposed) ? other : plain })
const vector = ({ dims }: OnnxTensor): boolean => dims.length === 1 && dims[0]! > 1
const addend: InputFacts = (_, tensor) =>
  vector(tensor) ? { role: roleOfTensor(tensor.name, tensor.dims) === 'norm-bias' ? 'norm-bias' : 'bias' } : undefined
/** What scales a vector starts at 1, as a norm's scale does; constants have no such name. */
const multiplier: InputFacts = (_, tensor) =>
  vector(tensor) && /(weight|scale|gamma)$/i.test(tensor.name) ? { role: 'norm-scale' } : undefined
const recurrent = (blocks: number): readonly (InputFacts | undefined)[] => [
  undefined,
  gates(blocks),
  gates(blocks),
  bias,
]
const norm: readonly (InputFacts | undefined)[] = [undefined, scale, offset]

/**
 * What the inputs of operators are, by position. A batch norm's running mean starts at 0, as a norm's bias does, its variance
 * at 1, as a scale does.
 */
const operators: Readonly<Record<string, readonly (InputFacts | undefined)[]>> = /* @__PURE__ */ (() => ({
  Conv: [undefined, weight(undefined), bias],
  ConvTranspose: [undefined, weight('transposed'), bias],
  Gemm: [gemm('transA', 'out-in', 'in-out'), gemm('transB', 'in-out', 'out-in'), bias],
  MatMul: [factor('out-in'), factor('in-out')],
  Gather: [(_: OnnxNode, { dims }: OnnxTensor) => (dims.length === 2 ? { role: 'embedding' as const } : undefined)],
  LSTM: recurrent(4),
  GRU: recurrent(3),
  RNN: recurrent(1),
  BatchNormalization: [undefined, scale, offset, offset, scale],
  InstanceNormalization: norm,
  GroupNormalization: norm,
  LayerNormalization: norm,
  RMSNormalization: norm,
  SimplifiedLayerNormalization: norm,
  SkipLayerNormalization: [undefined, undefined, scale, offset],
  SkipSimplifiedLayerNormalization: [undefined, undefined, scale],
  Add: [addend, addend],
  Mul: [multiplier, multiplier],
}))()

/**
 * The model that an ONNX file's float initializers make: names, shapes and dtypes; roles, layouts and groups from the
 * operators that take them (Conv, ConvTranspose, Gemm, MatMul, Gather, LSTM, GRU, RNN, norms), else from the names.
 * Initializers of subgraphs are included. Data is never read, so external data files are not needed. Integer initializers
 * (shapes, axes) and tables of quantised weights are omitted; float constants that no weight operator takes are `fixed`.
 *
 * @throws WeightInitError `INVALID_FILE` for bytes that are no ONNX model or hold no float initializer, `INVALID_SHAPE`
 */
export function readOnnxModel(bytes: Uint8Array): CheckpointModel {
  if (!(bytes instanceof Uint8Array)) {
    throw new WeightInitError(
      'INVALID_ARGUMENT',
      `readOnnxModel takes the file's bytes, a Uint8Array, but found ${show(bytes)}.`,
    )
  }
  const { initializers, nodes } = readOnnxGraph(bytes)
  const byName = new Map<string, OnnxTensor>()
  for (const tensor of initializers) {
    if (tensor.name === '')
      throw new WeightInitError('INVALID_FILE', 'Not a valid ONNX file: an initializer has no name.')
    if (byName.has(tensor.name)) {
      throw new WeightInitError(
        'INVALID_FILE',
        `The ONNX file has two initializers called ${show(tensor.name)}, perhaps of different subgraphs; names choose the ` +
          'random stream and must be unique. Rename one.',
      )
    }
    byName.set(tensor.name, tensor)
  }
  const facts = factsByConsumer(nodes, byName)
  return modelOfTensors(
    initializers.map((tensor) => listed(tensor, facts.get(tensor.name))),
    'The ONNX file',
  )
}

function listed({ name, dims, dataType }: OnnxTensor, facts: Facts | undefined): ListedTensor {
  const dtype = dtypeOf.get(dataType)
  const storedDType = dtype ?? otherTypes[dataType] ?? `of type ${dataType}`
  // A scalar, or a vector that neither an operator nor its name calls a parameter, is a constant of the graph.
  const named = /(^|[._/:])(weight|bias|scale|gamma|beta)$/i.test(name)
  const constant = facts === undefined && (dims.length === 0 || (dims.length === 1 && (!named || dims[0] === 1)))
  return {
    name,
    shape: dims,
    storedDType,
    ...(dtype !== undefined && isFloatDType(dtype) ? { dtype } : {}),
    ...(constant ? { facts: { role: 'buffer' } } : facts === undefined ? {} : { facts }),
  }
}

/** The facts that the first operator which knows some gives to each initializer. */
function factsByConsumer(nodes: readonly OnnxNode[], byName: ReadonlyMap<string, OnnxTensor>): Map<string, Facts> {
  const found = new Map<string, Facts>()
  for (const node of nodes) {
    const inputs = Object.hasOwn(operators, node.opType) ? operators[node.opType]! : []
    node.inputs.forEach((name, position) => {
      const tensor = byName.get(name)
      if (tensor === undefined || found.has(name)) return
      const facts = inputs[position]?.(node, tensor)
      if (facts !== undefined && fits(facts, tensor)) found.set(name, facts)
    })
  }
  return found
}

/** Facts that contradict the shape (a lying file, an exotic broadcast) are left out: the name decides. */
function fits({ groups = 1, blocks = 1, batchAxes = 0, role, layout }: Facts, { dims }: OnnxTensor): boolean {
  if (role !== 'weight') return true
  const outputs = dims[layout === 'in-out' ? dims.length - 1 : batchAxes] ?? 0
  return dims.length >= batchAxes + 2 && outputs % groups === 0 && outputs % blocks === 0
}
