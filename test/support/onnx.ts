// ONNX files for tests, written with protobuf's own writer: the fields of onnx.proto by number.
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

const bytesField = (writer: BinaryWriter, field: number, bytes: Uint8Array): BinaryWriter =>
  writer.tag(field, WireType.LengthDelimited).bytes(bytes)
const textField = (writer: BinaryWriter, field: number, text: string): BinaryWriter =>
  writer.tag(field, WireType.LengthDelimited).string(text)

/** TensorProto; its data is a few bytes that no reader should want. */
export function tensor(
  name: string,
  dims: readonly number[],
  dataType: number,
  { packed = false, external = false } = {},
): Uint8Array {
  const writer = new BinaryWriter()
  if (packed) {
    const list = new BinaryWriter()
    for (const dim of dims) list.int64(BigInt(dim))
    bytesField(writer, 1, list.finish())
  } else for (const dim of dims) writer.tag(1, WireType.Varint).int64(BigInt(dim))
  writer.tag(2, WireType.Varint).int32(dataType)
  textField(writer, 8, name)
  if (external) writer.tag(14, WireType.Varint).int32(1)
  else bytesField(writer, 9, Uint8Array.of(1, 2, 3))
  return writer.finish()
}

/** NodeProto with integer attributes and subgraphs. */
export function node(
  opType: string,
  inputs: readonly string[],
  integers: Readonly<Record<string, number>> = {},
  graphs: readonly Uint8Array[] = [],
): Uint8Array {
  const writer = new BinaryWriter()
  for (const input of inputs) textField(writer, 1, input)
  textField(writer, 2, 'out')
  textField(writer, 4, opType)
  for (const [name, value] of Object.entries(integers)) {
    const attribute = textField(new BinaryWriter(), 1, name)
    attribute.tag(3, WireType.Varint).int64(BigInt(value)).tag(20, WireType.Varint).int32(2)
    bytesField(writer, 5, attribute.finish())
  }
  for (const graph of graphs)
    bytesField(writer, 5, bytesField(textField(new BinaryWriter(), 1, 'body'), 6, graph).finish())
  return writer.finish()
}

/** An attribute of a node, or the name of the caller's attribute that it is. */
export type AttributeValue =
  | number
  | string
  | readonly number[]
  | { readonly tensor: Uint8Array }
  | { readonly graph: Uint8Array }
  | { readonly reference: string }

function attribute(name: string, value: AttributeValue): Uint8Array {
  const writer = textField(new BinaryWriter(), 1, name)
  if (typeof value === 'number') writer.tag(3, WireType.Varint).int64(BigInt(value))
  else if (typeof value === 'string') textField(writer, 4, value)
  else if ('tensor' in value) bytesField(writer, 5, value.tensor)
  else if ('graph' in value) bytesField(writer, 6, value.graph)
  else if ('reference' in value) textField(writer, 21, value.reference)
  else for (const one of value) writer.tag(8, WireType.Varint).int64(BigInt(one))
  return writer.finish()
}

/** NodeProto in full: `operation('x, w -> y', 'MatMul')`. */
export function operation(
  values: string,
  opType: string,
  attributes: Readonly<Record<string, AttributeValue>> = {},
  domain = '',
): Uint8Array {
  const [inputs = [], outputs = []] = values
    .split('->')
    .map((side) => (side.trim() === '' ? [] : side.split(',').map((name) => name.trim())))
  const writer = new BinaryWriter()
  for (const name of inputs) textField(writer, 1, name)
  for (const name of outputs) textField(writer, 2, name)
  textField(writer, 4, opType)
  for (const [name, value] of Object.entries(attributes)) bytesField(writer, 5, attribute(name, value))
  if (domain !== '') textField(writer, 7, domain)
  return writer.finish()
}

/** TensorProto of int64 numbers, with its data. */
export function integers(name: string, values: readonly number[]): Uint8Array {
  const writer = new BinaryWriter().tag(1, WireType.Varint).int64(BigInt(values.length))
  writer.tag(2, WireType.Varint).int32(7)
  textField(writer, 8, name)
  bytesField(writer, 9, new Uint8Array(BigInt64Array.from(values, BigInt).buffer))
  return writer.finish()
}

/** TensorProto of float32 numbers, with its data. */
export function numbers(name: string, dims: readonly number[], values: readonly number[]): Uint8Array {
  const writer = new BinaryWriter()
  for (const dim of dims) writer.tag(1, WireType.Varint).int64(BigInt(dim))
  writer.tag(2, WireType.Varint).int32(1)
  textField(writer, 8, name)
  bytesField(writer, 9, new Uint8Array(Float32Array.from(values).buffer))
  return writer.finish()
}

/** GraphProto, with the names of its inputs and outputs. */
export function graph(
  initializers: readonly Uint8Array[],
  nodes: readonly Uint8Array[],
  { inputs = [], outputs = [] }: { inputs?: readonly string[]; outputs?: readonly string[] } = {},
): Uint8Array {
  const writer = new BinaryWriter()
  for (const bytes of nodes) bytesField(writer, 1, bytes)
  textField(writer, 2, 'main')
  for (const bytes of initializers) bytesField(writer, 5, bytes)
  const named = (name: string): Uint8Array => textField(new BinaryWriter(), 1, name).finish()
  for (const name of inputs) bytesField(writer, 11, named(name))
  for (const name of outputs) bytesField(writer, 12, named(name))
  return writer.finish()
}

/** FunctionProto. */
export function localFunction(
  [domain, name]: readonly [string, string],
  inputs: readonly string[],
  outputs: readonly string[],
  nodes: readonly Uint8Array[],
): Uint8Array {
  const writer = textField(new BinaryWriter(), 1, name)
  for (const input of inputs) textField(writer, 4, input)
  for (const output of outputs) textField(writer, 5, output)
  for (const bytes of nodes) bytesField(writer, 7, bytes)
  return textField(writer, 10, domain).finish()
}

/** ModelProto. */
export function model(main: Uint8Array, functions: readonly Uint8Array[] = [], irVersion = 8): Uint8Array {
  const writer = new BinaryWriter().tag(1, WireType.Varint).int64(BigInt(irVersion))
  textField(writer, 2, 'test')
  bytesField(writer, 7, main)
  for (const bytes of functions) bytesField(writer, 25, bytes)
  return writer.finish()
}
