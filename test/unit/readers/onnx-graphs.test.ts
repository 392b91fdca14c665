// What a graph computes says what its tensors are: every way from an initializer to the operator that takes it.
import { describe, expect, test } from 'vitest'
import type { ParameterSpec } from '../../../src/ir/parameter.js'
import { planModel } from '../../../src/plan/plan.js'
import { readOnnxModel } from '../../../src/readers/onnx.js'
import { graph, integers, localFunction, model, numbers, operation, tensor } from '../../support/onnx.js'

const FLOAT = 1
const w = (name: string, ...dims: number[]): Uint8Array => tensor(name, dims, FLOAT)
const read = (
  initializers: readonly Uint8Array[],
  nodes: readonly Uint8Array[],
  functions: readonly Uint8Array[] = [],
) => readOnnxModel(model(graph(initializers, nodes), functions))
type Read = ReturnType<typeof read>
const factsOf = ({ model }: Read, name: string): Partial<ParameterSpec> => {
  const { name: _, shape: __, dtype: ___, ...facts } = model.parameters.find((p) => p.name === name)!
  return facts
}
const fansOf = (file: Read, name: string) =>
  planModel(file.model, [{ match: '*', initializer: 'xavier' }], { seed: 1, only: name }).parameters.find(
    (p) => p.name === name,
  )?.fans

describe('a weight [64, 256] of x W has fans 64 and 256', () => {
  const shape = integers('shape', [64, 256])
  test.each<[way: string, initializers: Uint8Array[], nodes: Uint8Array[]]>([
    ['as it is', [w('w', 64, 256)], [operation('x, w -> y', 'MatMul')]],
    ['cast', [tensor('w', [64, 256], 10)], [operation('w -> v', 'Cast', { to: 1 }), operation('x, v -> y', 'MatMul')]],
    ['by another name', [w('w', 64, 256)], [operation('w -> v', 'Identity'), operation('x, v -> y', 'MatMul')]],
    [
      'transposed',
      [w('w', 256, 64)],
      [operation('w -> v', 'Transpose', { perm: [1, 0] }), operation('x, v -> y', 'MatMul')],
    ],
    [
      'transposed twice',
      [w('w', 64, 256)],
      [operation('w -> u', 'Transpose'), operation('u -> v', 'Transpose'), operation('x, v -> y', 'MatMul')],
    ],
    [
      'flat in the file',
      [w('w', 64 * 256), shape],
      [operation('w, shape -> v', 'Reshape'), operation('x, v -> y', 'MatMul')],
    ],
    [
      'with an axis more in the file',
      [w('w', 1, 64, 256), integers('axes', [0])],
      [operation('w, axes -> v', 'Squeeze'), operation('x, v -> y', 'MatMul')],
    ],
    ['by transB', [w('w', 256, 64)], [operation('x, w -> y', 'Gemm', { transB: 1 })]],
    ['on the left, transposed', [w('w', 64, 256)], [operation('w, x -> y', 'Gemm', { transA: 1 })]],
    ['FusedMatMul', [w('w', 256, 64)], [operation('x, w -> y', 'FusedMatMul', { transB: 1 }, 'com.microsoft')]],
    ['einsum', [w('w', 64, 256)], [operation('x, w -> y', 'Einsum', { equation: 'bti,io->bto' })]],
    ['einsum, transposed', [w('w', 256, 64)], [operation('x, w -> y', 'Einsum', { equation: '...i,oi->...o' })]],
    ['einsum, heads', [w('w', 64, 4, 64)], [operation('x, w -> y', 'Einsum', { equation: 'bi,ihd->bhd' })]],
  ])('%s', (_, initializers, nodes) => {
    const file = read(initializers, nodes)
    expect(fansOf(file, 'w')).toEqual({ fanIn: 64, fanOut: 256 })
    expect(file.guesses).toEqual([])
  })

  test('a part of a fused weight has the fans of the part', () => {
    const ends = [integers('zero', [0]), integers('end', [256]), integers('axis', [1])]
    const file = read(
      [w('w', 64, 768), ...ends],
      [operation('w, zero, end, axis -> q', 'Slice'), operation('x, q -> y', 'MatMul')],
    )
    expect(fansOf(file, 'w')).toEqual({ fanIn: 64, fanOut: 256 })
  })

  test('parts that are put together are all weights', () => {
    const file = read(
      [w('q', 64, 256), w('k', 64, 256)],
      [operation('q, k -> both', 'Concat', { axis: 1 }), operation('x, both -> y', 'MatMul')],
    )
    for (const name of ['q', 'k']) expect(fansOf(file, name)).toEqual({ fanIn: 64, fanOut: 256 })
  })

  test('in a quantised graph the table of scales is fixed', () => {
    const file = read(
      [tensor('w', [64, 256], 3), w('w_scale', 256), w('head', 256, 4)],
      [
        operation('w, w_scale -> v', 'DequantizeLinear'),
        operation('x, v -> h', 'MatMul'),
        operation('h, head -> y', 'MatMul'),
      ],
    )
    expect(file.fixed).toEqual(['w_scale'])
    expect(file.omitted).toMatchObject([{ name: 'w', reason: expect.stringContaining('int8') }])
  })
})

describe('graphs in graphs', () => {
  const body = (name: string, nodes: readonly Uint8Array[], inputs: readonly string[] = []) =>
    graph([integers('shape', [2]), w('scale', 4, 4)], nodes, { inputs, outputs: [name] })

  test('two branches may use one name for two tensors', () => {
    const branch = (out: string) => body(out, [operation(`h, scale -> ${out}`, 'MatMul')])
    const file = read(
      [w('w', 64, 256)],
      [
        operation('x, w -> h', 'MatMul'),
        operation('c -> y', 'If', { then_branch: { graph: branch('a') }, else_branch: { graph: branch('b') } }),
      ],
    )
    expect(file.model.parameters.map(({ name }) => name)).toEqual(['w', 'scale', 'If.else_branch/scale'])
  })

  test('a value of the graph around is seen, and what a branch returns is followed', () => {
    const branch = graph([], [operation('w -> v', 'Transpose')], { outputs: ['v'] })
    const file = read(
      [w('w', 256, 64)],
      [
        operation('c -> chosen', 'If', { then_branch: { graph: branch }, else_branch: { graph: branch } }),
        operation('x, chosen -> y', 'MatMul'),
      ],
    )
    expect(fansOf(file, 'w')).toEqual({ fanIn: 64, fanOut: 256 })
  })

  test.each(['Loop', 'Scan'])('the body of %s takes its inputs by position', (kind) => {
    const inside = graph([], [operation('state, v -> next', 'MatMul')], {
      inputs: ['i', 'go', 'state', 'v'],
      outputs: ['go', 'next', 'v'],
    })
    const file = read([w('w', 4, 4)], [operation('n, c, x, w -> y, z', kind, { body: { graph: inside } })])
    expect(factsOf(file, 'w')).toMatchObject({ role: 'weight' })
    expect(file.guesses).toEqual([])
  })

  test('a local function, with the caller’s attributes', () => {
    const dense = localFunction(
      ['local', 'Dense'],
      ['x', 'kernel', 'shift'],
      ['y'],
      [operation('x, kernel, shift -> y', 'Gemm', { transB: { reference: 'flip' } })],
    )
    const file = read(
      [w('w', 256, 64), w('b', 256)],
      [operation('x, w, b -> y', 'Dense', { flip: 1 }, 'local')],
      [dense],
    )
    expect(fansOf(file, 'w')).toEqual({ fanIn: 64, fanOut: 256 })
    expect(factsOf(file, 'b')).toEqual({ role: 'bias', layerWeight: 'w' })
  })

  test('a function that calls itself ends', () => {
    const endless = localFunction(['local', 'F'], ['x'], ['y'], [operation('x -> y', 'F', {}, 'local')])
    const file = read([w('w', 4, 4)], [operation('w -> y', 'F', {}, 'local')], [endless])
    expect(file.model.parameters).toHaveLength(1)
  })

  test('weights in Constant nodes are parameters, other constants are not', () => {
    const file = read(
      [],
      [
        operation('-> w', 'Constant', { value: { tensor: w('', 8, 4) } }),
        operation('-> b', 'Constant', { value: { tensor: w('', 4) } }),
        operation('-> two', 'Constant', { value: { tensor: w('') } }),
        operation('x, w -> h', 'MatMul'),
        operation('h, b -> s', 'Add'),
        operation('s, two -> y', 'Mul'),
      ],
    )
    expect(file.model.parameters.map(({ name, role }) => [name, role])).toEqual([
      ['w', 'weight'],
      ['b', 'bias'],
    ])
  })

  test('IR 3, where initializers are inputs, too', () => {
    const main = graph([w('w', 8, 4)], [operation('x, w -> y', 'MatMul')], { inputs: ['x', 'w'], outputs: ['y'] })
    expect(readOnnxModel(model(main, [], 3)).model.parameters).toMatchObject([{ role: 'weight', layout: 'in-out' }])
  })
})

describe('layers', () => {
  test('the sum after a product is its bias, with one element as well, and through a reshape', () => {
    const file = read(
      [w('w', 8, 1), w('b', 1), w('v', 1, 4), w('c', 4), integers('shape', [-1, 4])],
      [
        operation('x, w -> h', 'MatMul'),
        operation('b, h -> s', 'Add'),
        operation('s, v -> t', 'MatMul'),
        operation('t, shape -> u', 'Reshape'),
        operation('u, c -> y', 'Add'),
      ],
    )
    expect(factsOf(file, 'b')).toEqual({ role: 'bias', layerWeight: 'w' })
    expect(factsOf(file, 'c')).toEqual({ role: 'bias', layerWeight: 'v' })
  })

  test('recurrent layers: gates, biases, and initial states that are fixed', () => {
    const file = read(
      [w('W', 2, 20, 4), w('R', 2, 20, 5), w('B', 2, 40), w('h', 2, 1, 5), w('c', 2, 1, 5)],
      [operation('x, W, R, B, , h, c -> y', 'LSTM', { hidden_size: 5 })],
    )
    expect(fansOf(file, 'W')).toEqual({ fanIn: 4, fanOut: 5 })
    expect(file.fixed).toEqual(['h', 'c'])
    const { parameters } = planModel(file.model, 'torch_default', {}, { seed: 1, skip: '{h,c}' })
    expect(parameters.map(({ action, expected }) => [action, expected.max.toFixed(6)])).toEqual([
      ...Array(3).fill(['initialize', (1 / Math.sqrt(5)).toFixed(6)]),
      ...Array(2).fill(['skip', '0.000000']),
    ])
  })

  test.each([
    ['GRU', 3],
    ['RNN', 1],
  ])('%s', (kind, gates) => {
    const file = read(
      [w('W', 1, gates * 5, 4), w('R', 1, gates * 5, 5), w('B', 1, 2 * gates * 5)],
      [operation('x, W, R, B -> y', kind)],
    )
    const { parameters } = planModel(file.model, 'torch_default', {}, { seed: 1 })
    for (const { expected } of parameters) expect(expected.max).toBeCloseTo(1 / Math.sqrt(5), 12)
  })

  test('a group norm that is an instance norm, a product and a sum', () => {
    const file = read(
      [w('gn.weight', 8, 1, 1), w('gn.bias', 8, 1, 1), integers('grouped', [0, 2, -1]), integers('back', [1, 8, 4, 4])],
      [
        operation('-> ones', 'Constant', { value: { tensor: numbers('', [2], [1, 1]) } }),
        operation('-> zeros', 'Constant', { value: { tensor: numbers('', [2], [0, 0]) } }),
        operation('x, grouped -> g', 'Reshape'),
        operation('g, ones, zeros -> n', 'InstanceNormalization'),
        operation('n, back -> r', 'Reshape'),
        operation('r, gn.weight -> s', 'Mul'),
        operation('s, gn.bias -> y', 'Add'),
      ],
    )
    expect(factsOf(file, 'gn.weight')).toEqual({ role: 'norm-scale' })
    expect(factsOf(file, 'gn.bias')).toEqual({ role: 'norm-bias' })
    expect(file.model.parameters).toHaveLength(2)
  })

  const eps = operation('-> eps', 'Constant', { value: { tensor: numbers('', [], [1e-5]) } })
  test('a decomposed LayerNorm', () => {
    const file = read(
      [w('a', 8), w('b', 8)],
      [
        eps,
        operation('x -> mean', 'ReduceMean'),
        operation('x, mean -> d', 'Sub'),
        operation('d, d -> sq', 'Mul'),
        operation('sq -> var', 'ReduceMean'),
        operation('var, eps -> ve', 'Add'),
        operation('ve -> std', 'Sqrt'),
        operation('d, std -> n', 'Div'),
        operation('n, a -> s', 'Mul'),
        operation('s, b -> y', 'Add'),
      ],
    )
    expect([factsOf(file, 'a').role, factsOf(file, 'b').role]).toEqual(['norm-scale', 'norm-bias'])
  })

  test('a decomposed RMSNorm', () => {
    const file = read(
      [w('a', 8)],
      [
        eps,
        operation('x, x -> sq', 'Mul'),
        operation('sq -> ms', 'ReduceMean'),
        operation('ms, eps -> me', 'Add'),
        operation('me -> rms', 'Sqrt'),
        operation('rms -> inv', 'Reciprocal'),
        operation('x, inv -> n', 'Mul'),
        operation('a, n -> y', 'Mul'),
      ],
    )
    expect(factsOf(file, 'a').role).toBe('norm-scale')
  })

  test('operators of com.microsoft', () => {
    const file = read(
      [
        ...['word', 'position', 'segment'].map((name) => w(name, 16, 8)),
        ...['g1', 'b1', 'g2', 'b2', 'proj_b', 'act_b'].map((name) => w(name, 8)),
        w('qkv', 8, 24),
        w('qkv_b', 24),
        w('proj', 8, 8),
        w('up', 8, 8),
      ],
      [
        operation('ids, seg, word, position, segment, g1, b1 -> e', 'EmbedLayerNormalization', {}, 'com.microsoft'),
        operation('e, qkv, qkv_b -> a', 'Attention', { num_heads: 2 }, 'com.microsoft'),
        operation('a, proj -> p', 'MatMul'),
        operation('p, e, g2, b2, proj_b -> s', 'SkipLayerNormalization', {}, 'com.microsoft'),
        operation('s, up -> u', 'MatMul'),
        operation('u, act_b -> y', 'BiasGelu', {}, 'com.microsoft'),
      ],
    )
    const roles = Object.fromEntries(file.model.parameters.map(({ name, role }) => [name, role]))
    expect(roles).toEqual({
      word: 'embedding',
      position: 'embedding',
      segment: 'embedding',
      g1: 'norm-scale',
      b1: 'norm-bias',
      g2: 'norm-scale',
      b2: 'norm-bias',
      qkv: 'weight',
      qkv_b: 'bias',
      proj: 'weight',
      proj_b: 'bias',
      up: 'weight',
      act_b: 'bias',
    })
    expect(fansOf(file, 'qkv')).toEqual({ fanIn: 8, fanOut: 8 })
    expect(factsOf(file, 'proj_b').layerWeight).toBe('proj')
    expect(factsOf(file, 'act_b').layerWeight).toBe('up')
  })

  test('a slope starts at PyTorch’s 0.25', () => {
    const file = read([w('s', 8, 1, 1)], [operation('x, s -> y', 'PRelu')])
    expect(planModel(file.model, 'kaiming', {}, { seed: 1 }).parameters[0]?.expected.mean).toBe(0.25)
  })
})

describe('what is no weight', () => {
  test('masks by name, masks and grids by their numbers, tables of rotations', () => {
    const file = read(
      [
        w('w', 4, 4),
        w('attn_mask', 4, 4),
        numbers('onnx::Add_7', [2, 2], [0, -Infinity, 0, 0]),
        numbers('onnx::Mul_8', [2, 2], [0, 1, 2, 3]),
        w('cos', 4, 4),
        w('sin', 4, 4),
      ],
      [
        operation('x, w -> h', 'MatMul'),
        operation('h, attn_mask -> a', 'Add'),
        operation('a, onnx::Add_7 -> b', 'Add'),
        operation('b, onnx::Mul_8 -> c', 'Mul'),
        operation('c, ids, cos, sin -> y', 'RotaryEmbedding', {}, 'com.microsoft'),
      ],
    )
    expect(file.fixed).toEqual(['attn_mask', 'onnx::Add_7', 'onnx::Mul_8', 'cos', 'sin'])
  })

  test('a table that is only added is unknown, with the reason; a position table by name is none', () => {
    const file = read(
      [w('w', 4, 4), w('onnx::Add_9', 6, 4), w('pos_embed', 1, 6, 4)],
      [
        operation('x, w -> h', 'MatMul'),
        operation('h, onnx::Add_9 -> a', 'Add'),
        operation('a, pos_embed -> y', 'Add'),
      ],
    )
    expect(factsOf(file, 'onnx::Add_9').role).toBe('unknown')
    expect(factsOf(file, 'pos_embed').role).toBe('embedding')
    expect(file.guesses.map(({ name }) => name)).toEqual(['onnx::Add_9', 'pos_embed'])
  })
})
