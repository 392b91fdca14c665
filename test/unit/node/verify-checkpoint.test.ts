// A file is verified against its manifest: one changed element of any distribution, in any dtype, is found.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { byteWidth, floatDTypes } from '../../../src/core/dtype.js'
import type { Model } from '../../../src/index.js'
import { CheckpointReader } from '../../../src/node/checkpoint-reader.js'
import { initializeFile } from '../../../src/node/initialize-file.js'
import { verifyCheckpoint } from '../../../src/node/verify-checkpoint.js'
import { planFromManifest } from '../../../src/plan/manifest/read.js'
import { parseSafetensorsHeader } from '../../../src/readers/safetensors-header.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'webgpu-init-verify-'))
})
afterAll(() => rm(folder, { recursive: true }))

const distributions: [string, Record<string, unknown>, number[]][] = [
  ['constant', { value: 0.5 }, [9, 13]],
  ['uniform', { a: -1, b: 3 }, [9, 13]],
  ['normal', { std: 0.5 }, [9, 13]],
  ['trunc_normal', {}, [9, 13]],
  ['sparse', { sparsity: 0.4, std: 1 }, [9, 13]],
  ['eye', {}, [9, 13]],
  ['dirac', {}, [5, 5, 3]],
  ['orthogonal', {}, [9, 13]],
  ['delta_orthogonal', {}, [5, 5, 3]],
  ['sinusoidal', {}, [9, 12]],
]

async function verify(path: string) {
  const checkpoint = await CheckpointReader.open(path)
  try {
    const plan = planFromManifest(checkpoint.metadata.get('webgpu-init')!)
    return await verifyCheckpoint(checkpoint, plan, { device: 'cpu', falseAlarmRate: 1e-6 })
  } finally {
    await checkpoint.close()
  }
}

describe.each(floatDTypes)('%s', (dtype) => {
  test.each(distributions)('%s: every single element, changed, fails alone', async (initializer, config, shape) => {
    const model: Model = { parameters: [{ name: 'w', shape, role: 'weight' }] }
    const path = join(folder, `${dtype}-${initializer}.safetensors`)
    await initializeFile(path, model, initializer as never, config, { device: 'cpu', seed: 3, dtype })
    expect(await verify(path)).toMatchObject({ ok: true, parity: { ok: true, complete: true } })
    const file = new Uint8Array(await readFile(path))
    const tensor = parseSafetensorsHeader(file, file.length).tensors[0]!
    const width = byteWidth(dtype)
    const elementCount = shape.reduce((a, b) => a * b, 1)
    for (let element = 0; element < elementCount; element += 7) {
      const changed = file.slice()
      // The sign and the top of the exponent: far beyond any bound, and no bit pattern but one has it.
      changed[tensor.byteOffset + (element + 1) * width - 1]! ^= 0xc0
      await writeFile(path, changed)
      const { ok, parity } = await verify(path)
      expect({ element, ok, parityOk: parity.ok }).toEqual({ element, ok: false, parityOk: false })
      expect(parity.mismatchCount + (parity.withinBound?.beyondCount ?? 0)).toBe(1)
      const [first] = parity.parameters
      expect(first!.firstMismatch ?? first!.withinBound!.firstBeyond).toBe(element)
    }
  })
})
