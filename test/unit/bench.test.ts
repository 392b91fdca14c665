// The measuring side, as far as it does not measure: verdicts, rounds, the cost model, and the count of operations.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { gpus, operations, predict, predictionTable } from '../../bench/cost-model.mjs'
import { interleave } from '../../bench/rounds.mjs'
import { execute } from '../../bench/spirv.mjs'
import { judge } from '../../bench/targets.mjs'

const row = (id: string, milliseconds: number, elements = 100) => ({ id, name: id, elements, milliseconds })
const groups = (...rows: object[]) => new Map([['g', { group: 'g', rows }]])
const target = {
  what: 'a against b',
  group: 'g',
  ours: 'a',
  theirs: 'b',
  kind: 'times as fast',
  better: 'more',
  limit: 2,
}

describe('judge', () => {
  it('compares the time per element with the limit', () => {
    expect(judge(target, groups(row('a', 10), row('b', 20)))).toMatchObject({
      measured: '2 times as fast',
      verdict: 'met',
    })
    expect(judge(target, groups(row('a', 10), row('b', 19)))).toMatchObject({ verdict: 'missed' })
    expect(judge(target, groups(row('a', 10, 50), row('b', 19)))).toMatchObject({ measured: '0.95 times as fast' })
  })

  it('turns round where less is better', () => {
    const less = { ...target, better: 'less', kind: 'times the time', limit: 1.1 }
    expect(judge(less, groups(row('a', 11), row('b', 10)))).toMatchObject({
      measured: '1.1 times the time',
      verdict: 'met',
    })
    expect(judge(less, groups(row('a', 12), row('b', 10)))).toMatchObject({ verdict: 'missed' })
  })

  it('says why a row was not run', () => {
    const failed = { id: 'b', name: 'b', elements: 0, reason: 'no such package' }
    expect(judge(target, groups(row('a', 10), failed))).toMatchObject({
      measured: 'not run: no such package',
      verdict: '-',
    })
    expect(judge({ ...target, theirs: 'b.normal' }, groups(row('a', 10), failed)).measured).toContain('no such package')
    expect(judge(target, new Map()).measured).toContain('left out')
    expect(judge(target, new Map([['g', { group: 'g', reason: 'it crashed' }]])).measured).toBe('not run: it crashed')
  })
})

describe('interleave', () => {
  it('takes turns, leaves the first round out, and goes on without a case that fails', async () => {
    const turns: string[] = []
    const one = (id: string) => ({ id, name: id, elements: 1, run: async () => void turns.push(id) })
    const given = { id: 'c', name: 'c', elements: 1, run: async () => 7 }
    const broken = { id: 'b', name: 'b', elements: 1, run: () => Promise.reject(new Error('broken\nsecond line')) }
    const rows = await interleave([one('a'), broken, given, one('d')], { rounds: 2 })
    expect(turns).toEqual(['a', 'd', 'a', 'd', 'a', 'd'])
    expect(rows[0]).toMatchObject({ id: 'a', rounds: 2 })
    expect(rows[1]).toEqual({ id: 'b', name: 'b', elements: 1, reason: 'broken' })
    expect(rows[2]).toMatchObject({ milliseconds: 7, best: 7 })
  })
})

describe('the cost model', () => {
  it('takes the slowest of memory and the pipes', () => {
    const pipes = [{ name: 'issue', gops: 1e9, cycles: { integer: 1 } }]
    const slowMemory = predict({ gigabytes: 8, pipes }, 'normal')
    expect(slowMemory).toMatchObject({ by: 'memory', gigaElements: 2, share: 1 })
    const { integer } = operations.normal
    const slowPipe = predict(
      { gigabytes: 1e9, pipes: [{ name: 'issue', gops: 3 * integer, cycles: { integer: 1 } }] },
      'normal',
    )
    expect(slowPipe.by).toBe('issue')
    expect(slowPipe.gigaElements).toBeCloseTo(3, 12)
  })

  it('is what docs/performance.md shows', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/performance.md'), 'utf8')
    for (const line of predictionTable()) expect(page).toContain(line)
    expect(gpus.length).toBeGreaterThan(4)
  })
})

describe('execute', () => {
  it('runs a loop with a product and counts what it did', () => {
    // words[i] = i * 3 for i in 0..3
    const { counts, words } = execute(
      `
      OpEntryPoint GLCompute %main "main" %out
      OpMemberDecorate %block 0 Offset 0
      OpDecorate %array ArrayStride 4
      OpDecorate %out Binding 0
      %uint = OpTypeInt 32 0
      %bool = OpTypeBool
      %void = OpTypeVoid
      %array = OpTypeRuntimeArray %uint
      %block = OpTypeStruct %array
      %pb = OpTypePointer StorageBuffer %block
      %pu = OpTypePointer StorageBuffer %uint
      %fn = OpTypeFunction %void
      %out = OpVariable %pb StorageBuffer
      %c0 = OpConstant %uint 0
      %c1 = OpConstant %uint 1
      %c3 = OpConstant %uint 3
      %c4 = OpConstant %uint 4
      %main = OpFunction %void None %fn
      %a = OpLabel
      OpBranch %head
      %head = OpLabel
      %i = OpPhi %uint %c0 %a %next %body
      %more = OpULessThan %bool %i %c4
      OpLoopMerge %end %body None
      OpBranchConditional %more %body %end
      %body = OpLabel
      %value = OpIMul %uint %i %c3
      %place = OpAccessChain %pu %out %c0 %i
      OpStore %place %value
      %next = OpIAdd %uint %i %c1
      OpBranch %head
      %end = OpLabel
      OpReturn
      OpFunctionEnd`,
      { StorageBuffer: new Uint8Array(16), Uniform: new Uint8Array(0) },
    )
    expect(words).toEqual([0, 3, 6, 9])
    expect(counts).toEqual({ compare: 5, branch: 5, multiply: 4, integer: 4 })
  })
})
