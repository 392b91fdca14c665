// The recordings of test/vectors/recordings, with PyTorch's hashes of every parameter.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type InitializedModel, initializeModel, readRecording } from '../../src/index.js'
import { sha256 } from './bits.js'

const folder = fileURLToPath(new URL('../vectors/recordings/', import.meta.url))

/** The seeds that there are hashes for. */
export const recordedSeeds = [0, 1, 12345] as const

export const recordingNames: readonly string[] = readdirSync(folder)
  .filter((file) => file.endsWith('.json') && !file.endsWith('.sha256.json'))
  .map((file) => file.slice(0, -'.json'.length))

/** The text of a recording, as record.py wrote it. */
export const recordingText = (name: string): string => readFileSync(`${folder}${name}.json`, 'utf8')

/** A recording as JSON, for tests that look at its rows. */
export interface RecordingJson {
  readonly parameters: readonly {
    readonly name: string
    readonly dtype: string
    readonly shape: readonly number[]
    readonly tiedTo?: string
    readonly writes?: readonly (readonly unknown[])[]
  }[]
  readonly program: readonly (readonly unknown[])[]
}

export const recordingJson = (name: string): RecordingJson => JSON.parse(recordingText(name)) as RecordingJson

/** SHA-256 of every parameter's bytes in PyTorch, for a seed: those that the seed changes, and those that it does not. */
export function recordedHashes(name: string, seed: number): ReadonlyMap<string, string> {
  const { sha256, always } = JSON.parse(readFileSync(`${folder}${name}.sha256.json`, 'utf8')) as {
    readonly sha256: Readonly<Record<string, Readonly<Record<string, string>>>>
    readonly always: Readonly<Record<string, string>>
  }
  return new Map([...Object.entries(sha256[seed]!), ...Object.entries(always)])
}

/** The parameters of a replay whose bits are not PyTorch's, and how many were compared. */
export async function replayed(
  name: string,
  seed: number,
  device: GPUDevice | 'cpu',
): Promise<{ readonly wrong: readonly string[]; readonly compared: number; readonly weights: InitializedModel }> {
  const { model, recipe, program, outside, rounded } = readRecording(recordingText(name))
  const weights = await initializeModel(model, recipe, { device, seed, generator: { name: 'torch-cpu', program } })
  const excused = new Set([...outside, ...rounded].map((note) => note.name))
  const hashes = [...recordedHashes(name, seed)].filter(([parameter]) => !excused.has(parameter))
  const wrong: string[] = []
  for (const [parameter, hash] of hashes) {
    if (sha256(await weights.readBytes(parameter)) !== hash) wrong.push(parameter)
  }
  return { wrong, compared: hashes.length, weights }
}

/** `torch.rand(1)` after the model: the replay must have taken as many words. */
export function nextDraw(name: string, seed: number): number {
  const { next } = JSON.parse(readFileSync(`${folder}${name}.sha256.json`, 'utf8')) as {
    readonly next: Readonly<Record<string, number>>
  }
  return next[seed]!
}
