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

/** GraphProto. */
export function graph(initializers: readonly Uint8Array[], nodes: readonly Uint8Array[]): Uint8Array {
  const writer = new BinaryWriter()
  for (const bytes of nodes) bytesField(writer, 1, bytes)
  textField(writer, 2, 'main')
  for (const bytes of initializers) bytesField(writer, 5, bytes)
  return writer.finish()
}

/** ModelProto. */
export function model(main: Uint8Array): Uint8Array {
  const writer = new BinaryWriter().tag(1, WireType.Varint).int64(8n)
  textField(writer, 2, 'test')
  return bytesField(writer, 7, main).finish()
}
