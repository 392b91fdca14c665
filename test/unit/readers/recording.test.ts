// What readRecording says of a model: distributions that recorded writes amount to, ties, buffers, and what is outside.
import { describe, expect, test } from 'vitest'
import { type Distribution, initializeModel, planModel, readRecording } from '../../../src/index.js'
import { recordingJson, recordingNames, recordingText, replayed } from '../../support/recordings.js'

type Row = readonly unknown[]

/** A recording of one parameter, "w", with these writes. */
function recording(
  writes: readonly Row[],
  calls: readonly Row[],
  more: { shape?: readonly number[]; dtype?: string; values?: readonly unknown[]; module?: string } = {},
): Record<string, unknown> {
  const { shape = [6, 4], dtype = 'float32', values = [], module = 'torch.nn.modules.linear.Linear' } = more
  return {
    format: 'webgpu-init-recording',
    version: 1,
    source: { class: 'Net', torch: '2.13.0' },
    parameters: [{ name: 'w', shape, dtype, module, writes }],
    ...(values.length === 0 ? {} : { values }),
    program: calls,
    findings: [],
  }
}

function planned(...args: Parameters<typeof recording>) {
  const { model, recipe } = readRecording(recording(...args))
  return planModel(model, recipe, { seed: 1 }).parameters[0]!
}

const randn = ['randn', 'w', 24, 0, 1]
const drawn = ['randn', 0, 1, { call: 0 }]
const uniform = (low: number, high: number): [Row, Row] => [
  ['uniform_', low, high, { call: 0 }],
  ['uniform_', 'w', 24, low, high],
]

describe('a distribution that was scaled or moved', () => {
  const cases: readonly [string, readonly Row[], readonly Row[], Distribution][] = [
    ['normal times', [drawn, ['mul_', 0.02]], [randn], { kind: 'normal', mean: 0, std: 0.02 }],
    ['normal moved, then over', [drawn, ['add_', 3], ['div_', -2]], [randn], { kind: 'normal', mean: -1.5, std: 0.5 }],
    ['normal and alpha', [drawn, ['sub_', 2, 3]], [randn], { kind: 'normal', mean: -6, std: 1 }],
    ['uniform turned round', [uniform(-1, 3)[0], ['neg_']], [uniform(-1, 3)[1]], { kind: 'uniform', low: -3, high: 1 }],
    [
      'uniform within a clamp',
      [uniform(0, 1)[0], ['clamp_', 0, null]],
      [uniform(0, 1)[1]],
      { kind: 'uniform', low: 0, high: 1 },
    ],
    [
      'truncated normal',
      [
        ['trunc_normal_', 0, 1, -2, 2, { call: 0 }],
        ['mul_', -0.5],
        ['add_', 1],
      ],
      [['trunc_normal_', 'w', 24, 0, 1, -2, 2]],
      { kind: 'truncated-normal', mean: 1, std: 0.5, low: 0, high: 2 },
    ],
    [
      'orthogonal',
      [
        ['orthogonal_', 2, { call: 0 }],
        ['mul_', 0.5],
      ],
      [['orthogonal_', 'w', 24, 2, { rows: 6, columns: 4 }]],
      { kind: 'orthogonal', gain: 1, batch: 1, rows: 6, columns: 4, field: 1, centre: 0, stride: 1 },
    ],
    [
      'parts of one distribution',
      [
        ['randn', 0, 1, { call: 0, part: { offset: 0, shape: [6], strides: [4] } }],
        ['randn', 0, 1, { call: 1, part: { offset: 1, shape: [6, 3], strides: [4, 1] } }],
        ['mul_', 2],
      ],
      [
        ['randn', 'w', 6, 0, 1],
        ['randn', 'w', 18, 0, 1],
      ],
      { kind: 'normal', mean: 0, std: 2 },
    ],
    [
      'matrices one after another',
      [
        ['orthogonal_', 1, { call: 0, part: { offset: 0, shape: [3, 4] } }],
        ['orthogonal_', 1, { call: 1, part: { offset: 12, shape: [3, 4] } }],
      ],
      [
        ['orthogonal_', 'w', 12, 1, { rows: 3, columns: 4 }],
        ['orthogonal_', 'w', 12, 1, { rows: 3, columns: 4 }],
      ],
      { kind: 'orthogonal', gain: 1, batch: 2, rows: 3, columns: 4, field: 1, centre: 0, stride: 1 },
    ],
    ['a constant', [['fill_', 0.1]], [], { kind: 'constant', value: 0.1 }],
    [
      'a constant but for a part',
      [
        ['fill_', 0],
        ['fill_', 1, { part: { offset: 4, shape: [8] } }],
      ],
      [],
      { kind: 'pieces', base: 0, elementCount: 24, runs: [{ first: 4, stride: 1, count: 8, value: 1 }] },
    ],
    [
      'a column',
      [
        ['fill_', 0],
        ['fill_', -1, { part: { offset: 1, shape: [6], strides: [4] } }],
      ],
      [],
      { kind: 'pieces', base: 0, elementCount: 24, runs: [{ first: 1, stride: 4, count: 6, value: -1 }] },
    ],
    [
      'a column beside another constant',
      [
        ['fill_', 2],
        ['fill_', -1, { part: { offset: 1, shape: [2], strides: [4] } }],
      ],
      [],
      {
        kind: 'pieces',
        base: 2,
        elementCount: 24,
        runs: [1, 5].map((first) => ({ first, stride: 1, count: 1, value: -1 })),
      },
    ],
    [
      'an identity',
      [['eye_']],
      [],
      { kind: 'pieces', base: 0, elementCount: 24, runs: [{ first: 0, stride: 5, count: 4, value: 1 }] },
    ],
  ]
  test.each(cases)('%s', (_, writes, calls, expected) => {
    expect(planned(writes, calls).distribution).toEqual(expected)
  })
})

test('a padding row is the one of its embedding', () => {
  const row = ['fill_', 0, { part: { offset: 8, shape: [4] } }]
  const { distribution, patches, role } = planned([drawn, row], [randn], {
    module: 'torch.nn.modules.sparse.Embedding',
  })
  expect({ distribution, role }).toEqual({ distribution: { kind: 'normal', mean: 0, std: 1 }, role: 'embedding' })
  expect(patches).toMatchObject([{ kind: 'range', first: 8, count: 4 }])
})

describe('draws that are none of our distributions', () => {
  const half = { part: { offset: 0, shape: [12] } }
  const cases: readonly [string, readonly Row[], readonly Row[]][] = [
    ['a function of draws', [drawn, ['exp_']], [randn]],
    ['an order', [['randperm', { call: 0 }]], [['randperm', 'w', 24]]],
    ['coins', [['bernoulli_', 0.5, { call: 0 }]], [['bernoulli_', 'w', 24, 0.5]]],
    [
      'a part of a constant',
      [
        ['fill_', 1],
        ['randn', 0, 1, { call: 0, ...half }],
      ],
      [['randn', 'w', 12, 0, 1]],
    ],
    ['a part that is scaled', [drawn, ['mul_', 2, half]], [randn]],
    ['a padding row that moved', [drawn, ['fill_', 0, { part: { offset: 0, shape: [4] } }], ['add_', 1]], [randn]],
    ['what a clamp cuts', [drawn, ['clamp_', -1, 1]], [randn]],
    [
      'parts of two distributions',
      [
        ['randn', 0, 1, { call: 0, ...half }],
        ['rand', 0, 1, { call: 1, part: { offset: 12, shape: [12] } }],
      ],
      [
        ['randn', 'w', 12, 0, 1],
        ['rand', 'w', 12, 0, 1],
      ],
    ],
    [
      'parts that meet',
      [
        ['randn', 0, 1, { call: 0, ...half }],
        ['randn', 0, 1, { call: 1, part: { offset: 6, shape: [12] } }],
      ],
      [
        ['randn', 'w', 12, 0, 1],
        ['randn', 'w', 12, 0, 1],
      ],
    ],
  ]
  test.each(cases)('%s: planned by name, and refused where no program makes it', async (_, writes, calls) => {
    const { model, recipe, program } = readRecording(recording(writes, calls))
    expect(planModel(model, recipe).parameters[0]!.distribution.kind).toBe('computed')
    await expect(initializeModel(model, recipe, { device: 'cpu' })).rejects.toThrow(
      /^Parameter "w" is computed from draws/,
    )
    await expect(initializeModel(model, recipe, { device: 'cpu', generator: 'torch-cpu' })).rejects.toMatchObject({
      code: 'UNSUPPORTED_GENERATOR',
    })
    const weights = await initializeModel(model, recipe, { device: 'cpu', generator: { name: 'torch-cpu', program } })
    expect((await weights.verify()).ok).toBe(true)
    expect((await weights.check()).ok).toBe(true)
  })
})

test('a copy of draws is as they are, however its memory lies; a repetition is not', () => {
  const values = [{ name: '%0', shape: [24], dtype: 'float32', writes: [drawn] }]
  const turned = { from: '%0', source: { offset: 0, shape: [6, 4], strides: [1, 6] } }
  expect(planned([['copy_', turned]], [randn], { values }).distribution).toEqual({ kind: 'normal', mean: 0, std: 1 })
  const repeated = { from: '%0', source: { offset: 0, shape: [6, 4], strides: [1, 0] } }
  expect(planned([['copy_', repeated]], [randn], { values }).distribution.kind).toBe('computed')
})

describe('what is outside', () => {
  const outsideOf = (...args: Parameters<typeof recording>): string | undefined =>
    readRecording(recording(...args)).outside.find(({ name }) => name === 'w')?.reason
  test('a table is skipped, with the remedy', () => {
    const writes = [['table', { operations: ['aten.log.default'] }]]
    expect(outsideOf(writes, [])).toMatch(/aten\.log\.default.*--values/)
    const data = [['table', { operations: ['aten.log.default'], data: 'w' }]]
    expect(outsideOf(data, [])).toMatch(/"w" in the file of --values/)
    const random = [['table', { operations: ['aten.qr'], random: true }]]
    expect(outsideOf(random, [])).toMatch(/draws by aten\.qr/)
    expect(planned(writes, [])).toMatchObject({ action: 'skip' })
  })
  test('memory that nothing writes, and numbers that are not finite', () => {
    expect(outsideOf([], [])).toMatch(/nothing ever writes it/)
    expect(outsideOf([['fill_', '-inf']], [])).toMatch(/not finite/)
  })
  test('tensors without elements, or of a dtype that is not written, are not in the model', () => {
    const other = { name: 'v', shape: [3], dtype: 'float32', module: 'M', writes: [['fill_', 1]] }
    for (const odd of [
      { name: 'w', shape: [0, 3], dtype: 'float32', module: 'M', writes: [] },
      { name: 'w', shape: [3], dtype: 'float64', module: 'M', writes: [['fill_', 1]] },
    ]) {
      const { model, outside } = readRecording({ ...recording([], []), parameters: [odd, other] })
      expect(model.parameters.map(({ name }) => name)).toEqual(['v'])
      expect(outside).toMatchObject([{ name: 'w' }])
    }
  })
  test('a program with a call that is not known, or that follows its own draws, is refused as a whole', () => {
    const unknown = recording([drawn], [['unknown', null, 3, 'multinomial'], randn].reverse())
    const finding = {
      ...recording([drawn], [randn]),
      findings: [{ kind: 'depends-on-values', message: 'aten.item reads values that were drawn' }],
    }
    for (const json of [unknown, finding]) {
      const { model, recipe, program } = readRecording(json)
      expect(planModel(model, recipe).parameters[0]!.distribution).toEqual({ kind: 'normal', mean: 0, std: 1 })
      expect(() => planModel(model, recipe, { generator: { name: 'torch-cpu', program } })).toThrow(
        /cannot be replayed: (program\[1\]|aten\.item)/,
      )
    }
  })
})

test('ties are listed, and not in the model', () => {
  const { model, tied } = readRecording(recordingText('own-tied'))
  const names = recordingJson('own-tied').parameters
  expect(Object.entries(tied)).toEqual(names.filter(({ tiedTo }) => tiedTo).map(({ name, tiedTo }) => [name, tiedTo]))
  expect(model.parameters.map(({ name }) => name)).toEqual(
    names.filter(({ tiedTo }) => !tiedTo).map(({ name }) => name),
  )
})

// Small ones; recordings.slow.test.ts has all of them, for every seed.
test.each(recordingNames.filter((name) => /^(nn|own)-/.test(name)))(
  '%s has the bits of torch.manual_seed(0)',
  async (name) => {
    const { wrong, compared } = await replayed(name, 0, 'cpu')
    expect(wrong).toEqual([])
    expect(compared).toBeGreaterThan(0)
  },
)

test('slices and shards are those of the whole, where they are one run; others are refused by name', async () => {
  for (const name of ['own-mixed', 'transformers-gpt2-float16', 'nn-lstm-gates', 'nn-linear-in-bfloat16']) {
    const { model, recipe, program } = readRecording(recordingText(name))
    const options = { device: 'cpu', seed: 3, generator: { name: 'torch-cpu', program } } as const
    const whole = await initializeModel(model, recipe, options)
    const parts = await Promise.all(
      [0, 1].map((index) => initializeModel(model, recipe, { ...options, shard: { axis: 0, index, count: 2 } })),
    )
    for (const parameter of whole.plan.parameters) {
      if (parameter.action !== 'initialize') continue
      const bytes = await whole.readBytes(parameter.name)
      const held = parts.filter((part) => part.parameters.has(parameter.name))
      const own = await Promise.all(held.map((part) => part.readBytes(parameter.name)))
      const cut = parameter.shape.length > 0
      expect(Buffer.concat(cut ? own : own.slice(0, 1)), parameter.name).toEqual(Buffer.from(bytes))
    }
  }
  const { model, recipe, program } = readRecording(recordingText('own-mixed'))
  const columns = {
    device: 'cpu',
    generator: { name: 'torch-cpu', program },
    shard: { axis: 1, index: 0, count: 2 },
  } as const
  expect(() => planModel(model, recipe, columns)).toThrow(/Parameter "scaled".*one run of neighbouring elements/)
})

test('a program may come through a message; one that is no program is refused', () => {
  const { model, recipe, program } = readRecording(recordingText('nn-mlp'))
  const plan = (given: unknown) =>
    planModel(model, recipe, { seed: 0, generator: { name: 'torch-cpu', program: given as never } })
  expect(plan(structuredClone(program)).parameters).toEqual(plan(program).parameters)
  expect(plan(JSON.parse(JSON.stringify(program))).parameters).toEqual(plan(program).parameters)
  // What a plan says does not hold the program.
  expect(JSON.stringify(plan(program).generatorSettings)).toBe(
    '{"name":"torch-cpu","variant":"fma","truncation":"rejection"}',
  )
  for (const odd of [null, 5, [], {}, { ...program, version: 2 }, { ...program, calls: [[]] }]) {
    expect(() => plan(odd)).toThrow(expect.objectContaining({ code: 'INVALID_FILE' }))
  }
  const other = { ...program, parameters: program.parameters.slice(1) }
  expect(() => plan(other)).toThrow(/Parameter "0\.weight": the program says nothing of it/)
})

describe('what is no recording', () => {
  const good = recording([drawn], [randn])
  const [entry] = good.parameters as Record<string, unknown>[]
  const cases: readonly [string, unknown, RegExp][] = [
    ['another format', { ...good, format: 'x' }, /format "x" version 1/],
    ['a later version', { ...good, version: 2 }, /version 2 is not/],
    ['an unknown key', { ...good, weights: 1 }, /Unknown recording: it key "weights"/],
    ['a key twice', '{"format": 1, "format": 2}', /the key "format" comes twice/],
    ['a name twice', { ...good, parameters: [entry, entry] }, /two parameters are called "w"/],
    [
      'a call that is not there',
      recording([['randn', 0, 1, { call: 1 }]], [randn]),
      /call must be an integer from 0 to 0/,
    ],
    ['a draw without its call', recording([['randn', 0, 1]], [randn]), /randn needs its call/],
    ['another operation than the call', recording([['rand', 0, 1, { call: 0 }]], [randn]), /rand is no call of randn/],
    ['another count', recording([drawn], [['randn', 'w', 23, 0, 1]]), /draws 23 elements, but 24 are written/],
    ['an unknown operation', recording([['sort_']], []), /unknown operation "sort_"/],
    ['an unknown call', recording([], [['poisson', null, 3]]), /unknown operation "poisson"/],
    [
      'a part outside',
      recording([['fill_', 0, { part: { offset: 20, shape: [5] } }]], []),
      /is no part of 24 elements/,
    ],
    [
      'a part too long for any tensor',
      recording([['fill_', 0, { part: { offset: 0, shape: [2 ** 52] } }]], []),
      /2\^45/,
    ],
    [
      'a negative stride',
      recording([['fill_', 0, { part: { offset: 9, shape: [5], strides: [-1] } }]], []),
      /strides must be/,
    ],
    ['a value that comes later', recording([['copy_', { from: '%0' }]], []), /from "%0" is no earlier value/],
    ['a number that is a word', recording([['fill_', 'zero']], []), /an argument must be a number/],
    ['a tie to nothing', { ...good, parameters: [entry, { ...entry, name: 'v', tiedTo: 'u' }] }, /tied to "u"/],
  ]
  test.each(cases)('%s', (_, json, message) => {
    expect(() => readRecording(json)).toThrow(expect.objectContaining({ code: 'INVALID_FILE' }))
    expect(() => readRecording(json)).toThrow(message)
  })
  test('values in a chain longer than any program makes', () => {
    const values = Array.from({ length: 2000 }, (_, i) => ({
      name: `%${i}`,
      shape: [1],
      dtype: 'float32',
      writes:
        i === 0
          ? [['fill_', 1]]
          : [
              ['copy_', { from: `%${i - 1}` }],
              ['add_', { from: `%${i - 1}` }],
            ],
    }))
    expect(() => readRecording(recording([['fill_', 0]], [], { values }))).toThrow(/more than 1000 values/)
    const { model, recipe, outside } = readRecording(
      recording([['copy_', { from: '%999' }]], [], { values: values.slice(0, 1000), shape: [1] }),
    )
    // The work doubles with every value: constants are not followed through that many.
    expect(planModel(model, recipe).parameters[0]!.action).toBe('skip')
    expect(outside[0]!.reason).toMatch(/too many to follow/)
  })
})

test('another dtype is the recorded values, rounded to it', async () => {
  const bytes = async (name: string, dtype?: 'float32' | 'bfloat16') => {
    const { model, recipe, program } = readRecording(recordingText(name))
    const generator = { name: 'torch-cpu', program } as const
    return initializeModel(model, recipe, {
      device: 'cpu',
      seed: 1,
      generator,
      ...(dtype === undefined ? {} : { dtype }),
    })
  }
  // What was drawn as bfloat16 is the same number as float32, whether it is one draw of whole blocks or not.
  for (const [name, dtype] of [
    ['transformers-llama-bfloat16', 'float32'],
    ['nn-linear-in-bfloat16', 'float32'],
    ['nn-mlp', 'bfloat16'],
  ] as const) {
    const [own, other] = [await bytes(name), await bytes(name, dtype)]
    for (const { name: parameter, action, dtype: recorded } of own.plan.parameters) {
      if (action !== 'initialize') continue
      const [a, b] = [await own.read(parameter), await other.read(parameter)].map((values) => Float32Array.from(values))
      // bfloat16 is the upper half of a float32.
      const rounded = recorded === 'float32' ? a!.map(toBfloat16) : a!
      expect(b, parameter).toEqual(rounded)
    }
  }
})

function toBfloat16(x: number): number {
  const bits = new Uint32Array(new Float32Array([x]).buffer)[0]!
  const low = bits & 0xffff
  const up = low > 0x8000 || (low === 0x8000 && (bits >>> 16) % 2 === 1) ? 1 : 0
  return new Float32Array(new Uint32Array([((bits >>> 16) + up) << 16]).buffer)[0]!
}

test('a model of which nothing can be made is refused, with the reason', () => {
  expect(() => readRecording(recording([['fill_', 0]], [], { dtype: 'float64' }))).toThrow(
    /no parameter of it can be made: "w" is outside, since its dtype float64/,
  )
})
