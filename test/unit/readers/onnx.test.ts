// Models from ONNX files: a real export of PyTorch's, and graphs made with protobuf's own writer.
import { readFileSync } from 'node:fs'
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { describe, expect, test } from 'vitest'
import { planModel, recipes } from '../../../src/index.js'
import { readOnnxModel } from '../../../src/readers/onnx.js'
import { graph, model, node, tensor } from '../../support/onnx.js'
import { expectRefusal } from '../../support/refusal.js'

const parametersOf = (bytes: Uint8Array) =>
  readOnnxModel(bytes).model.parameters.map(({ name, shape, dtype, module, layerWeight, ...facts }) => [
    name,
    shape,
    facts,
  ])

test('PyTorch’s export: names, shapes, roles, layouts, groups', () => {
  const bytes = new Uint8Array(readFileSync(new URL('../../vectors/torch_net.onnx', import.meta.url)))
  expect(parametersOf(bytes)).toEqual([
    ['scale', [7], { role: 'scale' }],
    ['emb.weight', [11, 6], { role: 'embedding' }],
    ['conv.weight', [8, 3, 3], { role: 'weight', groups: 2 }],
    ['conv.bias', [8], { role: 'bias' }],
    ['bn.weight', [8], { role: 'norm-scale' }],
    ['bn.bias', [8], { role: 'norm-bias' }],
    ['bn.running_mean', [8], { role: 'norm-bias' }],
    ['bn.running_var', [8], { role: 'norm-scale' }],
    ['up.weight', [8, 4, 2], { role: 'weight', layout: 'transposed' }],
    ['norm.weight', [5], { role: 'norm-scale' }],
    ['norm.bias', [5], { role: 'norm-bias' }],
    ['fc.bias', [3], { role: 'bias' }],
    ['head.weight', [7, 3], { role: 'weight', layout: 'out-in' }],
    ['head.bias', [7], { role: 'bias' }],
    ['onnx::LSTM_162', [1, 20, 4], { role: 'weight', batchAxes: 1, blocks: 4 }],
    ['onnx::LSTM_163', [1, 20, 5], { role: 'weight', batchAxes: 1, blocks: 4 }],
    ['onnx::LSTM_164', [1, 40], { role: 'bias' }],
    ['onnx::MatMul_165', [5, 5], { role: 'weight', layout: 'in-out' }],
    ['onnx::MatMul_166', [5, 3], { role: 'weight', layout: 'in-out' }],
  ])
  const { parameters } = planModel(readOnnxModel(bytes).model, recipes.kerasDefault(), { seed: 1, skip: 'scale' })
  expect(parameters.find(({ name }) => name === 'onnx::MatMul_166')?.fans).toEqual({ fanIn: 5, fanOut: 3 })
  expect(parameters.find(({ name }) => name === 'conv.weight')?.fans).toEqual({ fanIn: 9, fanOut: 12 })
  expect(parameters.find(({ name }) => name === 'onnx::LSTM_162')?.fans).toEqual({ fanIn: 4, fanOut: 5 })
})

describe('graphs', () => {
  test('dims packed or not, dtypes, external data, integers left out, constants fixed', () => {
    const bytes = model(
      graph(
        [
          tensor('w', [4, 3], 1, { packed: true }),
          tensor('half', [2, 2], 10),
          tensor('brain', [2, 2], 16, { external: true }),
          tensor('eight', [2, 2], 17),
          tensor('wide eight', [2, 2], 19),
          tensor('other eight', [2, 2], 18),
          tensor('shape', [2], 7),
          tensor('double', [2, 2], 11),
          tensor('odd', [2, 2], 99),
          tensor('empty', [0, 2], 1),
          tensor('epsilon', [], 1),
          tensor('one', [1], 1),
          tensor('axis.weight', [5], 1),
          tensor('table', [3], 1),
        ],
        [node('Add', ['x', 'one']), node('Mul', ['epsilon', 'y'])],
      ),
    )
    const read = readOnnxModel(bytes)
    expect(read.model.parameters.map(({ name, dtype, role }) => [name, dtype, role])).toEqual([
      ['w', 'float32', 'weight'],
      ['half', 'float16', 'weight'],
      ['brain', 'bfloat16', 'weight'],
      ['eight', 'float8_e4m3fn', 'weight'],
      ['wide eight', 'float8_e5m2', 'weight'],
      ['epsilon', 'float32', 'buffer'],
      ['one', 'float32', 'buffer'],
      ['axis.weight', 'float32', 'norm-scale'],
      ['table', 'float32', 'buffer'],
    ])
    expect(read.fixed).toEqual(['epsilon', 'one', 'table'])
    expect(read.omitted.map(({ name }) => name)).toEqual(['other eight', 'shape', 'double', 'odd', 'empty'])
    expect(read.omitted.map(({ reason }) => reason).join()).toMatch(
      /float8_e4m3fnuz.*int64.*float64.*of type 99.*no elements/,
    )
  })

  test('operators say layout and role', () => {
    const bytes = model(
      graph(
        [
          tensor('a', [4, 3], 1),
          tensor('b', [4, 3], 1),
          tensor('c', [4, 3], 1),
          tensor('d', [2, 4, 3], 1),
          tensor('e', [4, 3], 1),
          tensor('f', [9, 3], 1),
          tensor('v', [4], 1),
          tensor('g', [4], 1),
          tensor('dw', [6, 1, 3, 3], 1),
        ],
        [
          node('Gemm', ['x', 'a', 'v'], { transB: 1 }),
          node('Gemm', ['x', 'b']),
          node('MatMul', ['c', 'x']),
          node('MatMul', ['x', 'd']),
          node('LayerNormalization', ['x', 'g']),
          // The first operator that knows a tensor decides.
          node('Gather', ['e', 'i']),
          node('MatMul', ['x', 'e']),
          node('Gather', ['f', 'i']),
          node('Conv', ['x', 'dw'], { group: 6, dilations: 1 }),
        ],
      ),
    )
    expect(parametersOf(bytes).map(([name, , facts]) => [name, facts])).toEqual([
      ['a', { role: 'weight', layout: 'out-in' }],
      ['b', { role: 'weight', layout: 'in-out' }],
      ['c', { role: 'weight', layout: 'out-in' }],
      ['d', { role: 'weight', layout: 'in-out', batchAxes: 1 }],
      ['e', { role: 'embedding' }],
      ['f', { role: 'embedding' }],
      ['v', { role: 'bias' }],
      ['g', { role: 'norm-scale' }],
      ['dw', { role: 'weight', groups: 6 }],
    ])
  })

  test('groups that do not divide are not believed', () => {
    const bytes = model(graph([tensor('w', [5, 1, 3], 1)], [node('Conv', ['x', 'w'], { group: 2 })]))
    expect(parametersOf(bytes)).toEqual([['w', [5, 1, 3], { role: 'weight' }]])
  })

  test('initializers of subgraphs, to a depth', async () => {
    let inner = graph([tensor('deep', [2, 2], 1)], [])
    for (let i = 0; i < 30; i++) inner = graph([], [node('If', ['c'], {}, [inner])])
    expect(parametersOf(model(inner))).toEqual([['deep', [2, 2], { role: 'weight' }]])
    for (let i = 0; i < 30; i++) inner = graph([], [node('Loop', ['c'], {}, [inner])])
    await expectRefusal(() => readOnnxModel(model(inner)), 'INVALID_FILE', 'deeper than 32')
  })

  test('two initializers of one name', async () => {
    const bytes = model(graph([tensor('w', [2, 2], 1), tensor('w', [3, 2], 1)], []))
    await expectRefusal(() => readOnnxModel(bytes), 'INVALID_FILE', '"w"', 'two initializers')
  })
})

describe('what is refused', () => {
  const w = () => tensor('w', [2, 2], 1)
  const raw = (write: (writer: BinaryWriter) => BinaryWriter) => write(new BinaryWriter()).finish()
  test.each<[string, () => Uint8Array, string[]]>([
    ['nothing', () => new Uint8Array(0), ['no graph']],
    ['text', () => new TextEncoder().encode('{"model_type": "gpt2"}'), ['protobuf message is broken']],
    ['a model without a graph', () => raw((x) => x.tag(1, WireType.Varint).int64(8)), ['no graph']],
    ['a graph without initializers', () => model(graph([], [])), ['no tensor']],
    ['integers alone', () => model(graph([tensor('i', [2], 7)], [])), ['"i"', 'int64']],
    ['an initializer without a name', () => model(graph([tensor('', [2], 1)], [])), ['no name']],
    ['a negative dimension', () => model(graph([tensor('w', [-1, 2], 1)], [])), ['"w"', '-1']],
    ['a dimension past 2^53', () => model(graph([tensor('w', [2 ** 60, 2], 1)], [])), ['"w"', '1152921504606846976']],
    ['65 dimensions', () => model(graph([tensor('w', Array(65).fill(1), 1)], [])), ['65 dimensions']],
    ['a length that lies', () => raw((x) => x.tag(7, WireType.LengthDelimited).uint32(2 ** 31)), ['premature EOF']],
    [
      'a length of a tensor that lies',
      () => model(graph([raw((x) => x.tag(8, WireType.LengthDelimited).uint32(200))], [])),
      ['broken'],
    ],
    ['half a file', () => model(graph([w(), w()], [])).subarray(0, 20), ['broken']],
  ])('%s', async (_, make, fragments) => {
    await expectRefusal(() => readOnnxModel(make()), 'INVALID_FILE', ...fragments)
  })

  test('sizes past 2^53, and what is no bytes', async () => {
    const bytes = model(graph([tensor('w', [2 ** 31, 2 ** 31], 1)], []))
    await expectRefusal(() => readOnnxModel(bytes), 'INVALID_SHAPE', '"w"', '2^53')
    await expectRefusal(() => readOnnxModel('x' as never), 'INVALID_ARGUMENT', '"x"', 'Uint8Array')
  })
})
