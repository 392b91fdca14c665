import { show, WeightInitError } from '../../core/errors.js'
import { ProtobufReader, wireTypes } from './protobuf.js'

// The few fields of onnx.proto (onnx/onnx, version 1) that say what the weights of a graph are for.

export interface OnnxTensor {
  readonly name: string
  /** TensorProto.DataType. */
  readonly dataType: number
  readonly dims: readonly number[]
  /** Small data in the file itself, as numbers; undefined for large or external data and other types. */
  readonly values?: readonly number[]
}

export interface OnnxAttribute {
  readonly integer?: number
  readonly text?: string
  readonly integers?: readonly number[]
  /** Value of a Constant node that is a list of floats, or one: only the shape of it counts. */
  readonly floatDims?: readonly number[]
  readonly tensor?: OnnxTensor
  readonly graph?: OnnxGraph
  /** In a function: the attribute of the calling node that this one is. */
  readonly reference?: string
}

export interface OnnxNode {
  readonly name: string
  readonly opType: string
  readonly domain: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: ReadonlyMap<string, OnnxAttribute>
}

export interface OnnxGraph {
  readonly initializers: readonly OnnxTensor[]
  readonly nodes: readonly OnnxNode[]
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

/** A local function: a node of its domain and name computes what its nodes do. */
export interface OnnxFunction extends Omit<OnnxGraph, 'initializers'> {
  readonly name: string
  readonly domain: string
}

export interface OnnxModel {
  readonly graph: OnnxGraph
  readonly functions: readonly OnnxFunction[]
}

/** Subgraphs (If, Loop, Scan) in subgraphs: deeper than any exporter nests. */
const MAX_DEPTH = 32
/** Elements of a tensor that are read: shapes, axes and small tables. */
const MAX_VALUES = 4096

const fail = (message: string, cause?: unknown): never => {
  throw new WeightInitError('INVALID_FILE', `Not a valid ONNX file: ${message}`, { cause })
}

/** Takes the fields that it knows; a field not taken is skipped. */
type FieldReader = (field: number, wire: number, reader: ProtobufReader) => boolean

function readMessage(bytes: Uint8Array, read: FieldReader): void {
  const reader = new ProtobufReader(bytes)
  while (!reader.done) {
    const { field, wire } = reader.tag()
    if (!read(field, wire, reader)) reader.skip(wire)
  }
}

/** For messages of which only length-delimited fields are read. */
function readParts(bytes: Uint8Array, read: (field: number, reader: ProtobufReader) => boolean): void {
  readMessage(bytes, (field, wire, reader) => wire === wireTypes.bytes && read(field, reader))
}

/**
 * The graph and the local functions of a model. Of the tensors' data only small tables are read; nothing is copied.
 * @throws WeightInitError `INVALID_FILE` for bytes that are no protobuf message, or no model
 */
export function readOnnxProtobuf(bytes: Uint8Array): OnnxModel {
  let graph: OnnxGraph | undefined
  const functions: OnnxFunction[] = []
  try {
    readParts(bytes, (field, reader) => {
      if (field === 7) graph = readGraph(reader.bytes(), 0)
      else if (field === 25) functions.push(readFunction(reader.bytes()))
      else return false
      return true
    })
  } catch (cause) {
    if (cause instanceof WeightInitError) throw cause
    fail(`its protobuf message is broken: ${(cause as Error).message}.`, cause)
  }
  return graph === undefined ? fail('it holds no graph.') : { graph, functions }
}

function readGraph(bytes: Uint8Array, depth: number): OnnxGraph {
  if (depth > MAX_DEPTH) fail(`its graphs are nested deeper than ${MAX_DEPTH} levels.`)
  const initializers: OnnxTensor[] = []
  const nodes: OnnxNode[] = []
  const inputs: string[] = []
  const outputs: string[] = []
  readParts(bytes, (field, reader) => {
    if (field === 1) nodes.push(readNode(reader.bytes(), depth))
    else if (field === 5) initializers.push(readTensor(reader.bytes()))
    else if (field === 11) inputs.push(readName(reader.bytes()))
    else if (field === 12) outputs.push(readName(reader.bytes()))
    else return false
    return true
  })
  return { initializers, nodes, inputs, outputs }
}

/** ValueInfoProto: the name alone. */
function readName(bytes: Uint8Array): string {
  let name = ''
  readParts(bytes, (field, reader) => {
    if (field === 1) name = reader.string()
    return field === 1
  })
  return name
}

function readFunction(bytes: Uint8Array): OnnxFunction {
  let [name, domain] = ['', '']
  const nodes: OnnxNode[] = []
  const inputs: string[] = []
  const outputs: string[] = []
  readParts(bytes, (field, reader) => {
    if (field === 1) name = reader.string()
    else if (field === 4) inputs.push(reader.string())
    else if (field === 5) outputs.push(reader.string())
    else if (field === 7) nodes.push(readNode(reader.bytes(), 0))
    else if (field === 10) domain = reader.string()
    else return false
    return true
  })
  return { name, domain, inputs, outputs, nodes }
}

function readNode(bytes: Uint8Array, depth: number): OnnxNode {
  let [name, opType, domain] = ['', '', '']
  const inputs: string[] = []
  const outputs: string[] = []
  const attributes = new Map<string, OnnxAttribute>()
  readParts(bytes, (field, reader) => {
    if (field === 1) inputs.push(reader.string())
    else if (field === 2) outputs.push(reader.string())
    else if (field === 3) name = reader.string()
    else if (field === 4) opType = reader.string()
    else if (field === 5) attributes.set(...readAttribute(reader.bytes(), depth))
    else if (field === 7) domain = reader.string()
    else return false
    return true
  })
  return { name, opType, domain, inputs, outputs, attributes }
}

function readAttribute(bytes: Uint8Array, depth: number): [name: string, attribute: OnnxAttribute] {
  let name = ''
  let floats = 0
  const integers: number[] = []
  let attribute: OnnxAttribute = {}
  readMessage(bytes, (field, wire, reader) => {
    const isBytes = wire === wireTypes.bytes
    if (field === 1 && isBytes) name = reader.string()
    else if (field === 2 && wire === wireTypes.fixed32) {
      reader.float()
      attribute = { ...attribute, floatDims: [] }
    } else if (field === 3 && wire === wireTypes.varint) attribute = { ...attribute, integer: Number(reader.int64()) }
    else if (field === 4 && isBytes) attribute = { ...attribute, text: reader.string() }
    else if (field === 5 && isBytes) attribute = { ...attribute, tensor: readTensor(reader.bytes()) }
    else if (field === 6 && isBytes) attribute = { ...attribute, graph: readGraph(reader.bytes(), depth + 1) }
    else if (field === 7 && wire === wireTypes.fixed32) {
      reader.float()
      floats++
    } else if (field === 7 && isBytes) floats += reader.bytes().length / 4
    else if (field === 8 && isList(wire)) integers.push(...readIntegers(wire, reader).map(Number))
    else if (field === 21 && isBytes) attribute = { ...attribute, reference: reader.string() }
    else return false
    return true
  })
  if (floats > 0) attribute = { ...attribute, floatDims: [floats] }
  return [name, integers.length > 0 ? { ...attribute, integers } : attribute]
}

const isList = (wire: number): boolean => wire === wireTypes.varint || wire === wireTypes.bytes

/** A repeated integer: one element, or packed. */
function readIntegers(wire: number, reader: ProtobufReader): bigint[] {
  if (wire === wireTypes.varint) return [reader.int64()]
  const packed = new ProtobufReader(reader.bytes())
  const list: bigint[] = []
  while (!packed.done) list.push(packed.int64())
  return list
}

/** How the raw data of these types are read; float32, int32, int64. */
const rawReaders: Readonly<Record<number, readonly [bytes: number, read: (view: DataView, at: number) => number]>> = {
  1: [4, (view, at) => view.getFloat32(at, true)],
  6: [4, (view, at) => view.getInt32(at, true)],
  7: [8, (view, at) => Number(view.getBigInt64(at, true))],
}

function readTensor(bytes: Uint8Array): OnnxTensor {
  let name = ''
  let dataType = 0
  const dims: bigint[] = []
  let raw: Uint8Array | undefined
  let floats: Uint8Array | undefined
  const integers: bigint[] = []
  readMessage(bytes, (field, wire, reader) => {
    const isBytes = wire === wireTypes.bytes
    if (field === 1 && isList(wire)) dims.push(...readIntegers(wire, reader))
    else if (field === 2 && wire === wireTypes.varint) dataType = Number(BigInt.asIntN(32, reader.int64()))
    else if (field === 4 && isBytes) floats = reader.bytes()
    else if (field === 7 && isList(wire) && integers.length <= MAX_VALUES) {
      integers.push(...readIntegers(wire, reader))
    } else if (field === 8 && isBytes) name = reader.string()
    else if (field === 9 && isBytes) raw = reader.bytes()
    else return false
    return true
  })
  for (const dim of dims) {
    if (dim < 0n || dim > BigInt(Number.MAX_SAFE_INTEGER)) {
      fail(`initializer ${show(name)} has the dimension ${dim}; a dimension is an integer from 0 to 2^53 - 1.`)
    }
  }
  if (dims.length > 64) fail(`initializer ${show(name)} has ${dims.length} dimensions, more than 64.`)
  const values = readValues(dataType, raw ?? floats, integers)
  return { name, dataType, dims: dims.map(Number), ...(values === undefined ? {} : { values }) }
}

function readValues(
  dataType: number,
  raw: Uint8Array | undefined,
  integers: readonly bigint[],
): readonly number[] | undefined {
  if (raw === undefined) return integers.length > 0 ? integers.map(Number) : undefined
  const [width, read] = rawReaders[dataType] ?? []
  if (width === undefined || read === undefined || raw.length > MAX_VALUES * width || raw.length % width !== 0) return
  const view = new DataView(raw.buffer, raw.byteOffset, raw.length)
  return Array.from({ length: raw.length / width }, (_, i) => read(view, i * width))
}
