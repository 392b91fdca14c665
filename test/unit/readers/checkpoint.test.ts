// Models from the tensors that a checkpoint lists: .safetensors headers, sharded indices. Names, shapes, dtypes, roles.
import { describe, expect, test } from 'vitest'
import {
  parseSafetensorsHeader,
  planModel,
  readHuggingFaceConfig,
  readSafetensorsIndex,
  readSafetensorsModel,
  readShardedSafetensorsModel,
  recipes,
  resnet,
} from '../../../src/index.js'
import type { ParameterSpec } from '../../../src/ir/parameter.js'
import { layoutSafetensors, type SafetensorsEntry } from '../../../src/readers/safetensors.js'
import { expectRefusal } from '../../support/refusal.js'

const entry = ({ name, shape, dtype = 'float32' }: ParameterSpec): SafetensorsEntry => ({ name, shape, dtype })
const headerOf = (entries: readonly SafetensorsEntry[]) => {
  const { header, byteLength } = layoutSafetensors(entries)
  return parseSafetensorsHeader(header, byteLength)
}
/** A header by hand, for what layoutSafetensors does not write. */
const rawHeader = (table: object, dataLength: number) => {
  const json = new TextEncoder().encode(JSON.stringify(table))
  const bytes = new Uint8Array(8 + json.length)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true)
  bytes.set(json, 8)
  return parseSafetensorsHeader(bytes, bytes.length + dataLength)
}
const readBack = (parameters: readonly ParameterSpec[]) => readSafetensorsModel(headerOf(parameters.map(entry)))

const small = { num_hidden_layers: 2, n_layer: 2, num_layers: 2, n_layers: 2, encoder_layers: 2, decoder_layers: 2 }

test.each([
  'GPT2LMHeadModel',
  'LlamaForCausalLM',
  'Qwen3ForCausalLM',
  'BertForPreTraining',
  'RobertaForMaskedLM',
  'DistilBertForMaskedLM',
  'ViTForImageClassification',
  'DeiTForImageClassificationWithTeacher',
  'T5ForConditionalGeneration',
  'WhisperForConditionalGeneration',
  'CLIPModel',
])('%s: the names alone give the roles and layouts that the config gives', (head) => {
  const type = head.toLowerCase().replace(/(lmhead|for|model).*/, '')
  const { model } = readHuggingFaceConfig({ model_type: type, ...small }, { head })
  const read = readBack(model.parameters)
  const facts = ({ name, shape, dtype, role, layout }: ParameterSpec) => ({ name, shape, dtype, role, layout })
  // A logit scale is a scale by its config only.
  const named = (parameters: readonly ParameterSpec[]) =>
    parameters.filter(({ name }) => name !== 'logit_scale').map(facts)
  expect(named(read.model.parameters)).toEqual(named(model.parameters))
  expect([read.fixed, read.omitted]).toEqual([[], []])
})

test('ResNet-50 with its buffers, planned by its recipe', () => {
  const model = resnet(50, { buffers: true })
  const read = readBack(model.parameters)
  const roles = (parameters: readonly ParameterSpec[]) => parameters.map(({ name, role }) => [name, role])
  // Counters of 64 bits come first in a file, so that everything is aligned.
  const sorted = (parameters: readonly ParameterSpec[]) => roles(parameters).sort()
  expect(sorted(read.model.parameters)).toEqual(sorted(model.parameters))
  expect(read.fixed).toEqual([])
  expect(planModel(read.model, recipes.resnet(), { seed: 1 }).totals.elementCount).toBe(25_557_032 + 53_173)
})

test('nanoGPT’s Linear under GPT-2’s names stays [out, in]', () => {
  const names = { 'h.0.attn.c_attn.weight': [24, 8], 'h.0.attn.c_proj.weight': [8, 8], 'h.0.mlp.c_fc.weight': [32, 8] }
  const read = readBack(Object.entries(names).map(([name, shape]) => ({ name, shape })))
  for (const { layout } of read.model.parameters) expect(layout).toBeUndefined()
})

test('masks, index tables and integers are no weights', () => {
  const read = readBack([
    { name: 'h.0.attn.bias', shape: [1, 1, 8, 8] },
    { name: 'h.0.attn.masked_bias', shape: [] },
    { name: 'rotary.inv_freq', shape: [4] },
    { name: 'embeddings.position_ids', shape: [1, 8], dtype: 'int64' },
    { name: 'counts', shape: [2, 2], dtype: 'int32' },
    { name: 'bn.num_batches_tracked', shape: [], dtype: 'int64' },
    { name: 'fc.weight', shape: [2, 8] },
  ])
  expect(read.fixed).toEqual([
    'embeddings.position_ids',
    'h.0.attn.bias',
    'h.0.attn.masked_bias',
    'rotary.inv_freq',
    'counts',
  ])
  const skip = read.fixed.map((match) => ({ match, initializer: 'skip' }))
  const plan = planModel(read.model, [...skip, ...recipes.torchDefault()] as never, { seed: 1 })
  expect(plan.totals.parameterCount).toBe(2)
})

test('what cannot be written or holds nothing is omitted, and said', () => {
  const table = {
    a: { dtype: 'F64', shape: [1], data_offsets: [0, 8] },
    b: { dtype: 'F8_E8M0', shape: [2], data_offsets: [8, 10] },
    c: { dtype: 'BF16', shape: [2, 0], data_offsets: [10, 10] },
    d: { dtype: 'BF16', shape: [2, 1], data_offsets: [10, 14] },
  }
  const { model, omitted } = readSafetensorsModel(rawHeader(table, 14))
  expect(model.parameters).toEqual([{ name: 'd', shape: [2, 1], dtype: 'bfloat16', role: 'unknown' }])
  expect(omitted.map(({ name }) => name)).toEqual(['a', 'b', 'c'])
  expect(omitted.map(({ reason }) => reason).join()).toMatch(/F64.*F8_E8M0.*no elements/)
})

test('nothing that could be a parameter', async () => {
  await expectRefusal(() => readSafetensorsModel(rawHeader({}, 0)), 'INVALID_FILE', 'no tensor')
  const only = rawHeader({ a: { dtype: 'F64', shape: [1], data_offsets: [0, 8] } }, 8)
  await expectRefusal(() => readSafetensorsModel(only), 'INVALID_FILE', '"a"', 'F64')
})

describe('a sharded checkpoint', () => {
  const one = headerOf([
    { name: 'z.weight', shape: [4, 2], dtype: 'float16' },
    { name: 'b.weight', shape: [2, 2], dtype: 'float32' },
  ])
  const two = headerOf([{ name: 'a.bias', shape: [4], dtype: 'float16' }])
  const weight_map = { 'a.bias': 'm-2.safetensors', 'b.weight': 'm-1.safetensors', 'z.weight': 'm-1.safetensors' }
  const index = readSafetensorsIndex(JSON.stringify({ metadata: { total_size: 40 }, weight_map }))
  const headers = new Map([
    ['m-1.safetensors', one],
    ['m-2.safetensors', two],
  ])

  test('is one model, in the index’s order', () => {
    expect(index.files).toEqual(['m-2.safetensors', 'm-1.safetensors'])
    const { model } = readShardedSafetensorsModel(index, headers)
    expect(model.parameters.map(({ name, dtype }) => [name, dtype])).toEqual([
      ['a.bias', 'float16'],
      ['b.weight', 'float32'],
      ['z.weight', 'float16'],
    ])
  })

  test('tensors are where the index says', async () => {
    const read = (map: object, given = headers) =>
      readShardedSafetensorsModel(readSafetensorsIndex(JSON.stringify({ weight_map: map })), given)
    const file = 'INVALID_FILE'
    await expectRefusal(
      () => read(weight_map, new Map([['m-1.safetensors', one]])),
      file,
      '"m-2.safetensors"',
      'missing',
    )
    await expectRefusal(() => read({ ...weight_map, c: 'm-1.safetensors' }), file, '"c"', '"m-1.safetensors"')
    const { 'a.bias': _, ...less } = weight_map
    await expectRefusal(() => read({ ...less, x: 'm-2.safetensors' }), file, '"a.bias"', 'nowhere')
    await expectRefusal(() => read({ ...weight_map, 'a.bias': 'm-1.safetensors' }), file, 'a.bias')
  })

  test.each([
    ['../m.safetensors'],
    ['/etc/m.safetensors'],
    ['a/b.safetensors'],
    ['a\\b.safetensors'],
    ['C:m.safetensors'],
    ['.safetensors'],
    ['..safetensors'],
    ['m.bin'],
    ['m.safetensors\u0000'],
    [''],
    [5],
    [null],
    [{}],
  ])('a file called %j is refused', async (file) => {
    const text = JSON.stringify({ weight_map: { w: file } })
    await expectRefusal(() => readSafetensorsIndex(text), 'INVALID_FILE', '"w"', 'no name of a .safetensors file')
  })

  test.each([
    '[]',
    '5',
    '{}',
    '{"weight_map": []}',
    '{"weight_map": {}}',
    '{"weight_map": {"a": "b.safetensors", "a": "c"}}',
    '{',
  ])('%s is no index', async (text) => {
    await expectRefusal(() => readSafetensorsIndex(text), 'INVALID_FILE', 'index')
  })
})
