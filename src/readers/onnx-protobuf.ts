import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { show, WeightInitError } from '../core/errors.js'

/** The few fields of onnx.proto (onnx/onnx, version 1) that the names and shapes of weights need. */
export interface OnnxTensor {
  readonly name: string
  /** TensorProto.DataType. */
  readonly dataType: number
  readonly dims: readonly number[]
}

export interface OnnxNode {
  readonly opType: string
  readonly inputs: readonly string[]
  readonly integers: ReadonlyMap<string, number>
}

export interface OnnxGraph {
  readonly initializers: OnnxTensor[]
  readonly nodes: OnnxNode[]
}

/** Subgraphs (If, Loop, Scan) in subgraphs: deeper than any exporter nests. */
const MAX_DEPTH = 32

const fail = (message: string, cause?: unknown): never => {
  throw new WeightInitError('INVALID_FILE', `Not a valid ONNX file: ${message}`, { cause })
}

/** Reads one field; returns whether it took it. A field not taken is skipped. */
type FieldReader = (field: number, wire: WireType, reader: BinaryReader) => boolean

function readMessage(bytes: Uint8Array, read: FieldReader): void {
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag()
    if (!read(field, wire, reader)) reader.skip(wire, field)
  }
  if (reader.pos !== reader.len) fail('a message ends past its length.')
}

/**
 * The graph of a model: initializers and nodes, those of subgraphs included. No tensor's data is read or copied.
 * @throws WeightInitError `INVALID_FILE` for bytes that are no protobuf message, or no model
 */
export function readOnnxGraph(bytes: Uint8Array): OnnxGraph {
  const graph: OnnxGraph = { initializers: [], nodes: [] }
  let found = false
  try {
    readMessage(bytes, (field, wire, reader) => {
      if (field !== 7 || wire !== WireType.LengthDelimited) return false
      found = true
      readGraph(reader.bytes(), graph, 0)
      return true
    })
  } catch (cause) {
    if (cause instanceof WeightInitError) throw cause
    fail(`its protobuf message is broken: ${(cause as Error).message}.`, cause)
  }
  if (!found) fail('it holds no graph.')
  return graph
}

function readGraph(bytes: Uint8Array, graph: OnnxGraph, depth: number): void {
  if (depth > MAX_DEPTH) fail(`its graphs are nested deeper than ${MAX_DEPTH} levels.`)
  readMessage(bytes, (field, wire, reader) => {
    if (wire !== WireType.LengthDelimited || (field !== 1 && field !== 5)) return false
    if (field === 1) readNode(reader.bytes(), graph, depth)
    else graph.initializers.push(readTensor(reader.bytes()))
    return true
  })
}

function readNode(bytes: Uint8Array, graph: OnnxGraph, depth: number): void {
  let opType = ''
  const inputs: string[] = []
  const integers = new Map<string, number>()
  readMessage(bytes, (field, wire, reader) => {
    if (wire !== WireType.LengthDelimited) return false
    if (field === 1) inputs.push(reader.string())
    else if (field === 4) opType = reader.string()
    else if (field === 5) readAttribute(reader.bytes(), integers, graph, depth)
    else return false
    return true
  })
  graph.nodes.push({ opType, inputs, integers })
}

/** An integer is kept by its name; a graph is read for its own initializers. */
function readAttribute(bytes: Uint8Array, integers: Map<string, number>, graph: OnnxGraph, depth: number): void {
  let name = ''
  let integer: number | undefined
  readMessage(bytes, (field, wire, reader) => {
    if (field === 1 && wire === WireType.LengthDelimited) name = reader.string()
    else if (field === 3 && wire === WireType.Varint) integer = Number(reader.int64())
    else if ((field === 6 || field === 11) && wire === WireType.LengthDelimited)
      readGraph(reader.bytes(), graph, depth + 1)
    else return false
    return true
  })
  if (integer !== undefined) integers.set(name, integer)
}

function readTensor(bytes: Uint8Array): OnnxTensor {
  let name = ''
  let dataType = 0
  const dims: bigint[] = []
  readMessage(bytes, (field, wire, reader) => {
    if (field === 1 && wire === WireType.Varint) dims.push(BigInt(reader.int64()))
    else if (field === 1 && wire === WireType.LengthDelimited) {
      // Packed.
      const packed = new BinaryReader(reader.bytes())
      while (packed.pos < packed.len) dims.push(BigInt(packed.int64()))
    } else if (field === 2 && wire === WireType.Varint) dataType = reader.int32()
    else if (field === 8 && wire === WireType.LengthDelimited) name = reader.string()
    else return false
    return true
  })
  for (const dim of dims) {
    if (dim < 0n || dim > BigInt(Number.MAX_SAFE_INTEGER)) {
      fail(`initializer ${show(name)} has the dimension ${dim}; a dimension is an integer from 0 to 2^53 - 1.`)
    }
  }
  if (dims.length > 64) fail(`initializer ${show(name)} has ${dims.length} dimensions, more than 64.`)
  return { name, dataType, dims: dims.map(Number) }
}
