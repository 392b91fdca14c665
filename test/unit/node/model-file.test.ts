// readModelFile: every kind of file, told apart by itself; headers of checkpoints are all that is read.
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { modelToJson, planModel, recipes, resnet } from '../../../src/index.js'
import { readModelFile } from '../../../src/node.js'
import { layoutSafetensors, type SafetensorsEntry } from '../../../src/readers/safetensors.js'
import { expectRefusal } from '../../support/refusal.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'webgpu-init-models-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const examples = new URL('../../../examples/', import.meta.url).pathname

/** A file of the right length whose tensors are a hole in the file: nobody should read them. */
async function checkpoint(path: string, entries: readonly SafetensorsEntry[]): Promise<void> {
  const { header, byteLength } = layoutSafetensors(entries)
  await writeFile(path, header)
  await truncate(path, byteLength)
}
const big = (name: string): SafetensorsEntry => ({ name, shape: [2 ** 17, 2 ** 15], dtype: 'float16' })

test('a config.json, with its recipe and ties', async () => {
  const read = await readModelFile(join(examples, 'llama-3.2-1b/config.json'))
  expect([read.kind, read.title]).toEqual(['huggingface', 'llama (LlamaForCausalLM)'])
  expect(read.tied).toEqual({ 'lm_head.weight': 'model.embed_tokens.weight' })
  expect(planModel(read.model, read.recipe!, { seed: 0 }).totals.elementCount).toBe(1_235_814_400)
  expect((await readModelFile(join(examples, 'llama-3.2-1b'), { head: 'LlamaModel' })).title).toBe('llama (LlamaModel)')
})

test('model JSON, with and without rules', async () => {
  const path = join(folder, 'model.json')
  await writeFile(path, JSON.stringify(modelToJson(resnet(18), recipes.resnet({ block: 'basic' }))))
  const read = await readModelFile(path)
  expect([read.kind, read.title, read.recipe?.length]).toEqual(['json', 'model.json', 8])
  await writeFile(path, '[["fc.weight", [2, 3]]]')
  const bare = await readModelFile(path)
  expect([bare.model.parameters, bare.recipe]).toEqual([[{ name: 'fc.weight', shape: [2, 3] }], undefined])
})

test('a .safetensors file of 8 GB, by its header', async () => {
  const path = join(folder, 'big.safetensors')
  await checkpoint(path, [big('a.weight'), { name: 'a.position_ids', shape: [4], dtype: 'int64' }])
  const read = await readModelFile(path)
  expect([read.kind, read.title, read.recipe, read.fixed]).toEqual([
    'safetensors',
    'big.safetensors',
    undefined,
    ['a.position_ids'],
  ])
  expect(read.model.parameters.find(({ name }) => name === 'a.weight')).toEqual({
    name: 'a.weight',
    shape: [2 ** 17, 2 ** 15],
    dtype: 'float16',
    role: 'weight',
  })
})

test('a folder with a sharded checkpoint', async () => {
  const shards = join(folder, 'sharded')
  await mkdir(shards)
  const [one, two] = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors']
  await checkpoint(join(shards, one), [big('a.weight')])
  await checkpoint(join(shards, two), [{ name: 'b.bias', shape: [4], dtype: 'float32' }])
  const index = { metadata: { total_size: 1 }, weight_map: { 'a.weight': one, 'b.bias': two } }
  await writeFile(join(shards, 'model.safetensors.index.json'), JSON.stringify(index))
  const read = await readModelFile(shards)
  expect(read.model.parameters.map(({ name }) => name)).toEqual(['a.weight', 'b.bias'])
  await rm(join(shards, two))
  await expectRefusal(() => readModelFile(shards), 'IO', two, 'ENOENT')
})

test('an ONNX file', async () => {
  const read = await readModelFile(new URL('../../vectors/torch_net.onnx', import.meta.url).pathname)
  expect([read.kind, read.title, read.model.parameters.length]).toEqual(['onnx', 'torch_net.onnx', 19])
})

test('what is refused', async () => {
  const write = async (name: string, text: string) => {
    await writeFile(join(folder, name), text)
    return join(folder, name)
  }
  await expectRefusal(() => readModelFile(join(folder, 'absent')), 'IO', 'absent', 'ENOENT')
  const none = await write('x.json', '{"a": 1}')
  await expectRefusal(() => readModelFile(none), 'INVALID_FILE', 'x.json', 'model_type', 'weight_map', 'parameters')
  const broken = await write('y.json', '{"model_type": ')
  await expectRefusal(() => readModelFile(broken), 'INVALID_FILE', 'y.json', 'not valid JSON')
  const list = await write('z.json', 'null')
  await expectRefusal(() => readModelFile(list), 'INVALID_FILE', 'z.json')
  const short = await write('s.safetensors', 'abc')
  await expectRefusal(() => readModelFile(short), 'INVALID_FILE', '3 bytes')
  const lying = await write('l.safetensors', 'zzzzzzzz{}')
  await expectRefusal(() => readModelFile(lying), 'INVALID_FILE', 'header of')
  const onnx = await write('o.onnx', 'no protobuf')
  await expectRefusal(() => readModelFile(onnx), 'INVALID_FILE', 'ONNX')
  await mkdir(join(folder, 'empty'))
  await expectRefusal(() => readModelFile(join(folder, 'empty')), 'IO', 'empty', 'config.json')
})
