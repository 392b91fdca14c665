// Executes one invocation of a compute shader from its SPIR-V disassembly and counts the operations. It supports only the part
// of SPIR-V that Dawn's Tint uses for the fill shaders. Callers compare the stored words with the CPU's, so that the counts are
// those of a correct run.

/** The kind under which an operation is counted, per component. Operations not listed only move values and are free. */
const kinds = {
  OpIAdd: 'integer',
  OpISub: 'integer',
  OpSNegate: 'integer',
  OpBitwiseAnd: 'integer',
  OpBitwiseOr: 'integer',
  OpBitwiseXor: 'integer',
  OpNot: 'integer',
  OpShiftLeftLogical: 'integer',
  OpShiftRightLogical: 'integer',
  OpShiftRightArithmetic: 'integer',
  OpIMul: 'multiply',
  OpUDiv: 'division',
  OpUMod: 'division',
  OpFAdd: 'float',
  OpFSub: 'float',
  OpFMul: 'float',
  OpFNegate: 'float',
  OpFDiv: 'special',
  OpConvertUToF: 'convert',
  OpConvertSToF: 'convert',
  OpConvertFToU: 'convert',
  OpConvertFToS: 'convert',
  OpSelect: 'compare',
  OpIEqual: 'compare',
  OpINotEqual: 'compare',
  OpULessThan: 'compare',
  OpULessThanEqual: 'compare',
  OpUGreaterThan: 'compare',
  OpUGreaterThanEqual: 'compare',
  OpSLessThan: 'compare',
  OpSLessThanEqual: 'compare',
  OpSGreaterThan: 'compare',
  OpSGreaterThanEqual: 'compare',
  OpFOrdLessThan: 'compare',
  OpFOrdLessThanEqual: 'compare',
  OpFOrdGreaterThan: 'compare',
  OpFOrdGreaterThanEqual: 'compare',
  OpBranchConditional: 'branch',
}
const specialInstructions = new Set(['Log', 'Sqrt', 'Sin', 'Cos', 'InverseSqrt', 'Exp'])

const scratch = new DataView(new ArrayBuffer(4))
const floatBits = (value) => {
  scratch.setFloat32(0, value)
  return scratch.getUint32(0)
}
const bitsFloat = (bits) => {
  scratch.setUint32(0, bits)
  return scratch.getFloat32(0)
}

/** Integers are stored as unsigned 32-bit numbers, floats as float32 numbers. */
const scalar = {
  OpIAdd: (a, b) => (a + b) >>> 0,
  OpISub: (a, b) => (a - b) >>> 0,
  OpIMul: (a, b) => Math.imul(a, b) >>> 0,
  OpUDiv: (a, b) => Math.floor(a / b),
  OpUMod: (a, b) => a % b,
  OpSNegate: (a) => -a >>> 0,
  OpBitwiseAnd: (a, b) => (a & b) >>> 0,
  OpBitwiseOr: (a, b) => (a | b) >>> 0,
  OpBitwiseXor: (a, b) => (a ^ b) >>> 0,
  OpNot: (a) => ~a >>> 0,
  OpShiftLeftLogical: (a, b) => (a << b) >>> 0,
  OpShiftRightLogical: (a, b) => a >>> b,
  OpShiftRightArithmetic: (a, b) => ((a | 0) >> b) >>> 0,
  OpFAdd: (a, b) => Math.fround(a + b),
  OpFSub: (a, b) => Math.fround(a - b),
  OpFMul: (a, b) => Math.fround(a * b),
  OpFDiv: (a, b) => Math.fround(a / b),
  OpFNegate: (a) => -a,
  OpConvertUToF: (a) => Math.fround(a),
  OpConvertSToF: (a) => Math.fround(a | 0),
  OpConvertFToU: (a) => Math.min(0xffffffff, Math.max(0, Math.trunc(a))),
  OpConvertFToS: (a) => Math.trunc(a) >>> 0,
  OpIEqual: (a, b) => a === b,
  OpINotEqual: (a, b) => a !== b,
  OpULessThan: (a, b) => a < b,
  OpULessThanEqual: (a, b) => a <= b,
  OpUGreaterThan: (a, b) => a > b,
  OpUGreaterThanEqual: (a, b) => a >= b,
  OpSLessThan: (a, b) => (a | 0) < (b | 0),
  OpSLessThanEqual: (a, b) => (a | 0) <= (b | 0),
  OpSGreaterThan: (a, b) => (a | 0) > (b | 0),
  OpSGreaterThanEqual: (a, b) => (a | 0) >= (b | 0),
  OpFOrdLessThan: (a, b) => a < b,
  OpFOrdLessThanEqual: (a, b) => a <= b,
  OpFOrdGreaterThan: (a, b) => a > b,
  OpFOrdGreaterThanEqual: (a, b) => a >= b,
  OpLogicalAnd: (a, b) => a && b,
  OpLogicalOr: (a, b) => a || b,
  OpLogicalNot: (a) => !a,
  OpSelect: (condition, a, b) => (condition ? a : b),
}
const extended = {
  FMin: Math.min,
  FMax: Math.max,
  NMin: Math.min,
  NMax: Math.max,
  UMin: Math.min,
  UMax: Math.max,
  FClamp: (x, low, high) => Math.min(Math.max(x, low), high),
  NClamp: (x, low, high) => Math.min(Math.max(x, low), high),
  UClamp: (x, low, high) => Math.min(Math.max(x, low), high),
  FAbs: Math.abs,
  Log: (x) => Math.fround(Math.log(x)),
  Sqrt: (x) => Math.fround(Math.sqrt(x)),
  Sin: (x) => Math.fround(Math.sin(x)),
  Cos: (x) => Math.fround(Math.cos(x)),
}
const componentwise = (operation, operands) =>
  operands.some(Array.isArray)
    ? operands.find(Array.isArray).map((_, i) => operation(...operands.map((o) => (Array.isArray(o) ? o[i] : o))))
    : operation(...operands)
const copyOf = (value) => (Array.isArray(value) ? value.map(copyOf) : value)

/** Parses the disassembly into types, constants, decorations, variables, and functions of basic blocks. */
function parse(text) {
  const module = { types: new Map(), typeOf: new Map(), constants: new Map(), offsets: new Map(), strides: new Map() }
  module.builtins = new Map()
  module.bindings = new Set()
  module.variables = []
  module.functions = new Map()
  let fn
  let block
  for (const line of text.split('\n')) {
    const match = /^\s*(?:(%\S+) = )?(Op\w+)\s*(.*)$/.exec(line)
    if (match === null) continue
    const [, id, op, rest] = match
    const args = rest.match(/"[^"]*"|\S+/g) ?? []
    if (op.startsWith('OpType')) module.types.set(id, { op, args })
    else if (op === 'OpEntryPoint') module.entry = args[1]
    else if (op === 'OpMemberDecorate' && args[2] === 'Offset')
      module.offsets.set(`${args[0]} ${args[1]}`, Number(args[3]))
    else if (op === 'OpDecorate' && args[1] === 'ArrayStride') module.strides.set(args[0], Number(args[2]))
    else if (op === 'OpDecorate' && args[1] === 'BuiltIn') module.builtins.set(args[0], args[2])
    else if (op === 'OpDecorate' && args[1] === 'Binding') module.bindings.add(args[0])
    else if (op === 'OpFunction') {
      fn = { parameters: [], blocks: new Map(), first: undefined }
      module.functions.set(id, fn)
    } else if (op === 'OpFunctionParameter') fn.parameters.push(id)
    else if (op === 'OpFunctionEnd') fn = undefined
    else if (op === 'OpLabel') {
      block = []
      fn.first ??= id
      fn.blocks.set(id, block)
    } else if (fn !== undefined) block.push({ id, op, args })
    else if (op === 'OpVariable') module.variables.push({ id, type: args[0], storage: args[1] })
    else if (op === 'OpConstant') {
      const float = module.types.get(args[0]).op === 'OpTypeFloat'
      module.constants.set(id, float ? Math.fround(Number(args[1])) : Number(args[1]) >>> 0)
    } else if (op === 'OpConstantTrue' || op === 'OpConstantFalse') module.constants.set(id, op === 'OpConstantTrue')
    else if (op === 'OpConstantComposite')
      module.constants.set(
        id,
        args.slice(1).map((a) => module.constants.get(a)),
      )
    else if (op === 'OpConstantNull') module.constants.set(id, zeroOf(module, args[0]))
    if (id !== undefined && !op.startsWith('OpType')) module.typeOf.set(id, args[0])
  }
  return module
}

function zeroOf(module, type) {
  const { op, args } = module.types.get(type)
  if (op === 'OpTypeBool') return false
  if (op === 'OpTypeVector') return Array(Number(args[1])).fill(zeroOf(module, args[0]))
  if (op === 'OpTypeArray') return Array.from({ length: module.constants.get(args[1]) }, () => zeroOf(module, args[0]))
  if (op === 'OpTypeStruct') return args.map((member) => zeroOf(module, member))
  return 0
}

/** Reads a value of a type from a buffer. A runtime array takes the rest of the buffer. */
function readTyped(module, type, view, at) {
  const { op, args } = module.types.get(type)
  if (op === 'OpTypeInt') return view.getUint32(at, true)
  if (op === 'OpTypeFloat') return view.getFloat32(at, true)
  if (op === 'OpTypeVector')
    return Array.from({ length: Number(args[1]) }, (_, i) => readTyped(module, args[0], view, at + 4 * i))
  if (op === 'OpTypeStruct')
    return args.map((member, i) => readTyped(module, member, view, at + module.offsets.get(`${type} ${i}`)))
  const stride = module.strides.get(type)
  const length = op === 'OpTypeArray' ? module.constants.get(args[1]) : Math.floor((view.byteLength - at) / stride)
  return Array.from({ length }, (_, i) => readTyped(module, args[0], view, at + stride * i))
}

/**
 * Runs invocation (0, 0, 0) of a grid of one workgroup.
 * @param buffers the bytes of the only variable in each storage class, { StorageBuffer, Uniform }. They are identified by the
 *   class because Dawn changes the numbers of bindings.
 * @returns `counts` by kind, and the final content of the storage variable, as flat 32-bit words
 */
export function execute(text, buffers) {
  const module = parse(text)
  const counts = {}
  const globals = new Map()
  let storage
  for (const { id, type, storage: place } of module.variables) {
    const pointee = module.types.get(type).args[1]
    const builtin = module.builtins.get(id)
    let value
    if (builtin !== undefined) value = builtin === 'NumWorkgroups' ? [1, 1, 1] : [0, 0, 0]
    else if (module.bindings.has(id)) {
      const bytes = buffers[place]
      value = readTyped(module, pointee, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0)
      if (place === 'StorageBuffer') storage = value
    } else value = zeroOf(module, pointee)
    globals.set(id, { box: [value], path: [0] })
  }
  const components = (value) => (Array.isArray(value) ? value.length : 1)
  const add = (kind, count) => {
    counts[kind] = (counts[kind] ?? 0) + count
  }
  const isFloat = (type) => {
    const { op, args } = module.types.get(type)
    return op === 'OpTypeFloat' || (op === 'OpTypeVector' && isFloat(args[0]))
  }

  function call(name, parameters) {
    const fn = module.functions.get(name)
    const values = new Map(fn.parameters.map((id, i) => [id, parameters[i]]))
    const get = (id) => values.get(id) ?? globals.get(id) ?? module.constants.get(id) ?? values.get(id)
    const load = ({ box, path }) => path.reduce((value, index) => value[index], box)
    let label = fn.first
    let from
    for (;;) {
      const block = fn.blocks.get(label)
      let next
      for (const { id, op, args } of block) {
        if (op === 'OpReturn') return undefined
        if (op === 'OpReturnValue') return get(args[0])
        if (op === 'OpBranch') next = args[0]
        else if (op === 'OpBranchConditional') {
          add('branch', 1)
          next = get(args[0]) ? args[1] : args[2]
        } else if (op === 'OpSwitch') {
          const found = args.slice(2).findIndex((a, i) => i % 2 === 0 && Number(a) === get(args[0]))
          next = found < 0 ? args[1] : args[2 + found + 1]
        } else if (op === 'OpPhi') {
          const at = args.findIndex((a, i) => i > 0 && i % 2 === 0 && a === from)
          values.set(id, get(args[at - 1]))
        } else if (op === 'OpVariable') {
          const initial =
            args[2] === undefined ? zeroOf(module, module.types.get(args[0]).args[1]) : copyOf(get(args[2]))
          values.set(id, { box: [initial], path: [0] })
        } else if (op === 'OpLoad') values.set(id, copyOf(load(get(args[1]))))
        else if (op === 'OpStore') {
          const { box, path } = get(args[0])
          const target = path.slice(0, -1).reduce((value, index) => value[index], box)
          target[path.at(-1)] = copyOf(get(args[1]))
        } else if (op === 'OpAccessChain') {
          const { box, path } = get(args[1])
          values.set(id, { box, path: [...path, ...args.slice(2).map(get)] })
        } else if (op === 'OpArrayLength') values.set(id, load(get(args[1]))[Number(args[2])].length)
        else if (op === 'OpFunctionCall') values.set(id, call(args[1], args.slice(2).map(get)))
        else if (op === 'OpCompositeExtract') {
          values.set(
            id,
            args.slice(2).reduce((value, index) => value[Number(index)], get(args[1])),
          )
        } else if (op === 'OpCompositeConstruct') {
          const vector = module.types.get(args[0]).op === 'OpTypeVector'
          values.set(id, vector ? args.slice(1).flatMap(get) : args.slice(1).map(get))
        } else if (op === 'OpVectorShuffle') {
          const both = [...get(args[1]), ...get(args[2])]
          values.set(
            id,
            args.slice(3).map((index) => both[Number(index)]),
          )
        } else if (op === 'OpVectorExtractDynamic') values.set(id, get(args[1])[get(args[2])])
        else if (op === 'OpBitcast') {
          const was = isFloat(module.typeOf.get(args[1]))
          const becomes = isFloat(args[0])
          const convert = was === becomes ? (x) => x : becomes ? bitsFloat : floatBits
          values.set(id, componentwise(convert, [get(args[1])]))
        } else if (op === 'OpVectorTimesScalar') {
          values.set(
            id,
            get(args[1]).map((x) => Math.fround(x * get(args[2]))),
          )
          add('float', components(get(args[1])))
        } else if (op === 'OpAll') values.set(id, get(args[1]).every(Boolean))
        else if (op === 'OpAny') values.set(id, get(args[1]).some(Boolean))
        else if (op === 'OpExtInst') {
          const operation = extended[args[2]]
          if (operation === undefined) throw new Error(`SPIR-V extended instruction ${args[2]} is not known`)
          const value = componentwise(operation, args.slice(3).map(get))
          values.set(id, value)
          add(specialInstructions.has(args[2]) ? 'special' : 'compare', components(value))
        } else if (scalar[op] !== undefined) {
          const value = componentwise(scalar[op], args.slice(1).map(get))
          values.set(id, value)
          if (kinds[op] !== undefined) add(kinds[op], components(value))
        } else if (!/^Op(SelectionMerge|LoopMerge|Nop|Unreachable)$/.test(op))
          throw new Error(`SPIR-V ${op} is not known`)
      }
      from = label
      label = next
    }
  }
  call(module.entry, [])
  const words = (value) => (Array.isArray(value) ? value.flatMap(words) : [value])
  return { counts, words: words(storage) }
}
