import { open, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { showPath, WeightInitError } from '../core/errors.js'
import type { InitializerRule } from '../initializers/rules.js'
import type { Model } from '../ir/parameter.js'
import type { TorchProgram } from '../ir/program.js'
import type { CheckpointModel, GuessedTensor, OmittedTensor } from '../readers/checkpoint.js'
import { foreignFile, foreignJson } from '../readers/foreign-file.js'
import {
  type HuggingFaceOptions,
  huggingFaceArchitectures,
  readHuggingFaceConfig,
} from '../readers/huggingface/read.js'
import { parsePythonJson } from '../readers/json/python.js'
import { readModelJson } from '../readers/model-json.js'
import { readRecording } from '../readers/recording.js'
import type { SafetensorsHeader } from '../readers/safetensors-header.js'
import {
  readSafetensorsIndex,
  readSafetensorsModel,
  readShardedSafetensorsModel,
} from '../readers/safetensors-model.js'
import type { SignalOptions } from '../signal/types.js'
import { SafetensorsReader } from './checkpoint-reader.js'
import { readPipe } from './named-pipe.js'
import { isFile } from './paths.js'

/** A model read from a file, whatever its kind. */
export interface ModelFile {
  readonly kind: 'huggingface' | 'recording' | 'json' | 'safetensors' | 'onnx'
  /** For people: 'gpt2 (GPT2LMHeadModel)', 'model.safetensors'. */
  readonly title: string
  readonly model: Model
  /** The rules that the file or its architecture bring; undefined: it is for the caller to choose. */
  readonly recipe?: readonly InitializerRule[]
  /** How `propagateSignal` is to measure a model of layers, where the file says so. */
  readonly signal?: SignalOptions
  /** Parameters that share another's memory and are therefore not listed, by name. */
  readonly tied: Readonly<Record<string, string>>
  /** Parameters that are no weights: no rule can make them. Skip or copy them. */
  readonly fixed: readonly string[]
  /** Tensors of the file that are not in the model, and why. */
  readonly omitted: readonly OmittedTensor[]
  /** Parameters whose facts no convention gives for certain, and why. */
  readonly guesses: readonly GuessedTensor[]
  /** The files that were read. */
  readonly files: readonly string[]
  /** The Python program that a recording holds, for the generator torch-cpu. */
  readonly program?: TorchProgram
  /** Parameters that the program makes within rounding of PyTorch's, and why. */
  readonly rounded?: readonly OmittedTensor[]
}

/** What a folder is looked through for, in this order. */
const namesInFolder = ['config.json', 'model.safetensors.index.json', 'model.safetensors', 'model.onnx'] as const

/**
 * Reads a model from a path: a Hugging Face config.json, a recording (python/record.py), a .safetensors file or a sharded
 * checkpoint's index (headers only), an ONNX file, model JSON (`readModelJson`), or a folder with one of them. JSON is told
 * apart by its keys.
 *
 * @param signal ends the wait for a named pipe that nobody writes to
 * @throws WeightInitError `IO` for a path that cannot be read, `INVALID_FILE` for what is none of these, or the reader's own
 */
export async function readModelFile(
  path: string,
  options: HuggingFaceOptions = {},
  signal?: AbortSignal,
): Promise<ModelFile> {
  const info = await io(path, stat(path))
  if (info.isDirectory()) {
    const found = await findIn(path)
    const unknown = basename(found) === 'config.json' && !(await isKnownConfig(found))
    const checkpoint = unknown ? await findIn(path, namesInFolder.slice(1)).catch(() => undefined) : undefined
    return readModelFile(checkpoint ?? found, options, signal)
  }
  const title = basename(path)
  const kind = info.isFIFO() ? 'json' : await kindOf(path)
  if (kind === 'safetensors') return checkpoint(kind, title, [path], readSafetensorsModel(await headerOf(path)))
  if (kind === 'onnx') {
    const { readOnnxModel } = await import('../readers/onnx.js')
    return checkpoint(kind, title, [path], readOnnxModel(await io(path, readFile(path))))
  }
  const text = info.isFIFO()
    ? (await io(path, readPipe(path, signal))).toString('utf8')
    : await io(path, readFile(path, 'utf8'))
  const json = parseJson(text, path)
  const keys = typeof json === 'object' && json !== null ? Object.keys(json) : []
  const foreign = foreignJson(json)
  if (foreign !== undefined) throw new WeightInitError('INVALID_FILE', `${showPath(path)} is ${foreign}.`)
  if (keys.includes('weight_map')) return shardedModel(path, title, text)
  if ((json as { format?: unknown } | null)?.format === 'webgpu-init-recording') return recordingFile(path, text)
  if (Array.isArray(json) || keys.includes('parameters') || (keys.includes('layers') && !keys.includes('model_type'))) {
    const { model, rules, signal } = readModelJson(json)
    const own = { ...(rules === undefined ? {} : { recipe: rules }), ...(signal === undefined ? {} : { signal }) }
    return { kind: 'json', title, model, ...own, ...nothingElse, files: [path] }
  }
  if (!keys.includes('model_type') && !keys.includes('architectures') && options.head === undefined) {
    throw new WeightInitError(
      'INVALID_FILE',
      `${showPath(path)} is none of the files that are read: a Hugging Face config.json (model_type), a recording (format), a ` +
        "checkpoint's index (weight_map), model JSON (layers or parameters), .safetensors, .onnx.",
    )
  }
  const { architecture, head, model, recipe, tied } = readHuggingFaceConfig(json, options)
  return { kind: 'huggingface', title: `${architecture} (${head})`, model, recipe, ...nothingElse, tied, files: [path] }
}

/** What no rule can make, and buffers that are in no state_dict, are no weights of the file. */
function recordingFile(path: string, text: string): ModelFile {
  const { architecture, model, recipe, tied, program, outside, rounded, nonPersistent } = readRecording(text)
  const left = new Set([...outside.map(({ name }) => name), ...nonPersistent])
  return {
    kind: 'recording',
    title: architecture.split('.').at(-1) || basename(path),
    files: [path],
    model,
    recipe,
    tied,
    fixed: model.parameters.filter(({ name }) => left.has(name)).map(({ name }) => name),
    omitted: outside,
    guesses: [],
    program,
    rounded,
  }
}

/** What a file is by its first bytes, whatever its name; where they do not tell, by its suffix. */
async function kindOf(path: string): Promise<'safetensors' | 'onnx' | 'json'> {
  const handle = await io(path, open(path, 'r'))
  let start: Uint8Array
  try {
    const { buffer, bytesRead } = await io(path, handle.read(new Uint8Array(512), 0, 512, 0))
    start = buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
  // Eight bytes of length, of which the upper four are 0, and the header.
  if (start[8] === 0x7b && start.subarray(4, 8).every((byte) => byte === 0)) return 'safetensors'
  const foreign = foreignFile(start)
  if (foreign !== undefined) throw new WeightInitError('INVALID_FILE', `${showPath(path)} is ${foreign}.`)
  if (path.endsWith('.safetensors')) return 'safetensors'
  // ModelProto begins with ir_version, a small integer.
  if (path.endsWith('.onnx') || (start[0] === 0x08 && (start[1] ?? 0) < 0x20)) return 'onnx'
  return 'json'
}

const nothingElse = { tied: {}, fixed: [], omitted: [], guesses: [] } as const

const checkpoint = (
  kind: 'safetensors' | 'onnx',
  title: string,
  files: readonly string[],
  read: CheckpointModel,
): ModelFile => ({
  kind,
  title,
  files,
  tied: {},
  ...read,
})

/** Whether a config.json is of an architecture that is known; another may have a checkpoint beside it. */
async function isKnownConfig(path: string): Promise<boolean> {
  const json = parseJson(await io(path, readFile(path, 'utf8')), path) as { model_type?: unknown } | null
  const type = json?.model_type
  return typeof type !== 'string' || Object.hasOwn(huggingFaceArchitectures(), type)
}

async function findIn(folder: string, names: readonly string[] = namesInFolder): Promise<string> {
  for (const name of names) {
    const path = join(folder, name)
    if (await isFile(path)) return path
  }
  throw new WeightInitError('IO', `The folder ${showPath(folder)} holds none of ${namesInFolder.join(', ')}.`)
}

async function shardedModel(path: string, title: string, text: string): Promise<ModelFile> {
  const index = readSafetensorsIndex(text)
  const headers = new Map<string, SafetensorsHeader>()
  const files = index.files.map((file) => join(dirname(path), file))
  for (const [i, file] of index.files.entries()) headers.set(file, await headerOf(files[i]!))
  return checkpoint('safetensors', title, [path, ...files], readShardedSafetensorsModel(index, headers))
}

/** Reads a file's header alone, however large the file is. */
async function headerOf(path: string): Promise<SafetensorsHeader> {
  const file = await SafetensorsReader.open(path)
  await file.close()
  return file.header
}

function parseJson(text: string, path: string): unknown {
  try {
    return parsePythonJson(text)
  } catch (cause) {
    throw new WeightInitError('INVALID_FILE', `${showPath(path)} is not valid JSON: ${(cause as Error).message}.`, {
      cause,
    })
  }
}

async function io<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    if ((cause as Error).name === 'AbortError') throw cause
    throw new WeightInitError('IO', `Cannot read ${showPath(path)}: ${(cause as Error).message}.`, { cause })
  }
}
