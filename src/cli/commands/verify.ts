import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { show, showPath, WeightInitError } from '../../core/errors.js'
import { visible } from '../../core/visible.js'
import { describeDistribution } from '../../distributions/registry.js'
import { enableTorchPrograms } from '../../generators/torch/program/engine.js'
import type { InitializationPlan } from '../../ir/plan.js'
import { CheckpointReader } from '../../node/checkpoint-reader.js'
import { type ModelFile, readModelFile } from '../../node/model-file.js'
import { refuseSharedPaths } from '../../node/paths.js'
import { type CheckpointVerification, verifyCheckpoint } from '../../node/verify-checkpoint.js'
import { assemblePlan } from '../../plan/assemble.js'
import { planFromManifest } from '../../plan/manifest/read.js'
import { reportData } from '../../report/build.js'
import { parityCell, paritySentence } from '../../report/parity.js'
import type { ReportData } from '../../report/types.js'
import type { Arguments } from '../arguments.js'
import type { Command } from '../command.js'
import { chooseDevice, deviceFlag, deviceLabel, deviceOf, jsonFlag, quietFlag } from '../flags.js'
import { compact, formatTable, ProgressBar } from '../terminal.js'
import { UsageError } from '../usage.js'
import { ReportFile, reportFlag } from './report.js'
import { measuredNote, noLayersNote, planSignal, signalText } from './signal.js'

export const verifyCommand: Command = {
  name: 'verify',
  synopsis: 'verify <weights> [options]',
  summary: 'compare a checkpoint with its manifest bit by bit, and test it against the distributions',
  description: `Reads what init wrote (.safetensors, its shards' index, raw, a folder), makes the weights of its manifest again, compares every element bit by bit
(those of orthogonal matrices with the CPU's, within a bound), and tests what the file holds against the distributions: moments, bins, extremes, correlations, copies; with --model also how activations and
gradients pass through the layers. Exit code 1 where anything fails.`,
  flags: {
    manifest: { value: 'PATH', help: "manifest.json; default: the one in the file's own metadata" },
    model: {
      value: 'PATH',
      help: 'the model of the weights, as model JSON with layers: also measure how a signal passes through it',
    },
    device: deviceFlag,
    'false-alarm-rate': {
      value: 'P',
      help: 'probability that valid weights fail any of the tests; default 1e-6',
    },
    report: reportFlag,
    force: { help: 'allow --report to replace a file that is not a report' },
    json: jsonFlag,
    quiet: quietFlag,
  },
  examples: [
    'webgpu-init verify weights.safetensors',
    'webgpu-init verify weights.safetensors --manifest manifest.json --json',
    'webgpu-init verify weights.safetensors --report report.html',
    'webgpu-init verify weights.safetensors --model mlp.json --report report.html',
  ],
  run: runVerify,
}

async function runVerify(args: Arguments, signal: AbortSignal): Promise<number> {
  const path = args.operand('verify', 'the path of weights that init wrote')
  args.exclusive('json', 'quiet')
  const falseAlarmRate = args.number('false-alarm-rate') ?? 1e-6
  if (!(falseAlarmRate > 0 && falseAlarmRate < 1)) {
    throw new UsageError(`--false-alarm-rate must lie in (0, 1), but found ${falseAlarmRate}.`)
  }
  const reportPath = args.text('report')
  if (reportPath === '') throw new UsageError('--report needs a path such as report.html.')
  const modelPath = args.text('model')
  const model = modelPath === undefined ? undefined : await readLayeredModel(modelPath)
  const checkpoint = await CheckpointReader.open(path)
  let page: ReportFile | undefined
  try {
    if (reportPath !== undefined) {
      const read: (readonly [string | undefined, string])[] = [
        [path, 'the weights'],
        [modelPath, '--model'],
        [args.text('manifest'), '--manifest'],
      ]
      const inputs = read.flatMap(([file, what]) => (file === undefined ? [] : [{ path: file, what }]))
      await refuseSharedPaths([{ path: reportPath, what: '--report' }], inputs)
    }
    enableTorchPrograms()
    const plan = await planOf(checkpoint, args.text('manifest'))
    const propagate = model === undefined ? undefined : layersOf(model, modelPath!, plan)
    page = reportPath === undefined ? undefined : await ReportFile.create(reportPath, args.has('force'))
    const device = await chooseDevice(deviceOf(args))
    const bar = new ProgressBar([['verify', 'B', plan.totals.byteLength]])
    const result = await verifyCheckpoint(checkpoint, plan, {
      device,
      falseAlarmRate,
      ...(propagate === undefined ? {} : { propagate }),
      signal,
      onProgress: (done) => bar.update('verify', done),
    })
    bar.clear()
    await page?.write(pageOf(result, plan, path, deviceLabel(device)))
    if (args.has('json')) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
    else process.stdout.write(textReport(result, plan, deviceLabel(device), args.has('quiet')))
    return result.ok ? 0 : 1
  } finally {
    await checkpoint.close()
    await page?.discard()
  }
}

async function readLayeredModel(path: string): Promise<ModelFile> {
  const file = await readModelFile(path)
  if (file.model.layer !== undefined) return file
  throw new UsageError(
    `--model ${showPath(path)} lists parameters, not what is computed with them; give model JSON with layers, or leave --model out.`,
  )
}

/**
 * The model's layers with the plan's parameters.
 * @throws WeightInitError if the model is not that of the manifest, or its signal cannot be measured
 */
function layersOf({ model, signal = {} }: ModelFile, path: string, plan: InitializationPlan) {
  const planned = new Map(plan.parameters.map((p) => [p.name, p]))
  for (const { name, shape } of model.parameters) {
    const found = planned.get(name)
    if (found !== undefined && show(found.shape) === show(shape)) continue
    throw new WeightInitError(
      'INVALID_FILE',
      `${showPath(path)} does not match the manifest: its parameter ${show(name)} has shape ${show(shape)}, and the manifest ` +
        `${found === undefined ? 'has no such parameter' : `says ${show(found.shape)}`}.`,
    )
  }
  const { options, note } = planSignal(model, signal, plan)
  if (options === undefined) throw new WeightInitError('INVALID_MODEL', `--model ${showPath(path)}: ${note}`)
  return { model, options }
}

function pageOf(
  { parity, check, signal }: CheckpointVerification,
  plan: InitializationPlan,
  path: string,
  where: string,
): ReportData {
  const { parameterCount, elementCount, byteLength } = plan.totals
  return reportData({
    title: `${basename(path)}, verified`,
    madeBy: 'webgpu-init verify',
    facts: [
      ['file', basename(path)],
      ['parameters', String(parameterCount)],
      ['elements', `${elementCount.toLocaleString('en')}, ${compact(byteLength)}B`],
      ['seed', String(plan.seed)],
      ['generator', plan.generator],
      ['made again on', where],
      ['false-alarm rate', `${check.falseAlarmRate} over ${check.testCount} tests`],
    ],
    plan,
    statistics: new Map(check.parameters.map((p) => [p.name, p.statistics])),
    verification: parity,
    comparison: { name: 'parity with the manifest', other: "the manifest's" },
    check,
    signal,
    signalNote: signal === undefined ? `${noLayersNote} Give it with --model.` : measuredNote,
  })
}

/** The plan of the manifest that is given, or of the checkpoint's own: every file of several has one for its tensors. */
async function planOf(checkpoint: CheckpointReader, path: string | undefined): Promise<InitializationPlan> {
  if (path !== undefined) {
    try {
      return planFromManifest(await readFile(path, 'utf8'))
    } catch (cause) {
      if (cause instanceof WeightInitError) throw cause
      throw new WeightInitError('IO', `Cannot read ${showPath(path)}: ${(cause as Error).message}.`, { cause })
    }
  }
  const [first, ...others] = checkpoint.manifests.map((text) => planFromManifest(text))
  if (first === undefined) {
    throw new WeightInitError(
      'INVALID_FILE',
      `${showPath(checkpoint.path)} has no manifest in its metadata; give one with --manifest manifest.json (weights.manifest()).`,
    )
  }
  for (const { seed, generatorSettings } of others) {
    if (seed === first.seed && show(generatorSettings) === show(first.generatorSettings)) continue
    throw new WeightInitError(
      'INVALID_FILE',
      `The files of ${showPath(checkpoint.path)} are of different runs: their manifests have the seeds ${first.seed} and ${seed}.`,
    )
  }
  return others.length === 0
    ? first
    : assemblePlan(
        first,
        [first, ...others].flatMap(({ parameters }) => parameters),
      )
}

function textReport(
  { ok, parity, check, signal, uncovered }: CheckpointVerification,
  plan: InitializationPlan,
  where: string,
  quiet: boolean,
): string {
  const planned = new Map(plan.parameters.map((p) => [p.name, p]))
  const count = (n: number): string => n.toLocaleString('en')
  const rows = check.parameters.map(({ name, statistics, tests }, index) => {
    const { shape, distribution, expected } = planned.get(name)!
    const failed = tests.filter((test) => !test.ok).map(({ test }) => test)
    return [
      name,
      shape.join(' x ') || 'scalar',
      describeDistribution(distribution),
      expected.std.toPrecision(5),
      statistics.std.toPrecision(5),
      parityCell(parity.parameters[index]),
      failed.length === 0 ? `${tests.length} passed` : `FAILED: ${failed.join(', ')}`,
    ]
  })
  const header = ['parameter', 'shape', 'rule', 'expected std', 'measured std', 'manifest = file', 'tests']
  const failures = check.failures.map(
    ({ parameters, test, message, adjustedPValue }) =>
      `  ${visible(`${parameters.slice(0, 5).join(', ')}: ${test}: ${message}`)} (adjusted p ${adjustedPValue.toExponential(1)})`,
  )
  const lines = [
    ...(quiet ? [] : [formatTable(header, rows, new Set([3, 4])), '']),
    `Parity${parity.ok ? '' : ' FAILED'}: ${paritySentence(parity, "the manifest's")} (made on ${where}).`,
    check.ok
      ? `Tests: all ${count(check.testCount)} passed; valid weights fail with a probability of at most ${check.falseAlarmRate}.`
      : `Tests FAILED: ${count(check.failures.length)} of ${count(check.testCount)}, at a false-alarm rate of ${check.falseAlarmRate}:`,
    ...failures,
    ...(uncovered.length === 0
      ? []
      : [
          `Not compared: ${count(uncovered.length)} tensors of which the manifest knows nothing, such as ${visible(uncovered[0]!)}.`,
        ]),
    ...(signal === undefined ? [] : ['', signalText(signal, quiet)]),
    ok ? 'OK' : 'FAILED',
  ]
  return `${lines.join('\n')}\n`
}
