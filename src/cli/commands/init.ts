import { basename } from 'node:path'
import { show, showPath, WeightInitError } from '../../core/errors.js'
import { visible } from '../../core/visible.js'
import { FileJob } from '../../node/initialize-file.js'
import { refuseSharedPaths } from '../../node/paths.js'
import { checkpointFormats } from '../../node/writers/create-writer.js'
import type { FileShard } from '../../node/writers/shards.js'
import { type PlanFinding, planEveryParameter } from '../../plan/lint.js'
import type { SignalReport } from '../../signal/types.js'
import { propagateSignal } from '../../weights/propagate-signal.js'
import type { Arguments } from '../arguments.js'
import type { Command } from '../command.js'
import {
  bytesOf,
  chooseDevice,
  deviceFlag,
  deviceLabel,
  deviceOf,
  jsonFlag,
  quietFlag,
  verifyFlag,
  verifyOf,
} from '../flags.js'
import { findingsOf, modelFlags, modelKinds, readModel, readModelFlags } from '../model.js'
import { compact, ProgressBar } from '../terminal.js'
import { UsageError } from '../usage.js'
import { type InitOutcome, initJson, initPage, initText } from './init-output.js'
import { roundedLines } from './plan.js'
import { ReportFile, reportFlag } from './report.js'
import { planSignal, type SignalRequest, signalPasses } from './signal.js'

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
      help: 'the file to write (required), or the folder for --format npy; an existing one is replaced at the end',
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
        'files with at most this many bytes, such as 5GB: model-00001-of-00002.safetensors, ... and ' +
        'model.safetensors.index.json for -o model.safetensors',
    },
    shard: {
      value: 'I/N',
      help: 'make the I-th of N files, 1 <= I <= N, and the index, as one of N processes. Needs --seed, the same for all',
    },
    force: {
      help: 'also replace existing files of another kind, which are refused otherwise',
    },
    device: deviceFlag,
    memory: {
      value: 'BYTES',
      help: 'the largest size of the weights on the device, default 1GiB; a larger model is made and written in parts',
    },
    verify: verifyFlag,
    report: reportFlag,
    json: jsonFlag,
    quiet: quietFlag,
  },
  examples: [
    'webgpu-init init config.json -o weights.safetensors --seed 42',
    'webgpu-init init config.json -o weights.safetensors --init kaiming --mode fan_out --dtype bfloat16',
    'webgpu-init init config.json -o weights.safetensors --report report.html',
    'webgpu-init init config.json -o model.safetensors --seed 42 --max-shard-bytes 5GB',
    'webgpu-init init recording.json -o weights.safetensors --seed 0 --generator torch-cpu',
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
  // The tests of a report need the whole model at once.
  args.exclusive('report', 'memory')
  const report = args.text('report')
  if (report === '') throw new UsageError('--report needs a path such as report.html.')
  if (fileShard !== undefined && !args.has('seed')) {
    throw new UsageError(
      '--shard needs --seed: without it, every process would draw a seed of its own, and the shards would not match.',
    )
  }
  if (format !== 'safetensors' && (fileShard ?? maxShardBytes) !== undefined) {
    throw new UsageError(`Files in several shards are for --format safetensors, not ${format}.`)
  }
  const options = {
    format,
    ...(fileShard === undefined ? {} : { fileShard }),
    ...(maxShardBytes === undefined ? {} : { maxShardBytes }),
    ...(maxDeviceBytes === undefined ? {} : { maxDeviceBytes }),
    force: args.has('force'),
  }
  return { output, options, report }
}

/** Every parameter that no rule initialises, or with --strict is only guessed, in one message. */
function refuseUnknown(findings: readonly PlanFinding[]): void {
  const errors = findings.filter(({ severity }) => severity === 'error')
  if (errors.length === 0) return
  const listed = errors.slice(0, 8).map(({ parameter, message }) => `\n  ${show(parameter)}: ${message}`)
  const more = errors.length > listed.length ? `\n  and ${errors.length - listed.length} more` : ''
  throw new WeightInitError(
    'UNMATCHED_PARAMETER',
    `Parameters without a known initial value: ${errors.length}. Give them a role or rules in model JSON, leave them out with ` +
      `--skip, or choose another --init.${listed.join('')}${more}`,
  )
}

/** Plans, opens the output, initialises, measures, verifies and writes, in this order. Mistakes are found before any work. */
async function runInit(args: Arguments, signal: AbortSignal): Promise<number> {
  const from = args.text('from')
  const path =
    from !== undefined && args.positionals.length === 0
      ? from
      : args.operand('init', 'the path of a model, such as a config.json')
  const flags = readModelFlags(args)
  const { output, options, report: reportPath } = readOutputFlags(args)
  const [device, verify, quiet, json] = [deviceOf(args), verifyOf(args), args.has('quiet'), args.has('json')]
  args.exclusive('json', 'quiet')
  if (from !== undefined && !args.has('only') && !args.has('skip')) {
    throw new UsageError(
      '--from needs --only or --skip: without them every tensor of the checkpoint would be replaced.',
    )
  }
  const { init } = flags
  const request = await readModel(path, flags, signal)
  const { label, model, initializer, config, options: modelOptions, signal: signalOptions } = request
  const planned = planEveryParameter(model, initializer, config, modelOptions)
  const guesses = findingsOf(request, planned, args).filter(
    ({ code }) => code === 'unmatched' || code === 'role-guessed',
  )
  refuseUnknown(guesses)
  const read = request.files.map((file) => ({ path: file, what: 'the model' }))
  if (reportPath !== undefined) {
    const base = from === undefined ? [] : [{ path: from, what: 'the checkpoint' }]
    await refuseSharedPaths([{ path: reportPath, what: '--report' }], [...read, ...base])
  }
  let bar: ProgressBar | undefined
  let page: ReportFile | undefined
  let signalReport: SignalReport | undefined
  let signalRequest: SignalRequest | undefined
  const job = await FileJob.prepare(output, model, initializer, config, {
    ...modelOptions,
    ...options,
    ...(from === undefined ? {} : { from }),
    verify,
    signal,
    check: reportPath !== undefined,
    otherPaths: [...read, ...(reportPath === undefined ? [] : [{ path: reportPath, what: '--report' }])],
    onWeights: async (weights) => {
      if (signalRequest?.options === undefined) return
      signalReport = await propagateSignal(model, weights, { ...signalRequest.options, signal })
    },
    onProgress: ({ phase, bytesDone }) => bar?.update(phase, bytesDone),
  })
  try {
    if (reportPath !== undefined) {
      signalRequest = planSignal(model, signalOptions, job.ownPlan)
      page = await ReportFile.create(reportPath, options.force)
    }
    const gpu = await chooseDevice(device)
    const { totals, plan, copied } = job
    const copiedBytes = copied.reduce((sum, { byteLength }) => sum + byteLength, 0)
    const print = (text: string): unknown => json || process.stdout.write(`${text}\n`)
    print(
      `${visible(label)}: ${totals.parameterCount} parameters, ${totals.elementCount.toLocaleString('en')} elements, ` +
        `${compact(totals.byteLength)}B; seed ${plan.seed}; on ${deviceLabel(gpu)}`,
    )
    if (from !== undefined)
      print(`${copied.length} other tensors, ${compact(copiedBytes)}B, copied from ${showPath(from)}`)
    const kept = new Set(copied.map(({ name }) => name))
    for (const { name, reason } of request.omitted) {
      if (!kept.has(name)) print(`Not in the file: ${visible(`${name}: ${reason}`)}`)
    }
    for (const line of roundedLines(request.rounded)) print(line)
    bar = new ProgressBar([
      ['initialise', 'B', totals.byteLength],
      ...(verify === 0 ? [] : ([['verify', 'B', totals.byteLength]] as const)),
      ['write', 'B', totals.byteLength + copiedBytes],
    ])
    const report = await job.run(gpu)
    bar.clear()
    const outcome: InitOutcome = {
      title: basename(path),
      label,
      rule: init === 'recipe' ? "the model's recipe" : `${init} ${JSON.stringify(config)}`,
      device: deviceLabel(gpu),
      ownPlan: job.ownPlan,
      report,
      signal: signalReport,
      signalNote: signalRequest?.note,
      guesses,
    }
    await page?.write(initPage(outcome))
    const ok = report.files.length > 0 && signalPasses(signalReport)
    print(initText(outcome, quiet))
    for (const file of [...(page === undefined ? [] : [page.path]), ...report.files]) print(`Wrote ${visible(file)}`)
    if (json) process.stdout.write(`${JSON.stringify({ ok, ...initJson(outcome) }, null, 2)}\n`)
    return ok ? 0 : 1
  } finally {
    bar?.clear()
    await job.discard()
    await page?.discard()
  }
}
