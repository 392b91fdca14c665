// Every row and column of torch_formulas.json, float64-equal.
import { describe, expect, test } from 'vitest'
import { checkDistribution, expectedMoments } from '../../../src/distributions/registry.js'
import { KaimingInitializer } from '../../../src/initializers/families/kaiming.js'
import { XavierInitializer } from '../../../src/initializers/families/xavier.js'
import { calculateFans } from '../../../src/initializers/fans.js'
import { calculateGain, type Nonlinearity } from '../../../src/initializers/gain.js'
import type { Initializer } from '../../../src/initializers/initializer.js'
import { hexOf, loadVectors } from '../../support/golden/vectors.js'
import { contextFor, parameterOf, samplerSource, scaleOf } from '../../support/parameters.js'
import { parseHexFloat } from '../../support/references/exact-float.js'

interface Cell {
  readonly value: number
  readonly float64_hex: string
  readonly float32_hex: string
}
type Row = Readonly<Record<string, Readonly<Record<string, Cell>>>> & {
  readonly shape: readonly number[]
  readonly fan_in: number
  readonly fan_out: number
}
const file = loadVectors<{ table: Row[]; calculate_gain: Record<string, Cell> }>('torch_formulas.json')
const rows = file.table.map((row) => [row.shape.join('x'), row] as const)

const gains: Readonly<Record<string, number>> = {
  1: 1,
  sqrt2: calculateGain('relu'),
  '5/3': calculateGain('tanh'),
}

/** The initializer that a column is about. */
function initializerOf(column: string, distribution: 'uniform' | 'normal'): Initializer {
  const xavier = /^xavier gain=(\S+)$/.exec(column)
  if (xavier) return new XavierInitializer({ gain: gains[xavier[1]!]!, distribution })
  const kaiming = /^kaiming a=(\S+) (\w+) (fan_in|fan_out)$/.exec(column)
  if (!kaiming) throw new Error(`unknown column ${column}`)
  const [, a = '', nonlinearity, mode] = kaiming
  return new KaimingInitializer({
    a: Number(a),
    nonlinearity: nonlinearity as Nonlinearity,
    mode: mode as 'fan_in' | 'fan_out',
    distribution,
  })
}

const number = (cell: Cell): number => parseHexFloat(cell.float64_hex)
const columnsOf = (row: Row): string[] => Object.keys(row).filter((key) => /^(xavier|kaiming)/.test(key))

test('the table has the rows and columns this file knows', () => {
  expect(rows.length).toBe(15)
  for (const [, row] of rows) {
    expect(columnsOf(row)).toHaveLength(13)
    const others = Object.keys(row).filter((key) => !/^(xavier|kaiming)/.test(key))
    expect(others.sort()).toEqual(['fan_in', 'fan_out', 'linear_bias_bound 1/sqrt(fan_in)', 'shape'])
  }
})

describe.each(rows)('shape %s', (_, row) => {
  test('fans', () => {
    expect(calculateFans(parameterOf(row.shape))).toEqual({ fanIn: row.fan_in, fanOut: row.fan_out })
  })

  test('1 / sqrt(fan_in), the bound of PyTorch’s own biases', () => {
    const { fanIn } = calculateFans(parameterOf(row.shape))
    expect(1 / Math.sqrt(fanIn)).toBe(number(row['linear_bias_bound 1/sqrt(fan_in)'] as unknown as Cell))
  })

  describe.each(columnsOf(row))('%s', (column) => {
    const cells = row[column]!
    const context = contextFor(row.shape)

    test('normal: std in float64', () => {
      const std = scaleOf(initializerOf(column, 'normal'), context)
      expect(std).toBe(number(cells.normal_std!))
      expect(std).toBe(cells.normal_std!.value)
    })

    test('uniform: bound in float64', () => {
      const bound = scaleOf(initializerOf(column, 'uniform'), context)
      expect(bound).toBe(number(cells.uniform_bound!))
      expect(bound).toBe(cells.uniform_bound!.value)
    })

    test('both as the sampler takes them, float32', () => {
      for (const [kind, cell] of [
        ['normal', cells.normal_std!],
        ['uniform', cells.uniform_bound!],
      ] as const) {
        const distribution = checkDistribution(initializerOf(column, kind).distribution(context), 'float32', 'w')
        if (distribution.kind === 'constant') expect.fail('a random distribution became a constant')
        expect(hexOf(new Float32Array(samplerSource(distribution).constants.buffer)[0]!)).toBe(cell.float32_hex)
      }
    })
  })
})

// The table's uniform_std is what a uniform distribution of this bound has: bound / sqrt(3).
const xavierCells = rows.flatMap(([name, row]) =>
  columnsOf(row)
    .filter((column) => column.startsWith('xavier'))
    .map((column) => [name, column, row] as const),
)
test.each(xavierCells)('shape %s, %s: the std that the uniform distribution promises', (_, column, row) => {
  const distribution = initializerOf(column, 'uniform').distribution(contextFor(row.shape))
  expect(expectedMoments(distribution).std).toBe(number(row[column]!.uniform_std!))
})

describe('calculateGain', () => {
  test.each(Object.entries(file.calculate_gain))('%s', (name, cell) => {
    const [, nonlinearity = '', parameter] = /^(\w+)(?: param=(\S+))?$/.exec(name) ?? []
    const gain =
      parameter === undefined
        ? calculateGain(nonlinearity as Nonlinearity)
        : calculateGain(nonlinearity as Nonlinearity, Number(parameter))
    expect(gain).toBe(number(cell))
    expect(gain).toBe(cell.value)
  })

  test.each(['linear', 'relu', 'tanh', 'selu'] as const)('%s ignores the parameter, as in PyTorch', (nonlinearity) => {
    expect(calculateGain(nonlinearity, 0.7)).toBe(calculateGain(nonlinearity))
  })

  test('kaiming passes slope 0 to leaky_relu, calculate_gain alone 0.01', () => {
    expect(new KaimingInitializer({ nonlinearity: 'leaky_relu' }).gain).toBe(Math.sqrt(2))
    expect(calculateGain('leaky_relu')).not.toBe(Math.sqrt(2))
  })
})

test('an explicit gain takes the place of the nonlinearity’s', () => {
  const context = contextFor([10, 40])
  expect(scaleOf(new KaimingInitializer({ gain: 3 }), context)).toBe(3 / Math.sqrt(40))
  expect(scaleOf(new KaimingInitializer({ gain: 3, nonlinearity: 'tanh', mode: 'fan_out' }), context)).toBe(
    3 / Math.sqrt(10),
  )
})
