import { basename } from 'node:path'
import type { CheckReport } from '../check.js'
import { describeDistribution } from '../distributions.js'
import { show } from '../errors.js'
import { checkpointFormats } from '../node/create-writer.js'
import { FileJob, type FileReport } from '../node/initialize-file.js'
import type { FileShard } from '../node/shards.js'
import { reportData } from '../report/build.js'
import type { VerificationReport } from '../verify.js'
import type { Arguments } from './arguments.js'
import type { Command } from './command.js'
import { bytesOf, chooseDevice, deviceFlag, deviceLabel, deviceOf, quietFlag, verifyFlag, verifyOf } from './flags.js'
import { modelFlags, modelKinds, readModel, readModelFlags } from './model.js'
import { ReportFile, reportFlag } from './report.js'
import { compact, formatTable, ProgressBar, paint } from './terminal.js'
import { UsageError } from './usage.js'

export const initCommand: Command = {
  name: 'init',
  synopsis: 'init <model> -o <weights.safetensors> [options]',
  summary: 'initialise a model, compare every element with the CPU, write it',
  description:
    `Initialises every parameter of a model, compares each with the CPU bit by bit, and writes a file, which appears under ` +
    `its name only when it is complete. The model is ${modelKinds}. With --from it is a trained checkpoint that gets new ` +
    `weights for some parameters (--only, --skip) and keeps the others byte for byte; <model> may then be left out.`,
  flags: {
    output: {
      value: 'PATH',
      short: 'o',
      help: 'what to write (required); an older file is replaced when all is done. With --format npy a folder',
    },
    ...modelFlags,
    from: {
      value: 'PATH',
      help: 'a .safetensors file or model.safetensors.index.json from which all other tensors are copied',
    },
    format: {
      value: 'F',
      help:
        'safetensors (default); npy: a folder with one .npy per parameter and index.json; raw: bare little-endian tensors ' +
        'at multiples of 256 bytes, and PATH.json',
    },
    'max-shard-bytes': {
      value: 'BYTES',
      help:
        'files of at most so many bytes, such as 5GB: model-00001-of-00002.safetensors, ... and ' +
        'model.safetensors.index.json for -o model.safetensors',
    },
    shard: {
      value: 'I/N',
      help: 'make the I-th of N files, 1 <= I <= N, and the index, as one of N processes. Needs --seed, the same for all',
    },
    device: deviceFlag,
    memory: {
      value: 'BYTES',
      help: 'weights on the device at a time, default 1GiB: a larger model is made, compared and written in parts',
    },
    verify: verifyFlag,
    report: reportFlag,
    quiet: quietFlag,
  },
  examples: [
    'webgpu-init init config.json -o weights.safetensors --seed 42',
    'webgpu-init init config.json -o weights.safetensors --init kaiming --mode fan_out --dtype bfloat16',
    'webgpu-init init config.json -o weights.safetensors --report report.html',
    'webgpu-init init config.json -o model.safetensors --seed 42 --max-shard-bytes 5GB',
    "webgpu-init init --from base.safetensors --only 'classifier.*' -o tuned.safetensors",
  ],
  writes: true,
  run: runInit,
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

function readOutputFlags(args: Arguments) {
  const output = args.text('output')
  if (!output) throw new UsageError('init needs -o <weights.safetensors>.')
  const format = args.choice('format', checkpointFormats) ?? 'safetensors'
  const fileShard = shardOf(args.text('shard'))
  const maxShardBytes = bytesOf(args, 'max-shard-bytes')
  const maxDeviceBytes = bytesOf(args, 'memory')
  args.exclusive('shard', 'max-shard-bytes')
  // The tests of a report are about the whole model at once.
  args.exclusive('report', 'memory')
  const report = args.text('report')
  if (report === '') throw new UsageError('--report needs a path such as report.html.')
  if (fileShard !== undefined && !args.has('seed')) {
    throw new UsageError(
      '--shard needs --seed: every process would draw a seed of its own, and the shards would not fit together.',
    )
  }
  if (format !== 'safetensors' && (fileShard ?? maxShardBytes) !== undefined) {
    throw new UsageError(`Files in several shards are for --format safetensors, not ${format}.`)
  }
  const options = {
    format,
    ...(fileShard === undefined ? {} : { fileShard }),
    ...(maxShardBytes === undefined ? {} : { maxShardBytes }),
    ...(report !== undefined
      ? { maxDeviceBytes: Number.MAX_SAFE_INTEGER }
      : maxDeviceBytes === undefined
        ? {}
        : { maxDeviceBytes }),
  }
  return { output, options, report }
}

/** Plans, opens the output, initialises, measures, verifies and writes, in this order: mistakes come before work. */
async function runInit(args: Arguments, signal: AbortSignal): Promise<number> {
  const from = args.text('from')
  const path =
    from !== undefined && args.positionals.length === 0
      ? from
      : args.operand('init', 'the path of a model, such as a config.json')
  const flags = readModelFlags(args)
  const { output, options, report: reportPath } = readOutputFlags(args)
  const [device, verify, quiet] = [deviceOf(args), verifyOf(args), args.has('quiet')]
  if (from !== undefined && !args.has('only') && !args.has('skip')) {
    throw new UsageError('--from needs --only or --skip: without them nothing would be kept of the checkpoint.')
  }
  const { label, model, initializer, config, options: modelOptions } = await readModel(path, flags)
  let bar: ProgressBar | undefined
  let page: ReportFile | undefined
  let checked: CheckReport | undefined
  const job = await FileJob.prepare(output, model, initializer, config, {
    ...modelOptions,
    ...options,
    ...(from === undefined ? {} : { from }),
    verify,
    signal,
    onWeights: async (weights) => {
      if (reportPath === undefined) return true
      checked = await weights.check({ signal })
      return checked.ok
    },
    onProgress: ({ phase, bytesDone }) => bar?.update(phase, bytesDone),
  })
  try {
    page = reportPath === undefined ? undefined : await ReportFile.create(reportPath)
    const gpu = await chooseDevice(device)
    const { totals, plan, copied } = job
    const copiedBytes = copied.reduce((sum, { byteLength }) => sum + byteLength, 0)
    process.stdout.write(
      `${label}: ${totals.parameterCount} parameters, ${totals.elementCount.toLocaleString('en')} elements, ` +
        `${compact(totals.byteLength)}B; seed ${plan.seed}; on ${deviceLabel(gpu)}\n`,
    )
    if (from !== undefined) {
      process.stdout.write(`${copied.length} other tensors, ${compact(copiedBytes)}B, copied from ${from}\n`)
    }
    bar = new ProgressBar([
      ['initialise', 'B', totals.byteLength],
      ...(verify === 0 ? [] : ([['verify', 'B', totals.byteLength]] as const)),
      ['write', 'B', totals.byteLength + copiedBytes],
    ])
    const report = await job.run(gpu)
    bar.clear()
    if (!quiet) process.stdout.write(`\n${parameterTable(report)}\n\n`)
    const seconds = report.initializeSeconds
    process.stdout.write(
      `Initialised in ${seconds.toFixed(2)} s: ${compact(totals.elementCount / seconds)}elements/s, ${compact(totals.byteLength / seconds)}B/s (first call, compiling included).\n`,
    )
    if (report.verification !== undefined) process.stdout.write(`${parityLine(report.verification)}\n`)
    if (checked !== undefined) process.stdout.write(`${checkLine(checked)}\n`)
    if (page !== undefined && checked !== undefined) {
      await page.write(
        reportData({
          title: `${basename(path)}, ${label}`,
          madeBy: 'webgpu-init init',
          facts: [
            ['model', `${label}, ${totals.parameterCount} parameters`],
            ['elements', `${totals.elementCount.toLocaleString('en')}, ${compact(totals.byteLength)}B`],
            ['initializer', flags.init === 'recipe' ? "the model's recipe" : `${flags.init} ${JSON.stringify(config)}`],
            ['seed', String(plan.seed)],
            ['generator', plan.generator],
            ['device', deviceLabel(gpu)],
            ['false-alarm rate', `${checked.falseAlarmRate} over ${checked.testCount} tests`],
          ],
          plan: job.ownPlan,
          statistics: new Map(checked.parameters.map((p) => [p.name, p.statistics])),
          verification: report.verification,
          check: checked,
          signalNote:
            'Not measured: a file lists parameters, not what is computed with them. For a model of layers (sequential) ' +
            'propagateSignal measures it.',
        }),
      )
      process.stdout.write(`Wrote ${page.path}\n`)
    }
    for (const file of report.files) process.stdout.write(`Wrote ${file}\n`)
    return report.files.length > 0 ? 0 : 1
  } finally {
    bar?.clear()
    await job.discard()
    await page?.discard()
  }
}

function checkLine({ ok, testCount, falseAlarmRate, failures }: CheckReport): string {
  if (ok)
    return `Statistics: all ${testCount.toLocaleString('en')} tests pass at a false-alarm rate of ${falseAlarmRate} in all.`
  const [first] = failures
  const where = first === undefined ? '' : ` ${first.parameters.slice(0, 3).map(show).join(', ')}: ${first.message}`
  return paint(
    `Statistics FAILED: ${failures.length} of ${testCount} tests;${where}. Nothing was written but the report.`,
    'red',
  )
}

function parityLine({ ok, comparedCount, elementCount, mismatchCount, complete }: VerificationReport): string {
  const compared = complete
    ? `all ${elementCount.toLocaleString('en')}`
    : `${comparedCount.toLocaleString('en')} of ${elementCount.toLocaleString('en')}`
  return ok
    ? `Parity: 0 of ${compared} elements differ from the CPU in any bit.`
    : paint(
        `Parity FAILED: ${mismatchCount.toLocaleString('en')} of ${compared} elements differ from the CPU; nothing was written.`,
        'red',
      )
}

function parameterTable({ plan, statistics, verification }: FileReport): string {
  const parity = new Map(verification?.parameters.map((p) => [p.name, p]))
  const rows = plan.parameters
    .filter(({ name }) => statistics.has(name))
    .map((p) => {
      const verified = parity.get(p.name)
      return [
        p.name,
        p.shape.join(' x ') || 'scalar',
        describeDistribution(p.distribution),
        p.expected.std.toPrecision(5),
        statistics.get(p.name)!.std.toPrecision(5),
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
