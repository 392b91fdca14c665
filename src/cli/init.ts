import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { describeDistribution } from '../distributions.js'
import { type FloatDType, floatDTypes } from '../dtype.js'
import { show, WeightInitError } from '../errors.js'
import { initializeModel } from '../initialize.js'
import type { InitializedModel } from '../initialized-model.js'
import { initializerNames } from '../initializers/registry.js'
import { readHuggingFaceConfig } from '../model/huggingface/read.js'
import type { Parameter } from '../model/types.js'
import { requestNodeDevice } from '../node/device.js'
import { SafetensorsFile } from '../node/safetensors-file.js'
import { type FileShard, indexPath, shardIndex, shardPath, splitByBytes, writeShardIndex } from '../node/shards.js'
import { type InitializationPlan, type InitializerArgument, planModel } from '../plan.js'
import type { ParameterStatistics } from '../statistics/report.js'
import type { VerificationReport } from '../verify.js'
import { compact, formatTable, ProgressBar } from './terminal.js'
import { UsageError } from './usage.js'

export const initHelp: string = `webgpu-init init <config.json> -o <weights.safetensors> [options]

Reads a Hugging Face config.json (model_type gpt2), initialises every parameter, compares each with the CPU bit by bit,
and writes a .safetensors file.

Options
  -o, --output PATH      file to write (required); it appears under this name only when complete
  --init NAME            recipe (the model's own, default), or ${initializerNames.join(', ')}
  --mode, --nonlinearity, --distribution, --gain, --a, --b, --mean, --std, --value
                         settings of --init NAME
  --seed N               any integer; drawn at random and printed when absent
  --dtype T              ${floatDTypes.join(', ')}; default: the config's torch_dtype, else float32
  --device D             auto (default: the GPU, else the CPU), gpu, cpu
  --verify V             all (default), or a number: compare at most so many elements; 0: none
  --shard I/N            make the I-th of N files, 1 <= I <= N, and the index: model-0000I-of-0000N.safetensors and
                         model.safetensors.index.json for -o model.safetensors. Needs --seed, the same for all.
  --quiet                no table

Examples
  webgpu-init init config.json -o weights.safetensors --seed 42
  webgpu-init init config.json -o weights.safetensors --init kaiming --mode fan_out --dtype bfloat16
  webgpu-init init config.json -o model.safetensors --seed 42 --shard 1/4
`

const settings = {
  mode: 'text',
  nonlinearity: 'text',
  distribution: 'text',
  gain: 'number',
  a: 'number',
  b: 'number',
  mean: 'number',
  std: 'number',
  value: 'number',
} as const

interface InitArguments {
  readonly configPath: string
  readonly output: string
  readonly init: string
  readonly config: Record<string, unknown>
  readonly seed?: bigint
  readonly dtype?: FloatDType
  readonly device: 'auto' | 'gpu' | 'cpu'
  readonly verify: 'all' | number
  readonly shard?: FileShard
  readonly quiet: boolean
}

function parseInitArguments(args: readonly string[]): InitArguments {
  const text = { type: 'string' } as const
  let parsed: { values: Record<string, string | boolean | undefined>; positionals: string[] }
  try {
    parsed = parseArgs({
      args: joinNegativeValues(args),
      allowPositionals: true,
      options: {
        output: { ...text, short: 'o' },
        init: text,
        seed: text,
        dtype: text,
        device: text,
        verify: text,
        shard: text,
        quiet: { type: 'boolean' },
        ...Object.fromEntries(Object.keys(settings).map((name) => [name, text])),
      },
    }) as typeof parsed
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
  const { values, positionals } = parsed
  const string = (name: string): string | undefined => values[name] as string | undefined
  const [configPath, ...surplus] = positionals
  if (configPath === undefined) throw new UsageError('init needs the path of a config.json.')
  if (surplus.length > 0) throw new UsageError(`init takes one config.json; what is ${show(surplus[0])}?`)
  const output = string('output')
  if (!output) throw new UsageError('init needs -o <weights.safetensors>.')
  const config: Record<string, unknown> = {}
  for (const [name, type] of Object.entries(settings)) {
    const value = string(name)
    if (value !== undefined) config[name] = type === 'number' ? numberOf(value, `--${name}`) : value
  }
  const init = string('init') ?? 'recipe'
  if (init === 'recipe' && Object.keys(config).length > 0) {
    throw new UsageError(`--${Object.keys(config)[0]} is a setting of --init NAME; the model's own recipe takes none.`)
  }
  const seed = string('seed')
  if (seed !== undefined && !/^-?\d+$/.test(seed))
    throw new UsageError(`--seed must be an integer, but found ${show(seed)}.`)
  const dtype = string('dtype')
  if (dtype !== undefined && !(floatDTypes as readonly string[]).includes(dtype)) {
    throw new UsageError(`--dtype must be one of ${floatDTypes.join(', ')}, but found ${show(dtype)}.`)
  }
  const device = string('device') ?? 'auto'
  if (device !== 'auto' && device !== 'gpu' && device !== 'cpu') {
    throw new UsageError(`--device must be auto, gpu or cpu, but found ${show(device)}.`)
  }
  const verify = verifyOf(string('verify') ?? 'all')
  const shard = shardOf(string('shard'))
  if (shard !== undefined && seed === undefined) {
    throw new UsageError(
      '--shard needs --seed: every process would draw a seed of its own, and the shards would not fit together.',
    )
  }
  return {
    configPath,
    output,
    init,
    config,
    ...(seed === undefined ? {} : { seed: BigInt(seed) }),
    ...(dtype === undefined ? {} : { dtype: dtype as FloatDType }),
    device,
    verify,
    ...(shard === undefined ? {} : { shard }),
    quiet: values.quiet === true,
  }
}

function shardOf(text: string | undefined): FileShard | undefined {
  if (text === undefined) return undefined
  const [, index, count] = /^(\d{1,5})\/(\d{1,5})$/.exec(text) ?? []
  const shard = { index: Number(index), count: Number(count) }
  if (!(shard.index >= 1 && shard.index <= shard.count)) {
    throw new UsageError(`--shard must be I/N with 1 <= I <= N <= 99999, such as 1/4, but found ${show(text)}.`)
  }
  return shard
}

/** `--a -0.5` as `--a=-0.5`: parseArgs takes a value that begins with a dash for an option. */
function joinNegativeValues(args: readonly string[]): string[] {
  const out: string[] = []
  for (const arg of args) {
    const before = out.at(-1)
    if (/^-\.?\d/.test(arg) && before?.startsWith('--') && !before.includes('='))
      out[out.length - 1] = `${before}=${arg}`
    else out.push(arg)
  }
  return out
}

function verifyOf(text: string): 'all' | number {
  if (text === 'all') return 'all'
  const value = numberOf(text, '--verify')
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new UsageError(`--verify must be all or an integer >= 0, but found ${show(text)}.`)
}

function numberOf(text: string, flag: string): number {
  const value = Number(text)
  if (text.trim() === '' || Number.isNaN(value))
    throw new UsageError(`${flag} must be a number, but found ${show(text)}.`)
  return value
}

async function readConfig(path: string): Promise<unknown> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new WeightInitError('IO', `Cannot read ${show(path)}: ${(cause as Error).message}.`, { cause })
  }
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new WeightInitError('INVALID_FILE', `${show(path)} is not valid JSON: ${(cause as Error).message}.`, {
      cause,
    })
  }
}

async function chooseDevice(wanted: InitArguments['device']): Promise<GPUDevice | 'cpu'> {
  if (wanted === 'cpu') return 'cpu'
  try {
    return await requestNodeDevice()
  } catch (error) {
    if (wanted === 'auto' && error instanceof WeightInitError && error.code === 'NO_ADAPTER') {
      process.stderr.write(`${error.message}\nUsing the CPU.\n`)
      return 'cpu'
    }
    throw error
  }
}

/** Plans, opens the output, initialises, measures, verifies and writes, in this order: mistakes come before work. */
export async function initCommand(args: readonly string[], signal: AbortSignal): Promise<number> {
  const parsed = parseInitArguments(args)
  const { architecture, model, recipe } = readHuggingFaceConfig(await readConfig(parsed.configPath))
  const initializer: InitializerArgument = parsed.init === 'recipe' ? recipe : parsed.init
  const shared = {
    ...(parsed.seed === undefined ? {} : { seed: parsed.seed }),
    ...(parsed.dtype === undefined ? {} : { dtype: parsed.dtype }),
  }
  const whole = planModel(model, initializer, parsed.config, shared)
  const files = parsed.shard === undefined ? undefined : splitByBytes(whole, parsed.shard.count)
  const mine = new Set(files?.[parsed.shard!.index - 1])
  const part = files === undefined ? shared : { ...shared, skip: ({ name }: Parameter) => !mine.has(name) }
  const plan = files === undefined ? whole : planModel(model, initializer, parsed.config, part)
  const output = parsed.shard === undefined ? parsed.output : shardPath(parsed.output, parsed.shard)
  const file = await SafetensorsFile.create(output)
  let weights: InitializedModel | undefined
  try {
    const device = await chooseDevice(parsed.device)
    const adapter = device === 'cpu' ? 'CPU' : device.adapterInfo.description || device.adapterInfo.device || 'GPU'
    const { totals, seed } = plan
    process.stdout.write(
      `${architecture}: ${totals.parameterCount} parameters, ${totals.elementCount.toLocaleString('en')} elements, ` +
        `${compact(totals.byteLength)}B; seed ${seed}; ${device === 'cpu' ? 'on the CPU' : `on ${adapter}`}\n`,
    )
    const bar = new ProgressBar('initialise')
    const started = performance.now()
    weights = await initializeModel(model, initializer, parsed.config, {
      ...part,
      seed,
      device,
      signal,
      onProgress: ({ bytesDone, bytesTotal }) => bar.update(bytesDone, bytesTotal, 'B'),
    })
    const seconds = (performance.now() - started) / 1000
    bar.clear()
    const statistics = await weights.statistics()
    const report = parsed.verify === 0 ? undefined : await verifyWithBar(weights, parsed.verify, signal)
    if (!parsed.quiet) process.stdout.write(`\n${parameterTable(plan, statistics, report)}\n\n`)
    process.stdout.write(
      `Initialised in ${seconds.toFixed(2)} s: ${compact(totals.elementCount / seconds)}elements/s, ${compact(totals.byteLength / seconds)}B/s (first call, compiling included).\n`,
    )
    if (report !== undefined) process.stdout.write(`${parityLine(report)}\n`)
    if (report?.ok === false) return 1
    await writeWithBar(file, weights, signal)
    process.stdout.write(`Wrote ${output}\n`)
    if (files !== undefined) {
      await writeShardIndex(parsed.output, shardIndex(parsed.output, whole, files))
      process.stdout.write(`Wrote ${indexPath(parsed.output)}\n`)
    }
    return 0
  } finally {
    weights?.destroy()
    await file.discard()
  }
}

async function verifyWithBar(
  weights: InitializedModel,
  elements: 'all' | number,
  signal: AbortSignal,
): Promise<VerificationReport> {
  const bar = new ProgressBar('verify')
  const report = await weights.verify({
    elements,
    signal,
    onProgress: ({ elementsDone, elementsTotal }) => bar.update(elementsDone, elementsTotal, 'elements'),
  })
  bar.clear()
  return report
}

async function writeWithBar(file: SafetensorsFile, weights: InitializedModel, signal: AbortSignal): Promise<void> {
  const bar = new ProgressBar('write')
  await file.write(
    weights,
    { format: 'pt', 'webgpu-init': JSON.stringify(weights.manifest()) },
    { signal, onProgress: (done, total) => bar.update(done, total, 'B') },
  )
  bar.clear()
}

function parityLine({ ok, comparedCount, elementCount, mismatchCount, complete }: VerificationReport): string {
  const compared = complete
    ? `all ${elementCount.toLocaleString('en')}`
    : `${comparedCount.toLocaleString('en')} of ${elementCount.toLocaleString('en')}`
  return ok
    ? `Parity: 0 of ${compared} elements differ from the CPU in any bit.`
    : `Parity FAILED: ${mismatchCount.toLocaleString('en')} of ${compared} elements differ from the CPU; nothing was written.`
}

function parameterTable(
  plan: InitializationPlan,
  statistics: ReadonlyMap<string, ParameterStatistics>,
  report: VerificationReport | undefined,
): string {
  const parity = new Map(report?.parameters.map((p) => [p.name, p]))
  const rows = plan.parameters
    .filter(({ action }) => action === 'initialize')
    .map((p) => {
      const measured = statistics.get(p.name)
      const verified = parity.get(p.name)
      return [
        p.name,
        p.shape.join(' x ') || 'scalar',
        describeDistribution(p.distribution),
        p.expected.std.toPrecision(5),
        measured === undefined ? '' : measured.std.toPrecision(5),
        verified === undefined
          ? 'not compared'
          : verified.orthogonalityDefect !== undefined
            ? `|QtQ - I| ${verified.orthogonalityDefect.toExponential(1)}`
            : verified.mismatchCount === 0
              ? 'equal'
              : `${verified.mismatchCount} differ`,
      ]
    })
  return formatTable(['parameter', 'shape', 'rule', 'expected std', 'measured std', 'GPU = CPU'], rows, new Set([3, 4]))
}
