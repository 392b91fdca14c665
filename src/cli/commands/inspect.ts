import { showPath } from '../../core/errors.js'
import { visible } from '../../core/visible.js'
import { type CheckpointInspection, inspectCheckpoint } from '../../node/inspect-checkpoint.js'
import type { Arguments } from '../arguments.js'
import type { Command } from '../command.js'
import { jsonFlag, patternFlag, patternsOf } from '../flags.js'
import { compact, formatTable, ProgressBar, paint } from '../terminal.js'
import { UsageError } from '../usage.js'

export const inspectCommand: Command = {
  name: 'inspect',
  synopsis: 'inspect <weights> [options]',
  summary: "a safetensors file's tensors and their statistics",
  description:
    'Prints shape, dtype, bytes, mean, standard deviation, extremes, zeros and non-finite elements of every tensor of a ' +
    '.safetensors file, of all files of a model.safetensors.index.json, of a raw file or a folder that init wrote. The file ' +
    'is streamed, whatever its length.',
  flags: {
    only: patternFlag("only tensors with these names: globs such as 'h.0.*', or /regexp/; repeatable"),
    header: { help: 'read only the header: no values and no statistics' },
    json: jsonFlag,
  },
  examples: [
    'webgpu-init inspect model.safetensors',
    "webgpu-init inspect model.safetensors.index.json --only '*.bias'",
    'webgpu-init inspect model.safetensors --header --json',
  ],
  run: runInspect,
}

async function runInspect(args: Arguments, signal: AbortSignal): Promise<number> {
  const path = args.operand('inspect', 'the path of weights, such as a .safetensors file')
  const only = args.has('only') ? (patternsOf(args, 'only') as (string | RegExp)[]) : undefined
  let bar: ProgressBar | undefined
  const inspection = await inspectCheckpoint(path, {
    ...(only === undefined ? {} : { only }),
    statistics: !args.has('header'),
    signal,
    onProgress: ({ bytesDone, bytesTotal }) => {
      bar ??= new ProgressBar([['read', 'B', bytesTotal]])
      bar.update('read', bytesDone)
    },
  }).finally(() => bar?.clear())
  if (inspection.tensors.length === 0 && only !== undefined) {
    throw new UsageError(`--only ${only.join(', ')} matches no tensor of ${showPath(path)}.`)
  }
  process.stdout.write(args.has('json') ? `${JSON.stringify(jsonOf(inspection), null, 1)}\n` : report(path, inspection))
  return 0
}

/** JSON has no NaN, so a statistic without elements is null. */
function jsonOf({ files, metadata, tensors }: CheckpointInspection): unknown {
  return { files, metadata: Object.fromEntries(metadata), tensors }
}

function report(path: string, { files, metadata, tensors }: CheckpointInspection): string {
  const elements = tensors.reduce((sum, { elementCount }) => sum + elementCount, 0)
  const bytes = tensors.reduce((sum, { byteLength }) => sum + byteLength, 0)
  const nonFinite = tensors.reduce((sum, { statistics }) => sum + (statistics?.nonFiniteCount ?? 0), 0)
  const measured = tensors.some(({ statistics }) => statistics !== undefined)
  const number = (x: number): string => (Number.isNaN(x) ? '-' : x.toPrecision(5))
  const rows = tensors.map(({ name, shape, storedDType, byteLength, statistics: s }) => [
    name,
    shape.join(' x ') || 'scalar',
    storedDType,
    byteLength.toLocaleString('en'),
    ...(!measured
      ? []
      : s === undefined
        ? ['-', '-', '-', '-', '-', '-']
        : [s.mean, s.std, s.min, s.max].map(number).concat(String(s.nonFiniteCount), String(s.zeroCount))),
  ])
  const header = ['tensor', 'shape', 'dtype', 'bytes', 'mean', 'std', 'min', 'max', 'non-finite', 'zeros']
  const lines = [
    formatTable(header.slice(0, measured ? 10 : 4), rows, new Set([3, 4, 5, 6, 7, 8, 9])),
    '',
    `${visible(path)}: ${tensors.length} tensors, ${elements.toLocaleString('en')} elements, ${compact(bytes)}B` +
      `${files.length > 1 ? ` in ${files.length} files` : ''}`,
    ...[...metadata].map(
      ([key, value]) => `metadata ${visible(key)}: ${visible(value.length > 80 ? `${value.slice(0, 77)}...` : value)}`,
    ),
    ...(nonFinite > 0 ? [paint(`${nonFinite.toLocaleString('en')} elements are not finite.`, 'red')] : []),
  ]
  return `${lines.join('\n')}\n`
}
