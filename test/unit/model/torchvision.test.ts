// The builders against real torchvision: parameter tables of resnet18 and mobilenet_v3_small, totals of the others.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type Model, mobilenetV3Small, planModel, recipes, resnet } from '../../../src/index.js'
import { expectRefusal } from '../../support/refusal.js'

const tableOf = (file: string): [string, number[]][] =>
  JSON.parse(readFileSync(new URL(`../../vectors/${file}.json`, import.meta.url), 'utf8')).parameters.map(
    ([name, shape]: [string, number[]]) => [name, shape],
  )
const namesAndShapes = ({ parameters }: Model) => parameters.map(({ name, shape }) => [name, shape])
const count = ({ parameters }: Model) =>
  parameters.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)

test.each<[string, Model]>([
  ['torch_cpu_resnet18', resnet(18)],
  ['torch_cpu_mobilenet_v3_small', mobilenetV3Small()],
])('%s: names, shapes and order', (file, model) => {
  expect(namesAndShapes(model)).toEqual(tableOf(file))
})

// torchvision's own numbers (num_params in the meta of its weights); buffers are not among them.
test.each<[string, Model, number]>([
  ['resnet18', resnet(18), 11_689_512],
  ['resnet34', resnet(34), 21_797_672],
  ['resnet50', resnet(50), 25_557_032],
  ['resnet101', resnet(101), 44_549_160],
  ['resnet152', resnet(152), 60_192_808],
  ['resnext50_32x4d', resnet(50, { groups: 32, widthPerGroup: 4 }), 25_028_904],
  ['wide_resnet50_2', resnet(50, { widthPerGroup: 128 }), 68_883_240],
  ['mobilenet_v3_small', mobilenetV3Small(), 2_542_856],
])('%s has %# elements', (_, model, elements) => {
  expect(count(model)).toBe(elements)
})

test('ResNet-50 with its buffers: 53 norms of two statistics and a counter', () => {
  const model = resnet(50, { buffers: true })
  const features = resnet(50).parameters.filter(({ role }) => role === 'norm-scale')
  expect(features).toHaveLength(53)
  expect(model.parameters).toHaveLength(161 + 3 * 53)
  expect(count(model)).toBe(25_557_032 + 53_120 + 53)
  expect(model.parameters.slice(1, 6).map(({ name }) => name)).toEqual([
    'bn1.weight',
    'bn1.bias',
    'bn1.running_mean',
    'bn1.running_var',
    'bn1.num_batches_tracked',
  ])
  expect(planModel(model, recipes.resnet(), { seed: 1 }).totals.parameterCount).toBe(320)
})

test('classes, and no graph that is not one', () => {
  expect(resnet(18, { classes: 10 }).parameters.at(-2)?.shape).toEqual([10, 512])
  expect(mobilenetV3Small({ classes: 10 }).parameters.at(-2)?.shape).toEqual([10, 1024])
  expect(resnet(18)).not.toHaveProperty('children')
})

test('what is refused', async () => {
  await expectRefusal(() => resnet(42 as 18), 'INVALID_ARGUMENT', 'depth', '42', '18, 34, 50, 101, 152')
  await expectRefusal(() => resnet('constructor' as unknown as 18), 'INVALID_ARGUMENT', 'depth', '"constructor"')
  await expectRefusal(() => resnet(18, { groups: 32 }), 'INVALID_ARGUMENT', 'groups', '18')
  await expectRefusal(() => resnet(50, { classes: 0 }), 'INVALID_SHAPE', 'outFeatures', '0')
  await expectRefusal(() => mobilenetV3Small({ classs: 5 } as object), 'INVALID_ARGUMENT', '"classs"')
})
