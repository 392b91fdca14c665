// Guards what must never be lost: inputs, other outputs, files of other kinds, other runs' folders; and what killed runs leave.
import { spawnSync } from 'node:child_process'
import { link, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type InitializedModel, initializeModel } from '../../../src/index.js'
import { readPipe } from '../../../src/node/named-pipe.js'
import { refuseSharedPaths } from '../../../src/node/paths.js'
import { partialName } from '../../../src/node/writers/partial-name.js'
import { type WriteWeightsOptions, writeWeights } from '../../../src/node.js'

let folder: string
let weights: InitializedModel
const at = (name: string): string => join(folder, name)
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'webgpu-init-outputs-'))
  const parameters = [
    { name: 'a', shape: [3, 2] },
    { name: 'b', shape: [5, 2] },
  ]
  weights = await initializeModel({ parameters }, 'normal', {}, { device: 'cpu', seed: 1 })
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('refuseSharedPaths', () => {
  const refused = (output: string, input: string) =>
    expect(
      refuseSharedPaths([{ path: output, what: 'The output' }], [{ path: input, what: 'the model' }]),
    ).rejects.toThrow(/^The output .* the model .*which this run reads; choose another path\.$/)

  it('finds the same file by another spelling, a symbolic link, a hard link, a linked folder', async () => {
    await mkdir(at('sub'))
    await writeFile(at('x'), 'x')
    await symlink(at('x'), at('soft'))
    await link(at('x'), at('hard'))
    await symlink(folder, at('here'))
    for (const same of ['x', 'sub/../x', 'soft', 'hard', 'here/x', 'here/here/soft']) await refused(at(same), at('x'))
    await refused(at('x'), at('soft'))
  })

  it('finds files that do not exist yet, and inputs inside a folder that is written', async () => {
    await symlink(folder, at('here'))
    await refused(at('here/new'), at('new'))
    await mkdir(at('out'))
    await writeFile(at('out/config.json'), '{}')
    await refused(at('out'), at('out/config.json'))
    await refused(at('here/out'), at('out/config.json'))
  })

  it('finds two outputs that are one file, and lets others pass', async () => {
    const outputs = [
      { path: at('w.json'), what: 'The output' },
      { path: at('./w.json'), what: '--report' },
    ]
    await expect(refuseSharedPaths(outputs, [])).rejects.toThrow(/--report .* which this run writes too/)
    await refuseSharedPaths(
      [
        { path: at('out'), what: 'The output' },
        { path: at('out2'), what: '--report' },
      ],
      [{ path: at('out.safetensors'), what: 'the model' }],
    )
  })
})

describe('an existing file', () => {
  const kinds: readonly (readonly [format: WriteWeightsOptions, name: string, extra: string | undefined])[] = [
    [{}, 'w.safetensors', undefined],
    [{ maxShardBytes: 24 }, 'w.safetensors', 'w.safetensors.index.json'],
    [{ format: 'raw' }, 'w.bin', 'w.bin.json'],
  ]
  it.each(kinds)('of another kind stays (%j)', async (options, name, extra) => {
    const target = options.maxShardBytes === undefined ? name : 'w-00001-of-00002.safetensors'
    for (const file of extra === undefined ? [target] : [target, extra]) {
      await writeFile(at(file), 'a thesis')
      await expect(writeWeights(at(name), weights, options)).rejects.toThrow(/it exists and is not .*--force/)
      expect(await readFile(at(file), 'utf8')).toBe('a thesis')
      expect((await readdir(folder)).filter((entry) => entry.endsWith('.partial'))).toEqual([])
      await writeWeights(at(name), weights, { ...options, force: true })
      expect((await readFile(at(file))).toString('latin1')).not.toContain('a thesis')
      // Of the same kind it is replaced.
      await writeWeights(at(name), weights, options)
      for (const left of await readdir(folder)) await rm(at(left))
    }
  })

  it('that is empty may be replaced', async () => {
    await writeFile(at('w.safetensors'), '')
    await writeWeights(at('w.safetensors'), weights)
  })
})

describe('a folder of .npy files', () => {
  it('loses nothing that this package did not write, whatever its index says', async () => {
    await writeWeights(at('out'), weights, { format: 'npy' })
    const index = JSON.parse(await readFile(at('out/index.json'), 'utf8'))
    await writeFile(at('outside.txt'), 'outside')
    const lies: readonly (readonly [file: string, content: string])[] = [
      ['notes.txt', 'mine'],
      ['data.npy', 'mine, and no array'],
      ['longer.npy', `\x93NUMPY${'x'.repeat(500)}`],
    ]
    for (const [file, content] of lies) {
      await writeFile(at(`out/${file}`), content)
      const tensors = [
        ...index.tensors,
        { ...index.tensors[0], name: 'c', file },
        { ...index.tensors[0], file: '../outside.txt' },
      ]
      await writeFile(at('out/index.json'), JSON.stringify({ ...index, tensors }))
      await expect(writeWeights(at('out'), weights, { format: 'npy' })).rejects.toThrow('not a file of an earlier run')
      expect(await readFile(at(`out/${file}`), 'utf8')).toBe(content)
      await rm(at(`out/${file}`))
    }
    await mkdir(at('out/a.npy.d'))
    await expect(writeWeights(at('out'), weights, { format: 'npy' })).rejects.toThrow('"a.npy.d"')
    await rm(at('out/a.npy.d'), { recursive: true })
    await writeFile(at('out/index.json'), JSON.stringify(index))
    await writeWeights(at('out'), weights, { format: 'npy' })
    expect(await readFile(at('outside.txt'), 'utf8')).toBe('outside')
    expect((await readdir(folder)).sort()).toEqual(['out', 'outside.txt'])
  })
})

describe('what a killed run left behind', () => {
  /** A process number that no process has. */
  const gone = (): number => spawnSync(process.execPath, ['-e', '']).pid

  it('is removed by the next run to the same output; what lives or belongs to others stays', async () => {
    const mine = partialName(at('w.safetensors'))
    const ofPid = (pid: number): string => mine.replace(`-${process.pid}-`, `-${pid}-`)
    const dead = ofPid(gone())
    const alive = ofPid(process.ppid)
    const elsewhere = dead.replace(/\.[0-9a-f]{8}-/, '.00000000-')
    const other = dead.replace('w.safetensors', 'x.safetensors')
    for (const file of [mine, dead, alive, elsewhere, other]) await writeFile(file, 'half')
    await mkdir(dead.replace('.partial', '0.partial'))
    await writeWeights(at('w.safetensors'), weights)
    const left = new Set(await readdir(folder))
    expect(left.has(dead.slice(folder.length + 1))).toBe(false)
    for (const file of [mine, alive, elsewhere, other]) expect(left.has(file.slice(folder.length + 1))).toBe(true)
  })

  it('also where it is a folder', async () => {
    const dead = partialName(at('out')).replace(`-${process.pid}-`, `-${gone()}-`)
    await mkdir(dead)
    await writeFile(join(dead, 'a.npy'), 'half')
    await writeWeights(at('out'), weights, { format: 'npy' })
    expect(await readdir(folder)).toEqual(['out'])
  })
})

describe.skipIf(process.platform === 'win32')('a named pipe', () => {
  it('is read to its end, and waiting for a writer can be interrupted', async () => {
    spawnSync('mkfifo', [at('pipe')])
    const abort = new AbortController()
    const waiting = readPipe(at('pipe'), abort.signal)
    abort.abort()
    await expect(waiting).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
    const [text] = await Promise.all([readPipe(at('pipe')), writeFile(at('pipe'), 'x'.repeat(200_000))])
    expect(text.toString()).toBe('x'.repeat(200_000))
  })
})
