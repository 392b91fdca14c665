import { show, WeightInitError } from '../../core/errors.js'
import { isVector } from '../../model/validate.js'
import type { ParameterFacts } from '../conventions.js'
import type { OnnxAttribute, OnnxFunction, OnnxGraph, OnnxModel, OnnxNode, OnnxTensor } from './messages.js'
import { biasOf, type Call, isChannels, operators } from './operators.js'
import {
  nothing,
  reshaped,
  resized,
  type Source,
  squeezed,
  transposed,
  unsqueezed,
  type Value,
  type View,
  viewOf,
  weightFacts,
} from './values.js'

/** Local functions that call each other: deeper than any exporter nests, and an end for those that call themselves. */
const MAX_CALLS = 32
const FLOAT = 1

/** Names of a graph, and of the graph around it. */
class Scope {
  readonly #values = new Map<string, Value>()
  readonly #integers = new Map<string, readonly number[]>()
  readonly #outer: Scope | undefined
  readonly path: string

  constructor(path: string, outer?: Scope) {
    this.path = path
    this.#outer = outer
  }

  get(name: string): Value {
    return this.#values.get(name) ?? this.#outer?.get(name) ?? nothing
  }

  set(name: string, value: Value): void {
    if (name !== '') this.#values.set(name, value)
  }

  /** The integers of a constant: a shape, axes. */
  integers(name: string | undefined): readonly number[] | undefined {
    return name === undefined ? undefined : (this.#integers.get(name) ?? this.#outer?.integers(name))
  }

  setIntegers(name: string, integers: readonly number[]): void {
    this.#integers.set(name, integers)
  }
}

/**
 * Follows every tensor of a model from where it is stored to the operators that take it, through casts, transposes,
 * reshapes and the like, into the bodies of If, Loop and Scan and into local functions, and notes what they say about it.
 * The nodes of a graph are in an order in which every value is made before it is used, as the format demands.
 */
export function traceOnnx({ graph, functions }: OnnxModel): readonly Source[] {
  const tracer = new Tracer(functions)
  tracer.graph(graph, new Scope(''), 0)
  nameLayers(tracer.sources)
  return tracer.sources
}

class Tracer {
  readonly sources: Source[] = []
  readonly #names = new Set<string>()
  readonly #functions: ReadonlyMap<string, OnnxFunction>

  constructor(functions: readonly OnnxFunction[]) {
    this.#functions = new Map(functions.map((fn) => [`${fn.domain} ${fn.name}`, fn]))
  }

  graph({ initializers, nodes }: OnnxGraph, scope: Scope, depth: number): void {
    const own = new Set<string>()
    for (const tensor of initializers) {
      const { name } = tensor
      if (name === '') {
        throw new WeightInitError('INVALID_FILE', 'Not a valid ONNX file: an initializer has no name.')
      }
      if (own.has(name)) {
        throw new WeightInitError(
          'INVALID_FILE',
          `The ONNX file has two initializers called ${show(name)} in one graph; names choose the random stream and must ` +
            'be unique. Rename one.',
        )
      }
      own.add(name)
      this.#store(name, tensor, false, scope)
    }
    for (const node of nodes) this.#node(node, scope, depth)
  }

  #store(name: string, tensor: OnnxTensor, isConstant: boolean, scope: Scope): void {
    // Graphs beside each other may use one name for two tensors; the random stream needs two names.
    let unique = name
    if (this.#names.has(unique)) unique = `${scope.path}${name}`
    for (let i = 2; this.#names.has(unique); i++) unique = `${scope.path}${name}.${i}`
    this.#names.add(unique)
    const source: Source = { name: unique, tensor, isConstant, users: new Set() }
    this.sources.push(source)
    if (tensor.dataType !== FLOAT && tensor.values !== undefined) scope.setIntegers(name, tensor.values)
    scope.set(name, { views: [viewOf(source)] })
  }

  #node(node: OnnxNode, scope: Scope, depth: number): void {
    const inputs = node.inputs.map((name) => (name === '' ? nothing : scope.get(name)))
    const call: Call = { node, inputs }
    const fn = this.#functions.get(`${node.domain} ${node.opType}`)
    if (fn !== undefined) {
      if (depth < MAX_CALLS) this.#call(fn, call, scope, depth)
      return
    }
    if (node.opType === 'Constant') {
      this.#constant(node, scope)
      return
    }
    for (const { views } of inputs) for (const { source } of views) source.users.add(node.opType)
    const known = Object.hasOwn(operators, node.opType) ? operators[node.opType]! : []
    inputs.forEach(({ views }, position) => {
      for (const view of views) learn(view, known[position]?.(view, call))
    })
    const value = this.#output(call, scope, depth)
    for (const name of node.outputs) scope.set(name, value)
  }

  #constant({ outputs: [name = ''], attributes }: OnnxNode, scope: Scope): void {
    const integers = attributes.get('value_ints')?.integers ?? toList(attributes.get('value_int')?.integer)
    if (integers !== undefined) scope.setIntegers(name, integers)
    const dims = attributes.get('value_floats')?.floatDims ?? attributes.get('value_float')?.floatDims
    const tensor = attributes.get('value')?.tensor ?? (dims === undefined ? undefined : { name, dataType: FLOAT, dims })
    if (tensor !== undefined && name !== '') this.#store(name, tensor, true, scope)
  }

  /** A local function: its body with the caller's values and attributes. */
  #call(fn: OnnxFunction, { node, inputs }: Call, scope: Scope, depth: number): void {
    const inner = new Scope(`${scope.path}${node.name || node.opType}/`)
    fn.inputs.forEach((name, position) => {
      inner.set(name, inputs[position] ?? nothing)
      const integers = scope.integers(node.inputs[position])
      if (integers !== undefined) inner.setIntegers(name, integers)
    })
    for (const inside of fn.nodes) this.#node(withAttributes(inside, node.attributes), inner, depth + 1)
    fn.outputs.forEach((name, position) => {
      scope.set(node.outputs[position] ?? '', inner.get(name))
    })
  }

  /** What comes out of an operator, as far as it is a parameter in another form, a layer's output or a part of a norm. */
  #output(call: Call, scope: Scope, depth: number): Value {
    const { node, inputs } = call
    const [first = nothing, second = nothing] = inputs
    const attribute = (name: string): OnnxAttribute | undefined => node.attributes.get(name)
    const integersOf = (name: string, position: number): readonly number[] | undefined =>
      attribute(name)?.integers ?? scope.integers(node.inputs[position])
    const mapped = (change: (view: View) => View): Value => ({ ...first, views: first.views.map(change) })
    switch (node.opType) {
      case 'Identity':
      case 'Cast':
      case 'CastLike':
      case 'Dropout':
      case 'DequantizeLinear':
      case 'QuantizeLinear':
        return first
      case 'Transpose':
        return mapped((view) => transposed(view, attribute('perm')?.integers))
      case 'Reshape':
        return mapped((view) => reshaped(view, integersOf('shape', 1)))
      case 'Flatten':
        return mapped(({ source }) => ({ source }))
      case 'Unsqueeze':
        return mapped((view) => unsqueezed(view, integersOf('axes', 1)))
      case 'Squeeze':
        return mapped((view) => squeezed(view, integersOf('axes', 1)))
      case 'Slice':
        return mapped((view) => sliced(view, call, scope))
      case 'Split':
        return mapped((view) => resized(view, attribute('axis')?.integer ?? 0, evenSplit(view, node, scope)))
      case 'Expand':
      case 'Tile':
        return mapped(({ source }) => ({ source }))
      case 'Concat': {
        const views = inputs.flatMap((value) => value.views)
        return views.length === inputs.length ? { views } : nothing
      }
      case 'If':
      case 'Loop':
      case 'Scan':
        return this.#bodies(call, scope, depth)
      case 'MatMul':
      case 'FusedMatMul':
      case 'Einsum': {
        const weight = [second, first].find(({ views }) => views.length > 0)?.views[0]?.source
        return weight === undefined ? nothing : { views: [], layer: weight }
      }
      case 'Mul':
        return multiplied(first, second)
      case 'Add':
        return added(first, second)
      case 'Div':
        return { views: [], ...(second.norm === 'deviation' ? { norm: 'normalized' as const } : {}) }
      case 'ReduceMean':
      case 'ReduceSum':
        return { views: [], norm: 'mean' }
      case 'Sqrt':
        return first.norm === 'mean' ? { views: [], norm: 'deviation' } : nothing
      case 'Reciprocal':
        return first.norm === 'deviation' ? { views: [], norm: 'inverse' } : nothing
      case 'InstanceNormalization':
        return { views: [], norm: 'normalized' }
      default:
        return nothing
    }
  }

  /** The bodies of control flow: the same names in two branches are two values. */
  #bodies({ node, inputs }: Call, scope: Scope, depth: number): Value {
    const views: View[] = []
    for (const [attribute, { graph }] of node.attributes) {
      if (graph === undefined) continue
      const inner = new Scope(`${scope.path}${node.name || node.opType}.${attribute}/`, scope)
      graph.inputs.forEach((name, position) => {
        // A body of Scan sees one slice of its inputs, one of Loop the values of the iteration before.
        const value = inputs[position] ?? nothing
        inner.set(name, node.opType === 'Scan' ? { views: value.views.map(({ source }) => ({ source })) } : value)
      })
      this.graph(graph, inner, depth + 1)
      for (const name of graph.outputs) views.push(...inner.get(name).views)
    }
    return { views: node.outputs.length === 1 ? views : [] }
  }
}

/**
 * Exporters give a transposed weight a number for a name, but leave its bias the name: what that says of the layer holds for
 * the weight, too.
 */
function nameLayers(sources: readonly Source[]): void {
  const byName = new Map(sources.map((source) => [source.name, source]))
  for (const source of sources) {
    const { name, facts } = source
    if (facts?.role !== 'bias' || facts.module !== undefined) continue
    const weight = byName.get(facts.layerWeight ?? '')
    if (weight?.facts === undefined) continue
    if (/(^|\.)in_proj_bias$/.test(name)) weight.facts = { ...weight.facts, module: 'MultiheadAttention' }
    if (!/(^|\.)bias_ih(_l\d+(_reverse)?)?$/.test(name)) continue
    const other = byName.get(name.replace(/bias_ih([^.]*)$/, 'bias_hh$1'))
    const recurrent = byName.get(other?.facts?.layerWeight ?? '')
    if (other?.facts === undefined || recurrent?.facts === undefined) continue
    for (const each of [source, weight, other, recurrent]) {
      each.facts = { ...each.facts, module: 'RNN', layerWeight: recurrent.name }
    }
  }
}

const toList = (value: number | undefined): readonly number[] | undefined => (value === undefined ? undefined : [value])

/** The node of a function's body, its references to the caller's attributes resolved. */
function withAttributes(node: OnnxNode, given: ReadonlyMap<string, OnnxAttribute>): OnnxNode {
  const entries = [...node.attributes].flatMap(([name, attribute]): [string, OnnxAttribute][] => {
    if (attribute.reference === undefined) return [[name, attribute]]
    const value = given.get(attribute.reference)
    return value === undefined ? [] : [[name, value]]
  })
  return { ...node, attributes: new Map(entries) }
}

/** Notes what an operator says; the first operator that knows a tensor decides. */
function learn(view: View, facts: ParameterFacts | undefined): void {
  const { source } = view
  if (facts === undefined || source.facts !== undefined) return
  const settled = facts.role === 'weight' ? weightFacts(view, facts) : facts
  if (settled !== undefined) source.facts = settled
}

function sliced(view: View, { node }: Call, scope: Scope): View {
  const list = (name: string, position: number): readonly number[] | undefined =>
    node.attributes.get(name)?.integers ?? scope.integers(node.inputs[position])
  const [starts, ends, axes, steps] = [list('starts', 1), list('ends', 2), list('axes', 3), list('steps', 4)]
  if (view.dims === undefined || starts?.length !== 1 || ends?.length !== 1 || (steps?.[0] ?? 1) !== 1) {
    return { source: view.source }
  }
  const axis = axes?.[0] ?? 0
  const length = view.dims[axis < 0 ? axis + view.dims.length : axis] ?? 0
  const bound = (at: number): number => Math.min(length, Math.max(0, at < 0 ? at + length : at))
  return resized(view, axis, bound(ends[0]!) - bound(starts[0]!))
}

function evenSplit({ dims }: View, node: OnnxNode, scope: Scope): number | undefined {
  const sizes = node.attributes.get('split')?.integers ?? scope.integers(node.inputs[1])
  if (sizes !== undefined) return new Set(sizes).size === 1 ? sizes[0] : undefined
  const axis = node.attributes.get('axis')?.integer ?? 0
  const length = dims?.[axis < 0 ? axis + dims.length : axis]
  const share = (length ?? 0) / node.outputs.length
  return Number.isSafeInteger(share) ? share : undefined
}

const isScalar = ({ views }: Value): boolean =>
  views.every(({ source }) => source.isConstant || source.tensor.dims.length === 0)

/** x / deviation may be written as a product; what multiplies the result along the channels is the norm's scale. */
function multiplied(first: Value, second: Value): Value {
  const both = [first, second]
  if (both.some(({ norm }) => norm === 'inverse') && both.every(({ views }) => views.length === 0)) {
    return { views: [], norm: 'normalized' }
  }
  const other = both.find(({ views }) => views.length > 0)
  const value = both.find(({ views }) => views.length === 0)
  if (other === undefined || value === undefined) return nothing
  if (value.norm === 'normalized' || value.norm === 'inverse') {
    for (const view of other.views) if (isChannels(view)) learn(view, { role: 'norm-scale' })
    return { views: [], norm: value.norm === 'inverse' ? 'inverse' : 'scaled' }
  }
  return nothing
}

/** After a layer the sum adds its bias, after a norm the norm's; a scalar beside a mean is the epsilon of a norm. */
function added(first: Value, second: Value): Value {
  const both = [first, second]
  const other = both.find(({ views }) => views.length > 0)
  const value = both.find(({ views }) => views.length === 0)
  if (other === undefined || value === undefined) return nothing
  if (value.norm === 'mean' && isScalar(other)) return value
  for (const view of other.views) {
    if (view.dims === undefined || !isChannels(view) || !isVector(view.source.tensor.dims)) continue
    if (value.norm === 'normalized' || value.norm === 'scaled') learn(view, { role: 'norm-bias' })
    else if (value.layer !== undefined) learn(view, biasOf(value.layer))
  }
  return nothing
}
