// Bytes of a small ONNX model: the few fields of onnx.proto that a graph of plain operators needs.
// Field numbers: onnx/onnx.proto, IR version 8.

const utf8 = new TextEncoder()

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  bytes.push(rest)
  return bytes
}

/** A varint field. */
const integer = (field: number, value: number): number[] => [...varint(field << 3), ...varint(value)]

/** A length-delimited field: a message or a string. */
function bytes(field: number, content: readonly number[] | string): number[] {
  const body = typeof content === 'string' ? [...utf8.encode(content)] : content
  return [...varint((field << 3) | 2), ...varint(body.length), ...body]
}

export const onnxTypes = { float32: 1, float16: 10 } as const

export interface OnnxValue {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype?: keyof typeof onnxTypes
}

function valueInfo({ name, shape, dtype = 'float32' }: OnnxValue): number[] {
  const dimensions = shape.flatMap((length) => bytes(1, integer(1, length)))
  const tensorType = [...integer(1, onnxTypes[dtype]), ...bytes(2, dimensions)]
  return [...bytes(1, name), ...bytes(2, bytes(1, tensorType))]
}

export interface OnnxNode {
  readonly operator: string
  readonly inputs: readonly string[]
  readonly output: string
}

/** A model whose nodes take no attributes. Opset 17. */
export function onnxModel(
  inputs: readonly OnnxValue[],
  outputs: readonly OnnxValue[],
  nodes: readonly OnnxNode[],
): Uint8Array<ArrayBuffer> {
  const graph = [
    ...nodes.flatMap(({ operator, inputs: names, output }) =>
      bytes(1, [...names.flatMap((name) => bytes(1, name)), ...bytes(2, output), ...bytes(4, operator)]),
    ),
    ...bytes(2, 'graph'),
    ...inputs.flatMap((value) => bytes(11, valueInfo(value))),
    ...outputs.flatMap((value) => bytes(12, valueInfo(value))),
  ]
  const opset = [...bytes(1, ''), ...integer(2, 17)]
  return Uint8Array.from([...integer(1, 8), ...bytes(8, opset), ...bytes(7, graph)])
}
