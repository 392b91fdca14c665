import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { CheckReport } from '../check.js'
import { describeDistribution } from '../distributions.js'
import type { FloatDType } from '../dtype.js'
import { show, WeightInitError } from '../errors.js'
import { initializeModel } from '../initialize.js'
import type { InitializedModel } from '../initialized-model.js'
import { initializerNames } from '../initializers/registry.js'
import { readHuggingFaceConfig } from '../model/huggingface/read.js'
import type { Parameter } from '../model/types.js'
import { SafetensorsFile } from '../node/safetensors-file.js'
import { type FileShard, indexPath, shardIndex, shardPath, splitByBytes, writeShardIndex } from '../node/shards.js'
import { type InitializationPlan, type InitializerArgument, planModel } from '../plan.js'
import { reportData } from '../report/build.js'
import type { ParameterStatistics } from '../statistics/report.js'
import type { VerificationReport } from '../verify.js'
import type { Arguments, Flags } from './arguments.js'
import type { Command } from './command.js'
import {
  chooseDevice,
  type DeviceName,
  deviceFlag,
  deviceLabel,
  deviceOf,
  dtypeFlag,
  dtypeOf,
  quietFlag,
  seedFlag,
  seedOf,
  verifyFlag,
  verifyOf,
} from './flags.js'
import { ReportFile, reportFlag } from './report.js'
import { compact, formatTable, ProgressBar } from './terminal.js'
import { UsageError } from './usage.js'

/** Settings of --init NAME that may be given; an X is a number. */
const settings: Flags = {
  mode: { value: 'MODE', help: 'of --init kaiming and variance_scaling: fan_in, fan_out, fan_avg' },
  nonlinearity: { value: 'NAME', help: 'of --init kaiming: relu, leaky_relu, tanh, ...' },
  distribution: { value: 'NAME', help: 'of --init xavier, kaiming and variance_scaling: uniform, normal, ...' },
  gain: { value: 'X', help: 'of --init xavier, kaiming, orthogonal' },
  a: { value: 'X', help: 'of --init uniform and trunc_normal: the lower end; of kaiming: the negative slope' },
  b: { value: 'X', help: 'of --init uniform and trunc_normal: the upper end' },
  mean: { value: 'X', help: 'of --init normal and trunc_normal' },
  std: { value: 'X', help: 'of --init normal, trunc_normal and sparse' },
  value: { value: 'X', help: 'of --init constant' },
}

export const initCommand: Command = {
  name: 'init',
  synopsis: 'init <model> -o <weights.safetensors> [options]',
  summary: 'initialise a model, compare every element with the CPU, write a file',
  description: `Reads a Hugging Face config.json, initialises every parameter, compares each with the CPU bit by bit, and writes
a .safetensors file. The file appears under its name only when it is complete.`,
  flags: {
    output: { value: 'PATH', short: 'o', help: 'file to write (required); an older one is replaced when all is done' },
    init: { value: 'NAME', help: `recipe (the model's own, default), or ${initializerNames.join(', ')}` },
    ...settings,
    seed: seedFlag,
    dtype: dtypeFlag,
    device: deviceFlag,
    verify: verifyFlag,
    shard: {
      value: 'I/N',
      help: `make the I-th of N files, 1 <= I <= N, and the index: model-0000I-of-0000N.safetensors
and model.safetensors.index.json for -o model.safetensors. Needs --seed, the same for all.`,
    },
    report: reportFlag,
    quiet: quietFlag,
  },
  examples: [
    'webgpu-init init config.json -o weights.safetensors --seed 42',
    'webgpu-init init config.json -o weights.safetensors --init kaiming --mode fan_out --dtype bfloat16',
    'webgpu-init init config.json -o model.safetensors --seed 42 --shard 1/4',
    'webgpu-init init config.json -o weights.safetensors --report report.html',
  ],
  writes: true,
  run: (args, signal) => runInit(readInitArguments(args), signal),
}

interface InitArguments {
  readonly configPath: string
  readonly output: string
  readonly init: string
  readonly config: Record<string, unknown>
  readonly seed?: bigint
  readonly dtype?: FloatDType
  readonly device: DeviceName
  readonly verify: 'all' | number
  readonly shard?: FileShard
  readonly report?: string
  readonly quiet: boolean
}

function readInitArguments(args: Arguments): InitArguments {
  const configPath = args.operand('init', 'the path of a config.json')
  const output = args.text('output')
  if (!output) throw new UsageError('init needs -o <weights.safetensors>.')
  const config: Record<string, unknown> = {}
  for (const [name, { value }] of Object.entries(settings)) {
    if (args.has(name)) config[name] = value === 'X' ? args.number(name) : args.text(name)
  }
  const init = args.text('init') ?? 'recipe'
  if (init === 'recipe' && Object.keys(config).length > 0) {
    throw new UsageError(`--${Object.keys(config)[0]} is a setting of --init NAME; the model's own recipe takes none.`)
  }
  const seed = seedOf(args)
  const dtype = dtypeOf(args)
  const shard = shardOf(args.text('shard'))
  const report = args.text('report')
  if (report === '') throw new UsageError('--report needs a path such as report.html.')
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
    ...(seed === undefined ? {} : { seed }),
    ...(dtype === undefined ? {} : { dtype }),
    device: deviceOf(args),
    verify: verifyOf(args),
    ...(shard === undefined ? {} : { shard }),
    ...(report === undefined ? {} : { report }),
    quiet: args.has('quiet'),
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

/** Plans, opens the output, initialises, measures, verifies and writes, in this order: mistakes come before work. */
async function runInit(parsed: InitArguments, signal: AbortSignal): Promise<number> {
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
  let page: ReportFile | undefined
  let weights: InitializedModel | undefined
  try {
    page = parsed.report === undefined ? undefined : await ReportFile.create(parsed.report)
    const device = await chooseDevice(parsed.device)
    const { totals, seed } = plan
    process.stdout.write(
      `${architecture}: ${totals.parameterCount} parameters, ${totals.elementCount.toLocaleString('en')} elements, ` +
        `${compact(totals.byteLength)}B; seed ${seed}; on ${deviceLabel(device)}\n`,
    )
    const bar = new ProgressBar([['initialise', 'B', totals.byteLength]])
    const started = performance.now()
    weights = await initializeModel(model, initializer, parsed.config, {
      ...part,
      seed,
      device,
      signal,
      onProgress: ({ bytesDone }) => bar.update('initialise', bytesDone),
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
    const checked = page === undefined ? undefined : await weights.check({ signal })
    if (checked !== undefined) process.stdout.write(`${checkLine(checked)}\n`)
    await page?.write(
      reportData({
        title: `${basename(parsed.configPath)}, ${architecture}`,
        madeBy: 'webgpu-init init',
        facts: [
          ['model', `${architecture}, ${totals.parameterCount} parameters`],
          ['elements', `${totals.elementCount.toLocaleString('en')}, ${compact(totals.byteLength)}B`],
          [
            'initializer',
            parsed.init === 'recipe' ? "the model's recipe" : `${parsed.init} ${JSON.stringify(parsed.config)}`,
          ],
          ['seed', String(seed)],
          ['generator', plan.generator],
          ['device', deviceLabel(device)],
          ['false-alarm rate', `${checked!.falseAlarmRate} over ${checked!.testCount} tests`],
        ],
        plan,
        statistics: new Map(checked!.parameters.map((p) => [p.name, p.statistics])),
        verification: report,
        check: checked,
        signalNote:
          'Not measured: a config.json lists parameters, not what is computed with them. For a model of layers (sequential) ' +
          'propagateSignal measures it.',
      }),
    )
    if (page !== undefined) process.stdout.write(`Wrote ${page.path}\n`)
    if (report?.ok === false || checked?.ok === false) return 1
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
    await page?.discard()
  }
}

async function verifyWithBar(
  weights: InitializedModel,
  elements: 'all' | number,
  signal: AbortSignal,
): Promise<VerificationReport> {
  const { elementCount } = weights.plan.totals
  const total = elements === 'all' ? elementCount : Math.min(elements, elementCount)
  const bar = new ProgressBar([['verify', 'elements', total]])
  const report = await weights.verify({
    elements,
    signal,
    onProgress: ({ elementsDone }) => bar.update('verify', elementsDone),
  })
  bar.clear()
  return report
}

async function writeWithBar(file: SafetensorsFile, weights: InitializedModel, signal: AbortSignal): Promise<void> {
  const bar = new ProgressBar([['write', 'B', weights.plan.totals.byteLength]])
  await file.write(
    weights,
    { format: 'pt', 'webgpu-init': JSON.stringify(weights.manifest()) },
    { signal, onProgress: (done) => bar.update('write', done) },
  )
  bar.clear()
}

function checkLine({ ok, testCount, falseAlarmRate, failures }: CheckReport): string {
  if (ok)
    return `Statistics: all ${testCount.toLocaleString('en')} tests pass at a false-alarm rate of ${falseAlarmRate} in all.`
  const [first] = failures
  const where = first === undefined ? '' : ` ${first.parameters.slice(0, 3).map(show).join(', ')}: ${first.message}`
  return `Statistics FAILED: ${failures.length} of ${testCount} tests;${where}. Nothing was written but the report.`
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
