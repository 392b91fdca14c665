// Input from strangers: configs, models, manifests and .safetensors headers, well-formed, mutated and random. Whatever it
// is, the answer is a result or a WeightInitError; never another error, a hang, or memory that the input only claims.
import { describe, expect, test } from 'vitest'
import { WeightInitError } from '../../src/core/errors.js'
import {
  defineModel,
  huggingFaceArchitectures,
  type InitializeOptions,
  initializeModel,
  modelToJson,
  planModel,
  readHuggingFaceConfig,
  readModelJson,
  readRecording,
  readSafetensorsIndex,
  readSafetensorsModel,
  readShardedSafetensorsModel,
  recipes,
  rematerialize,
  xavierUniform,
} from '../../src/index.js'
import { planFromManifest } from '../../src/plan/manifest/read.js'
import { parseStrictJson, type StrictJson } from '../../src/readers/json/strict.js'
import { readOnnxModel } from '../../src/readers/onnx.js'
import { layoutSafetensors, parseSafetensorsHeader } from '../../src/readers/safetensors.js'
import { graph, node, model as onnxModel, tensor } from '../support/onnx.js'
import { recordingJson } from '../support/recordings.js'
import { seededWords } from '../support/seeded.js'

const CASES = 6000

type Random = { below(n: number): number; pick<T>(list: readonly T[]): T }
function random(seed: number): Random {
  const word = seededWords(seed)
  const below = (n: number): number => word() % n
  return { below, pick: (list) => list[below(list.length)]! }
}

const hostileNumbers = [
  0,
  -0,
  1,
  -1,
  2,
  0.5,
  -1e308,
  1e308,
  5e-324,
  2 ** 31,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 63,
  2 ** 64,
  -(2 ** 31),
]
const hostileNames = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '__metadata__',
  '../../etc/passwd',
  '/dev/null',
  'C:\\con',
  'a\u0000b',
  '\ud800',
  '\u202e',
  '',
  ' ',
  'x'.repeat(5000),
  'h.0.attn.c_attn.weight',
  'weight',
  'bias',
]

function deep(levels: number, as: 'list' | 'object'): unknown {
  let value: unknown = 1
  for (let i = 0; i < levels; i++) value = as === 'list' ? [value] : { a: value }
  return value
}

// Made anew each time: the next mutation may change them.
const deepValues = [() => deep(50, 'list'), () => deep(5000, 'list'), () => deep(5000, 'object')]

function hostileValue(r: Random, depth = 0): unknown {
  switch (r.below(depth > 3 ? 6 : 10)) {
    case 0:
      return r.pick(hostileNumbers)
    case 1:
      return r.pick(hostileNames)
    case 2:
      return null
    case 3:
      return r.below(2) === 0
    case 4:
      return r.below(100)
    case 5:
      return r.below(8) === 0 ? r.pick(deepValues)() : deep(9, 'object')
    case 6:
    case 7:
      return Array.from({ length: r.below(5) }, () => hostileValue(r, depth + 1))
    default:
      return Object.fromEntries(
        Array.from({ length: r.below(4) }, () => [r.pick(hostileNames), hostileValue(r, depth + 1)]),
      )
  }
}

/** Changes a few random places of a JSON value: other values, missing keys, surplus keys. */
function mutate(value: unknown, r: Random): unknown {
  const copy = structuredClone(value)
  for (let n = 1 + r.below(3); n > 0; n--) {
    let node = copy as Record<string, unknown>
    for (;;) {
      const keys = Object.keys(node)
      const surplus = keys.length === 0 || r.below(8) === 0
      // As JSON has it: a list has no names and no holes.
      const key = !surplus ? r.pick(keys) : Array.isArray(node) ? String(node.length) : r.pick(hostileNames)
      const child = Object.hasOwn(node, key) ? node[key] : undefined
      if (typeof child === 'object' && child !== null && r.below(4) !== 0) {
        node = child as Record<string, unknown>
        continue
      }
      if (r.below(5) === 0 && Array.isArray(node)) node.splice(Number(key), 1)
      else if (r.below(5) === 0 && !Array.isArray(node)) delete node[key]
      else
        Object.defineProperty(node, key, {
          value: hostileValue(r),
          enumerable: true,
          configurable: true,
          writable: true,
        })
      break
    }
  }
  return copy
}

/** Changes one number of a JSON value a little: what is then still a manifest is more than after `mutate`. */
function nudge(value: unknown, r: Random): unknown {
  const copy = structuredClone(value)
  const places: [Record<string, unknown>, string, number][] = []
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    for (const [key, child] of Object.entries(node)) {
      if (typeof child === 'number') places.push([node as Record<string, unknown>, key, child])
      else walk(child)
    }
  }
  walk(copy)
  const [node, key, number] = r.pick(places)
  node[key] = r.pick([number + 1, number - 1, number * 2, number / 2, -number, 0, 1, r.pick(hostileNumbers)])
  return copy
}

const tally = { accepted: 0, refused: 0 }

/** Runs one case; anything but a result or a WeightInitError with a readable message fails, with the case. */
function attempt(act: () => unknown, input: () => string): boolean {
  try {
    act()
    tally.accepted++
    return true
  } catch (error) {
    tally.refused++
    if (!(error instanceof WeightInitError) || error.message.length === 0 || error.message.length > 20_000) {
      throw new Error(`${error} for ${input().slice(0, 2000)}`)
    }
    return false
  }
}

const text = (value: unknown): string => {
  try {
    return JSON.stringify(value)
  } catch {
    return 'a value too deep to print'
  }
}

const gpt2 = {
  model_type: 'gpt2',
  architectures: ['GPT2LMHeadModel'],
  n_layer: 1,
  n_embd: 8,
  n_head: 2,
  n_positions: 4,
  vocab_size: 10,
  initializer_range: 0.02,
  torch_dtype: 'float32',
}
/** One small config of every class of every architecture. */
const otherConfigs = Object.entries(huggingFaceArchitectures()).flatMap(([model_type, heads]) =>
  heads.map((head) => {
    const sizes = {
      hidden_size: 8,
      num_attention_heads: 2,
      num_hidden_layers: 1,
      intermediate_size: 4,
      initializer_range: 0.02,
      vocab_size: 10,
      max_position_embeddings: 5,
      pad_token_id: 1,
      id2label: { 0: 'a', 1: 'b' },
    }
    const own: Readonly<Record<string, object>> = {
      distilbert: { dim: 8, n_heads: 2, n_layers: 1, hidden_dim: 4 },
      vit: { image_size: [8, 8], patch_size: 4, qkv_bias: false, num_channels: 1 },
      deit: { image_size: 8, patch_size: [4, 2] },
      t5: { d_model: 8, d_kv: 2, d_ff: 4, num_heads: 2, num_layers: 1, feed_forward_proj: 'gated-gelu' },
      whisper: {
        d_model: 8,
        encoder_layers: 1,
        decoder_layers: 1,
        encoder_attention_heads: 2,
        decoder_attention_heads: 1,
      },
      clip: { text_config: sizes, vision_config: { ...sizes, image_size: 8, patch_size: 4 }, projection_dim: 3 },
    }
    return {
      model_type,
      architectures: [head],
      ...sizes,
      torch_dtype: 'float16',
      tie_word_embeddings: true,
      ...own[model_type],
    }
  }),
)
const model = {
  parameters: [
    {
      name: 'a.weight',
      shape: [4, 3],
      dtype: 'float32',
      role: 'weight',
      layout: 'in-out',
      groups: 1,
      fan: { in: 3, out: 4 },
    },
    { name: 'a.bias', shape: [4] },
    { name: 'head', shape: [4, 3], tiedTo: 'a.weight' },
  ],
}

const everything = (initializer: string, config?: object) => [
  { match: 'a.bias', initializer: 'normal' },
  { match: '*', initializer, ...(config === undefined ? {} : { config }) },
]
/** Rules and options of the manifests that are mutated. */
const strangeManifests: [object[], InitializeOptions][] = [
  [everything('kaiming'), { shard: { axis: 0, index: 0, count: 2 } }],
  [everything('kaiming'), { generator: 'torch-cpu' }],
  [everything('uniform'), { generator: { name: 'torch-cuda', gpu: 'A100' } }],
  [everything('normal'), { generator: 'jax', shard: { axis: 0, index: 1, count: 2 } }],
  [everything('normal'), { generator: 'jax-legacy' }],
  [everything('orthogonal'), { shard: { axis: 1, index: 1, count: 2 }, dtype: 'float16' }],
  [everything('eye'), { shard: { axis: 1, index: 1, count: 2 } }],
  [everything('sparse', { sparsity: 0.5 }), { slice: { 'a.weight': { start: [1, 1] } } }],
  [everything('trunc_normal'), { dtype: 'bfloat16' }],
]

describe('input from strangers', () => {
  test(`${CASES} config.json`, () => {
    const r = random(1)
    for (let i = 0; i < CASES; i++) {
      // GPT-2 as often as all the others together.
      const config = i % 4 === 3 ? hostileValue(r) : mutate(i % 4 === 0 ? gpt2 : r.pick(otherConfigs), r)
      attempt(
        () => {
          const { model: read, recipe } = readHuggingFaceConfig(config)
          if (read.parameters.length < 200) planModel(read, recipe, { seed: 1 })
        },
        () => text(config),
      )
    }
  })

  test(`${CASES} models`, () => {
    const r = random(2)
    for (let i = 0; i < CASES; i++) {
      const input = i % 4 === 3 ? hostileValue(r) : mutate(model, r)
      attempt(
        () => planModel(defineModel(input as never), xavierUniform, { seed: 1 }).toJSON(),
        () => text(input),
      )
    }
  })

  test(`${CASES} manifests of every distribution and generator; small ones that are accepted are also made`, async () => {
    const r = random(3)
    const manifests = await Promise.all(
      strangeManifests.map(async ([rules, options]) => {
        using weights = await initializeModel(defineModel(model as never), rules as never, {
          device: 'cpu',
          seed: 5,
          ...options,
        })
        const manifest = JSON.parse(JSON.stringify(weights.manifest()))
        expect(planFromManifest(manifest).totals).toEqual(weights.plan.totals)
        return manifest
      }),
    )
    let made = 0
    for (let i = 0; i < CASES; i++) {
      const change = i % 2 ? nudge : mutate
      const input = i % 4 === 0 ? hostileValue(r) : change(manifests[r.below(manifests.length)], r)
      const asText = i % 3 === 0 ? text(input) : undefined
      const accepted = attempt(
        () => planFromManifest(asText ?? input),
        () => text(input),
      )
      if (!accepted) continue
      const plan = planFromManifest(asText ?? input)
      if (plan.totals.elementCount > 10_000) continue
      made++
      try {
        ;(await rematerialize(asText ?? input, 'cpu')).destroy()
      } catch (error) {
        if (!(error instanceof WeightInitError)) throw new Error(`${error} for ${text(input).slice(0, 2000)}`)
      }
    }
    expect(made).toBeGreaterThan(400)
  })

  test(`${CASES} recordings; small ones that are accepted are also replayed, and rematerialized`, async () => {
    const r = random(7)
    const names = ['own-mixed', 'own-seeded', 'nn-mlp', 'nn-lstm-gates', 'nn-weight-norm', 'own-trunc-normal-bfloat16']
    const recordings = names.map((name) => recordingJson(name))
    let made = 0
    for (let i = 0; i < CASES; i++) {
      const change = i % 2 ? nudge : mutate
      const input = i % 5 === 0 ? hostileValue(r) : change(r.pick(recordings), r)
      const asText = i % 3 === 0 ? text(input) : undefined
      let read: ReturnType<typeof readRecording> | undefined
      attempt(
        () => {
          read = readRecording(asText ?? input)
          planModel(read.model, read.recipe, { seed: 1 })
        },
        () => text(input),
      )
      if (read === undefined) continue
      const { model: own, recipe, program } = read
      const counts = [...program.calls.map((row) => Number(row[2])), ...own.parameters.flatMap(({ shape }) => shape)]
      if (counts.some((count) => count > 10_000)) continue
      try {
        const generator = { name: 'torch-cpu', program } as const
        using weights = await initializeModel(own, recipe, { device: 'cpu', seed: i, generator })
        const manifest = change(JSON.parse(JSON.stringify(weights.manifest())), r)
        made++
        if (planFromManifest(manifest).totals.elementCount > 10_000) continue
        ;(await rematerialize(manifest, 'cpu')).destroy()
      } catch (error) {
        if (!(error instanceof WeightInitError))
          throw new Error(`${(error as Error).stack} for ${text(input).slice(0, 2000)}`)
      }
    }
    expect(made).toBeGreaterThan(400)
  })

  test(`${CASES} .safetensors headers`, () => {
    const r = random(4)
    const table = {
      __metadata__: { format: 'pt' },
      a: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
      b: { dtype: 'BF16', shape: [], data_offsets: [24, 26] },
      c: { dtype: 'U8', shape: [0], data_offsets: [26, 26] },
    }
    for (let i = 0; i < CASES; i++) {
      const json = i % 4 === 0 ? table : i % 4 === 3 ? hostileValue(r) : mutate(table, r)
      let body = text(json) ?? ''
      if (i % 5 === 1) body = body.slice(0, r.below(body.length + 1))
      if (i % 7 === 1) body = body.replace('"b"', '"a"')
      const bytes = new TextEncoder().encode(body)
      const claims = [
        bytes.length,
        bytes.length,
        bytes.length,
        0,
        bytes.length - 1,
        bytes.length + 1,
        2 ** 32,
        100_000_001,
      ]
      const claimed = BigInt(Math.max(0, r.pick(claims))) | (r.below(20) === 0 ? 1n << 63n : 0n)
      const file = new Uint8Array(8 + bytes.length + 26)
      new DataView(file.buffer).setBigUint64(0, claimed, true)
      file.set(bytes, 8)
      if (i % 11 === 0) for (let n = 0; n < 3; n++) file[r.below(file.length)] = r.below(256)
      const length = r.pick([file.length, file.length, file.length - 1, file.length + 1, 2 ** 52, 0])
      const given = r.below(6) === 0 ? file.subarray(0, r.below(file.length)) : file
      const accepted = attempt(
        () => parseSafetensorsHeader(given, length),
        () => `${claimed} ${length} ${body}`,
      )
      // What is accepted covers the file exactly.
      if (accepted) {
        const { tensors, headerByteLength } = parseSafetensorsHeader(given, length)
        expect(tensors.reduce((sum, t) => sum + t.byteLength, headerByteLength)).toBe(length)
      }
    }
  })

  test(`${CASES / 2} models as JSON, with rules`, () => {
    const r = random(7)
    const json = JSON.parse(JSON.stringify(modelToJson(model as never, recipes.llama())))
    const table = [['a.weight', [4, 3], 'Linear'], ['a.bias', [4]], { name: 'e', shape: [3, 2], module: 'Embedding' }]
    for (let i = 0; i < CASES / 2; i++) {
      const input = i % 4 === 3 ? hostileValue(r) : mutate(i % 4 === 0 ? table : json, r)
      attempt(
        () => {
          const read = readModelJson(i % 5 === 0 ? text(input) : input)
          planModel(read.model, read.rules ?? 'normal', {}, { seed: 1 })
        },
        () => text(input),
      )
    }
  })

  test(`${CASES / 2} checkpoints: headers of a sharded one and its index`, () => {
    const r = random(8)
    const names = ['wte.weight', 'h.0.ln_1.weight', 'h.0.attn.bias', 'bn.running_var', 'fc.bias']
    for (let i = 0; i < CASES / 2; i++) {
      const entries = Array.from({ length: 1 + r.below(4) }, (_, n) => ({
        name: r.below(3) === 0 ? `${r.pick(hostileNames)}${n}` : `${n}.${r.pick(names)}`,
        dtype: r.pick(['float32', 'float16', 'int64', 'bool'] as const),
        shape: Array.from({ length: r.below(5) }, () => r.pick([0, 1, 2, 3, 65536])),
      }))
      const map = Object.fromEntries(entries.map(({ name }) => [name, 'a.safetensors']))
      const index = text(i % 2 === 0 ? { weight_map: map } : mutate({ weight_map: map }, r))
      attempt(
        () => {
          const { header, byteLength } = layoutSafetensors(entries)
          const parsed = parseSafetensorsHeader(header, byteLength)
          const { model: read, fixed } =
            i % 3 === 0
              ? readSafetensorsModel(parsed)
              : readShardedSafetensorsModel(readSafetensorsIndex(index), new Map([['a.safetensors', parsed]]))
          const skip = fixed.map((name) => ({ match: (p: { name: string }) => p.name === name, initializer: 'skip' }))
          planModel(read, [...skip, ...recipes.torchDefault()] as never, { seed: 1 })
        },
        () => index,
      )
    }
  })

  test(`${CASES / 2} ONNX files`, () => {
    const r = random(9)
    for (let i = 0; i < CASES / 2; i++) {
      const dims = () =>
        Array.from({ length: r.below(4) }, () =>
          r.below(9) === 0 ? r.pick([-1, 0, 2 ** 31, 2 ** 53, 2 ** 62]) : 1 + r.below(6),
        )
      const tensors = ['a', 'b', 'c.bias'].map((name) =>
        tensor(r.below(9) ? name : r.pick(hostileNames), dims(), r.below(6) ? 1 : r.below(20), {
          packed: r.below(2) === 0,
        }),
      )
      const op = () =>
        r.pick([
          'Conv',
          'ConvTranspose',
          'Gemm',
          'MatMul',
          'Gather',
          'LSTM',
          'BatchNormalization',
          'Add',
          'Mul',
          'toString',
        ])
      const body = graph([tensor('deep', dims(), 1)], [])
      const nodes = [
        node(op(), ['x', 'a', 'b'], { group: r.below(4), transB: r.below(2) }),
        node(op(), ['a', 'c.bias'], {}, r.below(4) ? [] : [body]),
      ]
      const bytes = onnxModel(graph(tensors, nodes)).slice()
      // Cut, or with a few bytes changed: lengths, tags and types that lie.
      if (i % 3 === 1) for (let n = 1 + r.below(4); n > 0; n--) bytes[r.below(bytes.length)] = r.below(256)
      const given = i % 7 === 1 ? bytes.subarray(0, r.below(bytes.length)) : bytes
      attempt(
        () => {
          const { model: read } = readOnnxModel(given)
          planModel(read, [{ match: '*', initializer: 'uniform' }], { seed: 1 })
        },
        () => [...given].join(),
      )
    }
  })

  test('both answers were seen often', () => {
    expect(tally.accepted + tally.refused).toBeGreaterThanOrEqual(20_000)
    expect(tally.accepted).toBeGreaterThan(1000)
    expect(tally.refused).toBeGreaterThan(10_000)
  })

  test('parseStrictJson agrees with JSON.parse wherever there is no duplicate key', () => {
    const r = random(6)
    const plain = (value: StrictJson): unknown =>
      value instanceof Map
        ? Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]))
        : Array.isArray(value)
          ? value.map(plain)
          : value
    const indented = (value: unknown, spaces: number): string =>
      text(value).startsWith('a value') ? '[]' : JSON.stringify(value, null, spaces)
    for (let i = 0; i < 3000; i++) {
      let source = indented(mutate(gpt2, r), i % 3).slice(0, 3000)
      if (i % 2)
        source =
          source.slice(0, r.below(source.length)) +
          r.pick(['', ',', '}', '"', '\\u12', '1e', '\t', '01', 'nul']) +
          source.slice(r.below(source.length))
      let expected: unknown
      let valid = true
      try {
        expected = JSON.parse(source)
      } catch {
        valid = false
      }
      let actual: unknown
      let message = ''
      try {
        actual = plain(parseStrictJson(source, 'text', 100))
      } catch (error) {
        message = (error as Error).message
        expect(error).toBeInstanceOf(WeightInitError)
      }
      if (/comes twice|deeper than/.test(message)) continue
      expect({ source, valid: message === '' }).toEqual({ source, valid })
      if (valid) expect(JSON.stringify(actual)).toBe(JSON.stringify(expected))
    }
  })

  test.each([
    [
      'twice',
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
      1,
      /comes twice/,
    ],
    ['a hole', '{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}', 2, /leaving a hole/],
    [
      'overlap',
      '{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}',
      3,
      /overlapping/,
    ],
    ['a tail', '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 2, /end at byte/],
    ['overflow', '{"a":{"dtype":"U8","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}}', 0, /more than 2\^53/],
    ['dtype', '{"a":{"dtype":"toString","shape":[1],"data_offsets":[0,1]}}', 1, /unknown dtype "toString"/],
    ['metadata', '{"__metadata__":{"a":1}}', 0, /is no string/],
    ['depth', `{"a":${'['.repeat(100_000)}`, 0, /deeper than 8/],
    ['not an object', '[]', 0, /does not begin with/],
  ])('.safetensors header refused: %s', (_, json, data, message) => {
    const bytes = new TextEncoder().encode(json)
    const file = new Uint8Array(8 + bytes.length + data)
    new DataView(file.buffer).setBigUint64(0, BigInt(bytes.length), true)
    file.set(bytes, 8)
    expect(() => parseSafetensorsHeader(file, file.length)).toThrow(message)
    expect(() => parseSafetensorsHeader(file, file.length)).toThrow(WeightInitError)
  })

  test('a header that we write is read back, __proto__ and all', () => {
    const entries = ['__proto__', '../x', 'a"b'].map((name, i) => ({
      name,
      dtype: 'float16' as const,
      shape: [i + 1, 2],
    }))
    const { header, byteLength, offsets } = layoutSafetensors(entries, { format: 'pt', note: 'ü' })
    const parsed = parseSafetensorsHeader(header, byteLength)
    expect(parsed.tensors.map(({ name, dtype, shape, byteOffset }) => ({ name, dtype, shape, byteOffset }))).toEqual(
      entries.map((entry, i) => ({ ...entry, byteOffset: offsets[i] })),
    )
    expect([...parsed.metadata]).toEqual([
      ['format', 'pt'],
      ['note', 'ü'],
    ])
  })
})
