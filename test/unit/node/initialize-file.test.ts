// initializeFile: the bits of initializeModel in files, merged with a base, and nothing left after a failure or an abort.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  defineSampler,
  type InitializerRule,
  initializeModel,
  type Model,
  planModel,
  rematerialize,
} from '../../../src/index.js'
import { type InitializeFileOptions, initializeFile, readModelFile, writeWeights } from '../../../src/node.js'
import { layoutSafetensors } from '../../../src/readers/safetensors.js'
import { parseSafetensors, type Safetensors } from '../../support/package/safetensors.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'webgpu-init-file-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))
const at = (name: string): string => join(folder, name)
const parse = async (name: string): Promise<Safetensors> => parseSafetensors(await readFile(at(name)))

const body: Model['parameters'] = [
  { name: 'wte.weight', shape: [100, 16], role: 'embedding' },
  { name: 'h.0.fc.weight', shape: [32, 16] },
  { name: 'h.0.fc.bias', shape: [32], role: 'bias' },
  { name: 'ln.weight', shape: [16], role: 'norm-scale' },
]
const head: Model['parameters'] = [
  { name: 'classifier.weight', shape: [3, 16] },
  { name: 'classifier.bias', shape: [3], role: 'bias' },
]
const model: Model = { parameters: [...body, ...head] }
const shared: InitializeFileOptions = { device: 'cpu', seed: 7 }
const file = (path: string, options: InitializeFileOptions = {}, of: Model = model) =>
  initializeFile(at(path), of, 'normal', { std: 0.02 }, { ...shared, ...options })

describe('initializeFile', () => {
  it('takes options in the config’s place with rules and instances, as initializeModel does', async () => {
    const rules = [{ match: '*', initializer: 'normal', config: { std: 0.02 } }] satisfies InitializerRule[]
    const { plan } = await initializeFile(at('rules.safetensors'), model, rules, shared)
    expect(plan.seed).toBe(7)
    await initializeFile(at('both.safetensors'), model, rules, {}, shared)
    expect(Buffer.compare(await readFile(at('rules.safetensors')), await readFile(at('both.safetensors')))).toBe(0)
    // Nothing is dropped: what is neither an option nor a config is an error.
    const misspelt = initializeFile(at('no.safetensors'), model, rules, { sed: 7 } as never)
    await expect(misspelt).rejects.toThrow(/Unknown initializeFile option key "sed"/)
  })

  it('refuses options in the config’s place of a named initializer, and says where they belong', async () => {
    for (const [key, value] of Object.entries({ seed: 7, format: 'npy' })) {
      const act = initializeFile(at('no.safetensors'), model, 'normal', { [key]: value } as never)
      await expect(act).rejects.toMatchObject({
        code: 'INVALID_CONFIG',
        message: expect.stringContaining(`(..., "normal", {}, { ${key}: ... })`),
      })
    }
    expect(await readdir(folder)).toEqual([])
  })

  it('writes the bits of initializeModel, whatever the parts, with a report of all of it', async () => {
    const weights = await initializeModel(model, 'normal', { std: 0.02 }, { device: 'cpu', seed: 7 })
    for (const maxDeviceBytes of [1, 7000, 2 ** 30]) {
      const seen: string[][] = []
      const report = await file('out.safetensors', {
        maxDeviceBytes,
        onWeights: (part) => {
          seen.push([...part.parameters.keys()])
        },
      })
      expect(seen.length).toBe({ 1: 6, 7000: 2 }[maxDeviceBytes] ?? 1)
      expect(seen.flat()).toEqual(model.parameters.map(({ name }) => name))
      const { tensors, metadata } = await parse('out.safetensors')
      for (const [name, { bytes }] of tensors) {
        expect(Buffer.compare(bytes, await weights.readBytes(name)), name).toBe(0)
      }
      expect(JSON.parse(metadata['webgpu-init']!)).toEqual(JSON.parse(JSON.stringify(weights.manifest())))
      expect(report.files).toEqual([at('out.safetensors')])
      expect(report.backend).toBe('cpu')
      expect(report.copied).toEqual([])
      expect([...report.statistics.keys()]).toEqual([...tensors.keys()])
      expect(report.statistics).toEqual(await weights.statistics())
      expect(report.verification).toMatchObject({ ok: true, complete: true, comparedCount: 2211, elementCount: 2211 })
      expect(report.verification!.parameters.map(({ name }) => name)).toEqual([...tensors.keys()])
    }
  })

  it('compares as many elements as it was asked to', async () => {
    const none = await file('out.safetensors', { verify: 0 })
    expect(none.verification).toBeUndefined()
    const some = await file('out.safetensors', { verify: 500, maxDeviceBytes: 3000 })
    expect(some.verification!.complete).toBe(false)
    expect(some.verification!.comparedCount).toBeGreaterThan(300)
    expect(some.verification!.comparedCount).toBeLessThanOrEqual(500)
  })

  it('progresses through every phase to the end, over the whole model', async () => {
    const last = new Map<string, number>()
    await file('out.safetensors', {
      maxDeviceBytes: 3000,
      onProgress: ({ phase, bytesDone, bytesTotal }) => {
        expect(bytesTotal).toBe(4 * 2211)
        expect(bytesDone).toBeGreaterThanOrEqual(last.get(phase) ?? 0)
        last.set(phase, bytesDone)
      },
    })
    expect([...last]).toEqual([
      ['initialise', 8844],
      ['verify', 8844],
      ['write', 8844],
    ])
  })

  it('writes nothing when the values are not those the CPU computes again, and says which parameter', async () => {
    let calls = 0
    const fickle = defineSampler({
      name: 'fickle',
      parameters: {},
      wgsl: 'fn sample(word: u32, params: Params, zero: u32) -> f32 { return 0.0; }',
      sample: () => calls++ % 1000,
      moments: () => ({ mean: 0, std: 1 }),
    })
    const rules = [
      { match: 'classifier.weight', initializer: fickle({}) },
      { match: '*', initializer: 'zeros' },
    ]
    for (const maxDeviceBytes of [1, 2 ** 30]) {
      await expect(
        initializeFile(at('out.safetensors'), model, rules as never, {}, { ...shared, maxDeviceBytes }),
      ).rejects.toMatchObject({
        code: 'DEVICE_MISCOMPUTES',
        message: expect.stringMatching(
          /of 2211 elements differ from the CPU's, first in parameter "classifier.weight"; nothing was written/,
        ),
      })
      expect(await readdir(folder)).toEqual([])
    }
  })

  it('leaves nothing after an abort in any phase', async () => {
    for (const stop of ['initialise', 'verify', 'write'] as const) {
      const abort = new AbortController()
      const aborted = file('out.safetensors', {
        maxDeviceBytes: 3000,
        signal: abort.signal,
        onProgress: ({ phase }) => {
          if (phase === stop) abort.abort()
        },
      })
      await expect(aborted, stop).rejects.toThrow(/abort/i)
      expect(await readdir(folder), stop).toEqual([])
    }
  })

  it('makes one file of several, and a later one, from the same arguments', async () => {
    await file('m.safetensors', { fileShard: { index: 2, count: 3 } })
    expect((await readdir(folder)).sort()).toEqual(['m-00002-of-00003.safetensors', 'm.safetensors.index.json'])
    await file('m.safetensors', { fileShard: { index: 1, count: 3 } })
    await file('m.safetensors', { fileShard: { index: 3, count: 3 } })
    const { model: read } = await readModelFile(at('m.safetensors.index.json'))
    expect(read.parameters.map(({ name }) => name)).toEqual(model.parameters.map(({ name }) => name))
  })

  it('only and skip write a part', async () => {
    await file('out.safetensors', { only: ['classifier.*', 'ln.*'], skip: /bias$/ })
    const { names, metadata } = await parse('out.safetensors')
    expect(names).toEqual(['ln.weight', 'classifier.weight'])
    const again = await rematerialize(metadata['webgpu-init']!, 'cpu')
    expect([...again.parameters.keys()]).toEqual(names)
    await expect(file('none.safetensors', { skip: '*' })).rejects.toThrow(/Nothing is left to write/)
    await expect(file('none.safetensors', { only: 'nothing.*' })).rejects.toThrow(/Nothing is left to write/)
    expect(await readdir(folder)).toEqual(['out.safetensors'])
  })

  it('refuses unknown options and values before anything is opened', async () => {
    for (const [options, message] of [
      [{ formt: 'raw' }, /Unknown initializeFile option key "formt"/],
      [{ maxDeviceBytes: 0 }, /maxDeviceBytes must be an integer >= 1/],
      [{ verify: -1 }, /verify must be an integer >= 0/],
      [{ seed: 1.5 }, /seed/],
      [{ from: 'absent.safetensors', only: 'classifier.*' }, /Cannot read "absent.safetensors"/],
    ] as [object, RegExp][]) {
      await expect(file('out.safetensors', options)).rejects.toThrow(message)
    }
    expect(await readdir(folder)).toEqual([])
  })
})

describe('initializeFile from a checkpoint', () => {
  const rules: InitializerRule[] = [{ match: '*', initializer: 'normal', config: { std: 1 } }]

  /** A trained checkpoint: a body and another head. */
  async function writeBase(options: { readonly maxShardBytes?: number } = {}): Promise<void> {
    const old: Model = { parameters: [...body, { name: 'classifier.weight', shape: [7, 16] }] }
    const weights = await initializeModel(old, 'normal', { std: 3 }, { device: 'cpu', seed: 99 })
    await writeWeights(at('base.safetensors'), weights, { ...options, metadata: { license: 'MIT' } })
  }

  it('initialises the new head alone; every other tensor is copied byte for byte', async () => {
    await writeBase()
    const base = await parse('base.safetensors')
    const fresh = await initializeModel(model, rules, { device: 'cpu', seed: 7 })
    const report = await initializeFile(
      at('tuned.safetensors'),
      model,
      rules,
      {},
      {
        ...shared,
        from: at('base.safetensors'),
        only: 'classifier.*',
      },
    )
    const { names, tensors, metadata } = await parse('tuned.safetensors')
    // The base's order, the head in its place with its new shape, what is new at the end.
    expect(names).toEqual([
      'wte.weight',
      'h.0.fc.weight',
      'h.0.fc.bias',
      'ln.weight',
      'classifier.weight',
      'classifier.bias',
    ])
    for (const { name } of body)
      expect(Buffer.compare(tensors.get(name)!.bytes, base.tensors.get(name)!.bytes), name).toBe(0)
    for (const { name } of head)
      expect(Buffer.compare(tensors.get(name)!.bytes, await fresh.readBytes(name)), name).toBe(0)
    expect(report.copied.map(({ name }) => name)).toEqual(body.map(({ name }) => name))
    expect([...report.statistics.keys()]).toEqual(['classifier.weight', 'classifier.bias'])
    // The manifest tells of what was made here, the rest of the base's metadata stays.
    expect(metadata).toMatchObject({ format: 'pt', license: 'MIT' })
    const again = await rematerialize(metadata['webgpu-init']!, 'cpu')
    expect([...again.parameters.keys()]).toEqual(['classifier.weight', 'classifier.bias'])
  })

  it("reads a sharded base, writes shards, and takes the model from the base's own header", async () => {
    await writeBase({ maxShardBytes: 3000 })
    const from = at('base.safetensors.index.json')
    const { model: own } = await readModelFile(from)
    const report = await initializeFile(
      at('tuned.safetensors'),
      own,
      rules,
      {},
      {
        ...shared,
        from,
        skip: /^(?!h\.0)/,
        maxShardBytes: 4000,
      },
    )
    expect(report.files.length).toBeGreaterThan(2)
    const { model: written } = await readModelFile(at('tuned.safetensors.index.json'))
    expect(written).toEqual(own)
    const weights = await initializeModel(own, rules, { device: 'cpu', seed: 7 })
    const index = JSON.parse(await readFile(at('tuned.safetensors.index.json'), 'utf8'))
    const baseIndex = JSON.parse(await readFile(from, 'utf8'))
    for (const { name } of own.parameters) {
      const { bytes } = (await parse(index.weight_map[name])).tensors.get(name)!
      const expected = name.startsWith('h.0')
        ? await weights.readBytes(name)
        : (await parse(baseIndex.weight_map[name])).tensors.get(name)!.bytes
      expect(Buffer.compare(bytes, expected), name).toBe(0)
    }
  })

  it('copies dtypes that it cannot compute with; over the base itself is refused', async () => {
    const entries = [
      { name: 'q.weight', shape: [6], storedDType: 'F8_E4M3' },
      { name: 'classifier.weight', shape: [3, 16], dtype: 'float32' as const },
      { name: 'z', shape: [2, 0], storedDType: 'C64' },
    ]
    const { header, byteLength } = layoutSafetensors(entries)
    const bytes = new Uint8Array(byteLength)
    bytes.set(header)
    bytes.fill(0x5a, header.length)
    await writeFile(at('base.safetensors'), bytes)
    const options = { ...shared, from: at('base.safetensors') }
    await expect(initializeFile(at('base.safetensors'), { parameters: head }, rules, {}, options)).rejects.toThrow(
      /base.safetensors" is the same file as the checkpoint .*choose another path/,
    )
    expect(new Uint8Array(await readFile(at('base.safetensors')))).toEqual(bytes)
    await initializeFile(at('new.safetensors'), { parameters: head }, rules, {}, options)
    const written = await readFile(at('new.safetensors'))
    const length = 8 + Number(written.readBigUInt64LE(0))
    const table = JSON.parse(written.subarray(8, length).toString())
    expect(Object.keys(table).sort()).toEqual(['__metadata__', 'classifier.bias', 'classifier.weight', 'q.weight', 'z'])
    const at8 = table['q.weight'].data_offsets[0]
    expect(table['q.weight']).toEqual({ dtype: 'F8_E4M3', shape: [6], data_offsets: [at8, at8 + 6] })
    expect(table.z).toMatchObject({ dtype: 'C64', shape: [2, 0] })
    expect([...written.subarray(length + at8, length + at8 + 6)]).toEqual(Array(6).fill(0x5a))
  })

  for (const [what, spec, message] of [
    [
      'another shape',
      { name: 'ln.weight', shape: [17], role: 'norm-scale' },
      /"ln.weight" has the shape \[17\] in the model and \[16\] in/,
    ],
    [
      'another dtype',
      { name: 'ln.weight', shape: [16], dtype: 'bfloat16', role: 'norm-scale' },
      /"ln.weight" has the dtype bfloat16 in the model and float32 in/,
    ],
    [
      'no such tensor',
      { name: 'pooler.weight', shape: [16, 16] },
      /"pooler.weight" is not initialised, and .* has no tensor of that name to copy/,
    ],
  ] as const) {
    it(`refuses a parameter to be copied where the base has ${what}`, async () => {
      await writeBase()
      const wrong: Model = { parameters: [...body.filter(({ name }) => name !== spec.name), spec, ...head] }
      const refused = initializeFile(
        at('tuned.safetensors'),
        wrong,
        rules,
        {},
        {
          ...shared,
          from: at('base.safetensors'),
          only: 'classifier.*',
        },
      )
      await expect(refused).rejects.toMatchObject({ code: 'INVALID_MODEL', message: expect.stringMatching(message) })
      expect(await readdir(folder)).toEqual(['base.safetensors'])
    })
  }

  it('refuses a tie that the copy would break', async () => {
    const tied: Model = { parameters: [body[0]!, { name: 'lm_head.weight', shape: [100, 16], tiedTo: 'wte.weight' }] }
    const apart: Model = { parameters: [body[0]!, { name: 'lm_head.weight', shape: [100, 16] }] }
    await writeWeights(at('base.safetensors'), await initializeModel(apart, rules, { device: 'cpu', seed: 1 }))
    const refused = initializeFile(at('out.safetensors'), tied, rules, {}, { ...shared, from: at('base.safetensors') })
    await expect(refused).rejects.toThrow(/"lm_head.weight" shares the memory of "wte.weight", which is initialised/)
  })

  it('leaves the plan of the rest alone: only says who is skipped and why', () => {
    const plan = planModel(model, rules, { seed: 7, only: ['classifier.*', /^ln/], skip: '*.bias' })
    expect(plan.parameters.map(({ action, rule }) => [action, rule.because])).toEqual([
      ['skip', 'option only: classifier.*, /^ln/'],
      ['skip', 'option only: classifier.*, /^ln/'],
      ['skip', 'option skip: *.bias'],
      ['initialize', 'rules[0]: *'],
      ['initialize', 'rules[0]: *'],
      ['skip', 'option skip: *.bias'],
    ])
  })
})
