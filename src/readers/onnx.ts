import { isFloatDType } from '../core/dtype.js'
import { show, WeightInitError } from '../core/errors.js'
import { isVector } from '../model/validate.js'
import { type CheckpointModel, type ListedTensor, modelOfTensors } from './checkpoint.js'
import { type Named, namingOf } from './conventions.js'
import { dtypesBy } from './dtype-names.js'
import { traceOnnx } from './onnx/graph.js'
import { readOnnxProtobuf } from './onnx/messages.js'
import type { Source } from './onnx/values.js'

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

/**
 * The model that an ONNX file's float tensors make: names, shapes and dtypes; roles, layouts and groups from the operators
 * that compute with them, else from the names. A tensor is followed through Cast, Identity, Transpose, Reshape, Squeeze,
 * Unsqueeze, Slice, Split, Concat and DequantizeLinear, into the bodies of If, Loop and Scan and into local functions. What
 * Constant nodes hold is a parameter where an operator takes it for one. Large data is never read, so that external data
 * files are not needed. Integers (shapes, axes) and quantised weights are omitted; masks, grids, tables and other
 * constants are `fixed`.
 *
 * @throws WeightInitError `INVALID_FILE` for bytes that are no ONNX model or hold no float tensor, `INVALID_SHAPE`
 */
export function readOnnxModel(bytes: Uint8Array): CheckpointModel {
  if (!(bytes instanceof Uint8Array)) {
    throw new WeightInitError(
      'INVALID_ARGUMENT',
      `readOnnxModel takes the file's bytes, a Uint8Array, but found ${show(bytes)}.`,
    )
  }
  const sources = traceOnnx(readOnnxProtobuf(bytes)).filter(isParameter)
  const naming = namingOf(sources.map(({ name, tensor }) => ({ name, shape: tensor.dims })))
  return modelOfTensors(
    sources.map((source) => listed(source, naming)),
    'The ONNX file',
  )
}

/**
 * Initializers are listed; a constant of the graph only where it is a parameter. The ones and zeros of a norm without scale
 * and shift, such as the instance norm in a group norm's export, are none.
 */
function isParameter({ isConstant, facts, tensor: { values } }: Source): boolean {
  if (!isConstant) return true
  if (facts === undefined || facts.role === 'buffer') return false
  const plain = facts.role === 'norm-scale' ? 1 : facts.role === 'norm-bias' ? 0 : undefined
  return plain === undefined || values?.every((value) => value === plain) !== true
}

function listed(source: Source, naming: ReturnType<typeof namingOf>): ListedTensor {
  const { name, tensor } = source
  const dtype = dtypeOf.get(tensor.dataType)
  const storedDType = dtype ?? otherTypes[tensor.dataType] ?? `of type ${tensor.dataType}`
  const entry = { name, shape: tensor.dims, storedDType }
  if (dtype === undefined || !isFloatDType(dtype)) return entry
  const { facts, doubt } =
    source.facts === undefined ? guessed(source, naming(name, tensor.dims)) : { facts: source.facts, doubt: undefined }
  return { ...entry, dtype, facts, ...(doubt === undefined ? {} : { doubt }) }
}

/** Operators that combine their inputs element by element. */
const elementwise = new Set(['Add', 'Sub', 'Mul', 'Div', 'Where', 'Equal', 'Greater', 'Less', 'Min', 'Max', 'Pow'])
const constantNames =
  /(^|[^a-z])(mask|grid|anchors?|coords?|strides?|freqs?|cos|sin|index|table|const(ant)?|mean|std)([^a-z]|$)/i

/** A tensor of which no operator says what it is. */
function guessed({ name, tensor, users }: Source, named: Named): Named {
  const { dims, values } = tensor
  const fixed: Named = { facts: { role: 'buffer' } }
  if (named.doubt === undefined) {
    // A name such as bias is no proof for a scalar.
    return dims.length === 0 && named.facts.role !== 'scale' ? fixed : named
  }
  if (dims.length === 0 || (dims.length === 1 && dims[0] === 1 && named.facts.role === 'unknown')) return fixed
  if (named.facts.role === 'embedding') return named
  if (constantNames.test(name) || (values !== undefined && isTable(values))) return fixed
  const isCombined = users.size > 0 && [...users].every((user) => elementwise.has(user))
  if (!isVector(dims)) {
    return isCombined
      ? {
          facts: { role: 'unknown' },
          doubt: `only ${[...users].join(' and ')} takes it: a table of the model, or a constant of the graph`,
        }
      : named
  }
  return isCombined || named.facts.role !== 'unknown' ? named : fixed
}

/** Whether numbers count or mark something: whole numbers that differ, or nothing but 0 and one very low number. */
function isTable(values: readonly number[]): boolean {
  const isMask = values.every((value) => value === 0 || value === 1 || value <= -1e4)
  return new Set(values).size > 1 && (isMask || values.every(Number.isInteger))
}
