import { show, WeightInitError } from '../core/errors.js'
import { sourcePlanner } from '../generators/sources.js'
import type { DrawingDistribution } from '../ir/generator.js'
import type { InitializationManifest } from '../plan/manifest/types.js'
import { fnv1a64 } from '../random/keys.js'
import {
  cut,
  drawnShape,
  type Entry,
  float,
  runs,
  set,
  sparsity,
  text,
  tied,
  tuple,
  unsupported,
} from './python-text.js'

const helpers = {
  place: [
    'def place(values, shape, runs, dtype=torch.float32):  # elements first, first + stride, ... of a tensor of zeros',
    '    flat = torch.zeros(math.prod(shape), dtype=dtype, device=values.device)',
    '    for (first, stride, count), run in zip(runs, values.split([count for _, _, count in runs])):',
    '        flat[first : first + (count - 1) * stride + 1 : stride] = run.to(dtype)',
    '    return flat.reshape(shape)',
  ],
  orthogonal: [
    'def orthogonal(normals, gain):  # as torch.nn.init.orthogonal_',
    '    wide = normals.shape[0] < normals.shape[1]',
    '    q, r = torch.linalg.qr(normals.T if wide else normals)',
    '    q = q * r.diagonal().sign()',
    '    return (q.T if wide else q) * gain',
  ],
} as const

/** The helper functions that the lines call. */
function withHelpers(lines: readonly string[]): string[] {
  const used = Object.entries(helpers).filter(([name]) => lines.some((line) => line.includes(` ${name}(`)))
  return used.flatMap(([, body]) => [...body, ''])
}

const imports = (lines: readonly string[]): string[] =>
  lines.some((line) => line.includes(' place(')) ? ['import math', 'import torch'] : ['import torch']

/** The line that sets the padding row of the whole tensor to 0, if there is one. */
const padded = ({ name, padding }: Entry): string[] =>
  padding === undefined
    ? []
    : [`weights[${text(name)}].view(-1)[${padding.first} : ${padding.first + padding.count}] = 0`]

export function torchProgram(manifest: InitializationManifest, generator: 'torch-cpu' | 'torch-cuda'): string {
  const cuda = generator === 'torch-cuda'
  const settings = manifest.generatorSettings
  const threads = settings?.name === 'torch-cuda' ? settings.threads : null
  const device = cuda ? ', device="cuda"' : ''
  const lines = manifest.parameters.flatMap((entry) => parameterLines(entry, torchValue(entry, device, manifest)))
  checkDrawOrder(manifest)
  const truncated = lines.some((line) => line.includes('trunc_normal_'))
  const old = settings?.name === 'torch-cpu' && settings.truncation === 'inversion'
  return [
    ...imports(lines),
    '',
    ...(cuda
      ? [`# For a GPU that holds ${threads ?? 'any number of'} threads: SMs * max threads per SM, in blocks of 256.`]
      : ['# x86-64 Linux, AVX2. Float32 draws, in this order; narrower dtypes are rounded afterwards.']),
    ...(truncated ? [`# trunc_normal_ of PyTorch ${old ? 'up to 2.12' : '2.13 and later'}.`] : []),
    ...withHelpers(lines),
    `torch.manual_seed(${BigInt.asUintN(64, BigInt(manifest.seed))})`,
    'weights = {}',
    ...lines,
    '',
  ].join('\n')
}

/** The lines of a parameter: the whole tensor in float32, its padding row, and then the cut to the part and the dtype. */
function parameterLines(entry: Entry, value: string): string[] {
  const { name, dtype, tiedTo, distribution } = entry
  const own = distribution.kind === 'constant' && !/_\(/.test(value)
  const cast = dtype === 'float32' || own || distribution.kind === 'diagonal' ? '' : `.to(torch.${dtype})`
  if (tiedTo !== undefined) return [set(name, value)]
  const last = `${cut(entry)}${cast}`
  const zeros = padded(entry)
  if (zeros.length === 0) return [set(name, `${value}${last}`)]
  return [set(name, value), ...zeros, ...(last === '' ? [] : [set(name, `weights[${text(name)}]${last}`)])]
}

function torchValue(entry: Entry, device: string, manifest: InitializationManifest): string {
  const { dtype, distribution, generatorSource, tiedTo } = entry
  if (tiedTo !== undefined) return tied(entry, manifest)
  const whole = drawnShape(entry)
  const empty = `torch.empty(${tuple(whole)}${device})`
  switch (distribution.kind) {
    case 'uniform':
      return `${empty}.uniform_(${distribution.low}, ${distribution.high})`
    case 'normal':
      return `${empty}.normal_(${distribution.mean}, ${distribution.std})`
    case 'truncated-normal': {
      const bounds = `${float(distribution.low, 'float("-inf")')}, ${float(distribution.high, 'float("inf")')}`
      return `torch.nn.init.trunc_normal_(${empty}, ${distribution.mean}, ${distribution.std}, ${bounds})`
    }
    case 'sparse':
      return `torch.nn.init.sparse_(${empty}, ${sparsity(distribution)}, ${distribution.std})`
    case 'orthogonal': {
      const matrix = `torch.nn.init.orthogonal_(torch.empty((${distribution.rows}, ${distribution.columns})${device}), ${distribution.gain})`
      return placed(entry, matrix, '_')
    }
    case 'diagonal': {
      const values = `torch.full((${distribution.runs.reduce((sum, { count }) => sum + count, 0)},), ${distribution.value}${device})`
      return `place(${values}, ${tuple(whole)}, ${runs(entry)}, torch.${dtype})`
    }
    case 'constant':
      break
    default:
      return unsupported(entry)
  }
  // A random distribution whose elements are all equal is a constant in the plan, but PyTorch draws words for it. The program
  // must make the same kind of call, so that later draws are the same. On CUDA, uniform_ and normal_ take equally many words.
  const draw = generatorSource !== undefined && 'draw' in generatorSource ? generatorSource.draw : undefined
  if (draw === 'normal') return `${empty}.normal_(${distribution.value}, 0.0)`
  if (draw === 'sparse' || draw === 'orthogonal')
    return unsupported(entry, `${draw === 'sparse' ? 'a' : 'an'} ${draw} distribution of zeros draws unseen`)
  if (generatorSource?.generator === 'torch-cpu' || generatorSource?.generator === 'torch-cuda') {
    return `${empty}.uniform_(${distribution.value}, ${distribution.value})`
  }
  return `torch.full(${tuple(whole)}, ${dtype === 'bool' ? (distribution.value === 0 ? 'False' : 'True') : distribution.value}, dtype=torch.${dtype}${device})`
}

/** The tensor of an orthogonal distribution, from the expression of a matrix. `index` is the loop variable in it. */
function placed(entry: Entry, matrix: string, index: string): string {
  const { distribution } = entry
  if (distribution.kind !== 'orthogonal') return matrix
  const shape = tuple(drawnShape(entry))
  if (distribution.field > 1) {
    const first =
      distribution.stride === 1 ? distribution.centre * distribution.rows * distribution.columns : distribution.centre
    return `place(${matrix}.reshape(-1), ${shape}, [(${first}, ${distribution.stride}, ${distribution.rows * distribution.columns})])`
  }
  if (distribution.batch === 1) return `${matrix}.reshape(${shape})`
  return `torch.stack([${matrix} for ${index} in range(${distribution.batch})]).reshape(${shape})`
}

/**
 * Checks that every parameter's draws begin where those of the parameters before it end. They do not if an empty shard left a
 * parameter out of the manifest, because PyTorch draws for that parameter as well.
 */
function checkDrawOrder(manifest: InitializationManifest): void {
  const settings = manifest.generatorSettings
  if (settings === undefined) return
  const planner = sourcePlanner(settings, BigInt(manifest.seed))
  for (const entry of manifest.parameters) {
    const { name, generatorSource, tiedTo } = entry
    if (generatorSource === undefined || tiedTo !== undefined) continue
    const elementCount = drawnShape(entry).reduce((a, b) => a * b, 1)
    const drawing = { name, elementCount, dtype: 'float32', where: `Parameter ${show(name)}` } as const
    const programmed = generatorSource.generator === 'torch-program'
    const expected = programmed ? undefined : planner(drawing, drawnDistribution(entry))
    const place = (s: typeof generatorSource | undefined): unknown =>
      s !== undefined && 'offset' in s ? s.offset : s !== undefined && 'position' in s ? s.position : undefined
    if (!programmed && place(expected) === place(generatorSource)) continue
    throw new WeightInitError(
      'INVALID_ARGUMENT',
      `pythonSnippet: a parameter that draws before ${show(name)} is missing from this manifest (an empty shard, or one that ` +
        'was taken out); take the manifest of the whole model. Weights that follow a recorded program have that as their Python.',
    )
  }
}

function drawnDistribution({ distribution, generatorSource }: Entry): DrawingDistribution {
  if (distribution.kind === 'constant') {
    const { value } = distribution
    const normal = generatorSource !== undefined && 'draw' in generatorSource && generatorSource.draw === 'normal'
    return normal ? { kind: 'normal', mean: value, std: 0 } : { kind: 'uniform', low: value, high: value }
  }
  return distribution as DrawingDistribution
}

export function statelessProgram(manifest: InitializationManifest): string {
  const lines = manifest.parameters.flatMap((entry) => {
    const { name, distribution, tiedTo } = entry
    if (tiedTo !== undefined || distribution.kind === 'constant' || distribution.kind === 'diagonal') {
      return parameterLines(entry, torchValue(entry, '', manifest))
    }
    const key = `random.fold_in(key, ${BigInt.asIntN(64, fnv1a64(name))})`
    return parameterLines(entry, statelessValue(entry, key))
  })
  return [
    ...imports(lines),
    'import torch.func._random as random  # experimental, PyTorch 2.12 and later',
    '',
    ...withHelpers(lines),
    '# The key of a parameter: the FNV-1a 64 hash of its name, as an int64, folded into the key of the seed.',
    // PyTorch 2.13 has these operators only on CUDA. A tensor is made on the device of its key.
    `key = random.key(${BigInt.asUintN(64, BigInt(manifest.seed))}, device="cuda")`,
    'weights = {}',
    ...lines,
    '',
  ].join('\n')
}

function statelessValue(entry: Entry, key: string): string {
  const { distribution } = entry
  const shape = tuple(drawnShape(entry))
  switch (distribution.kind) {
    case 'uniform':
      return `random.uniform(${key}, ${shape}, low=${distribution.low}, high=${distribution.high})`
    case 'normal':
      return `random.normal(${key}, ${shape}, mean=${distribution.mean}, std=${distribution.std})`
    case 'orthogonal': {
      const own = distribution.batch === 1 ? key : `random.fold_in(${key}, i)`
      return placed(
        entry,
        `orthogonal(random.normal(${own}, (${distribution.rows}, ${distribution.columns})), ${distribution.gain})`,
        'i',
      )
    }
    default:
      return unsupported(entry)
  }
}
