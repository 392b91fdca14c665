// defineModel copies and freezes what it is given, and keeps every field.
import { describe, expect, test } from 'vitest'
import type { ParameterSpec } from '../../../src/ir/parameter.js'
import { defineModel } from '../../../src/model/define.js'
import { planModel } from '../../../src/plan/plan.js'

const spec = (): { name: string; shape: number[]; fan: { in: number; out: number } } => ({
  name: 'w',
  shape: [4, 3],
  fan: { in: 3, out: 4 },
})

describe('defineModel keeps its own copy', () => {
  const planOf = (model: ReturnType<typeof defineModel>) => planModel(model, 'xavier', {}, { seed: 1 }).toJSON()

  test.each<[string, (parameters: ReturnType<typeof spec>[]) => void]>([
    ['of the list', (parameters) => parameters.push({ ...spec(), name: 'other' })],
    ['of a spec', (parameters) => Object.assign(parameters[0]!, { name: 'renamed', role: 'bias' })],
    ['of a shape', (parameters) => parameters[0]!.shape.push(5)],
    ['of the fans', (parameters) => Object.assign(parameters[0]!.fan, { in: 99 })],
  ])('%s', (_, change) => {
    const parameters = [spec()]
    const model = defineModel({ parameters })
    const before = planOf(model)
    change(parameters)
    expect(planOf(model)).toEqual(before)
  })
})

describe('defineModel’s result cannot be changed', () => {
  const model = defineModel({ parameters: [spec()] })
  const parameter = model.parameters[0]! as ParameterSpec

  test.each<[string, object]>([
    ['the spec', parameter],
    ['the shape', parameter.shape],
    ['the fans', parameter.fan!],
    ['the list', model.parameters],
  ])('%s is frozen', (_, part) => {
    expect(Object.isFrozen(part)).toBe(true)
  })
})

test('a scalar, a long name and every optional field', () => {
  const parameters: ParameterSpec[] = [
    { name: 'scalar', shape: [] },
    { name: 'n'.repeat(1000), shape: [1] },
    { name: '__proto__', shape: [2] },
    {
      name: 'full',
      shape: [4, 6],
      dtype: 'bfloat16',
      role: 'weight',
      layout: 'transposed',
      groups: 2,
      fan: { in: 1, out: 2 },
    },
    { name: 'tied', shape: [6, 4], dtype: 'bfloat16', tiedTo: 'full' },
  ]
  expect(defineModel({ parameters }).parameters).toEqual(parameters)
})

test('a key that is undefined is absent', () => {
  const parameters = [
    { name: 'w', shape: [2, 2], dtype: undefined, role: undefined, layout: undefined, fan: undefined },
  ]
  const plan = planModel(
    defineModel({ parameters: parameters as unknown as ParameterSpec[] }),
    'xavier',
    {},
    { seed: 1 },
  )
  expect(plan.parameters[0]).toMatchObject({ dtype: 'float32', role: 'weight', layout: 'out-in' })
})
