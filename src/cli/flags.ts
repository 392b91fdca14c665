import { type FloatDType, floatDTypes } from '../core/dtype.js'
import { show, WeightInitError } from '../core/errors.js'
import { generatorNames } from '../generators/registry.js'
import { type FanConvention, fanConventions } from '../ir/fans.js'
import type { GeneratorOption } from '../ir/generator.js'
import type { ParameterMatch } from '../model/match.js'
import { requestNodeDevice } from '../node/device.js'
import type { Arguments, Flag } from './arguments.js'
import { UsageError } from './usage.js'

// Flags that several commands have, each with the function that reads its value.

export const seedFlag: Flag = { value: 'N', help: 'any integer; drawn at random and printed when absent' }

export function seedOf(args: Arguments): bigint | undefined {
  const seed = args.text('seed')
  if (seed === undefined) return undefined
  if (!/^-?\d+$/.test(seed)) throw new UsageError(`--seed must be an integer, but found ${show(seed)}.`)
  return BigInt(seed)
}

export const dtypeFlag: Flag = { value: 'T', help: `${floatDTypes.join(', ')}; default: the model's own` }

export const dtypeOf = (args: Arguments): FloatDType | undefined => args.choice('dtype', floatDTypes)

export const fansFlag: Flag = {
  value: 'F',
  help: "layout (default: fans of the layer's true geometry), or torch: PyTorch's, from the shape alone",
}

export const fansOf = (args: Arguments): FanConvention | undefined => args.choice('fans', fanConventions)

export const generatorFlag: Flag = {
  value: 'G',
  help:
    `the random number generator: ${generatorNames.join(', ')}; default philox. With settings as JSON: ` +
    `'{ "name": "torch-cuda", "gpu": "A100" }'`,
}

/** A generator by name, or as JSON with settings, which are checked when the plan is made. */
export function generatorOf(args: Arguments): GeneratorOption | undefined {
  const text = args.text('generator')
  if (text === undefined || !text.trimStart().startsWith('{')) return args.choice('generator', generatorNames)
  try {
    return JSON.parse(text) as GeneratorOption
  } catch (error) {
    throw new UsageError(`--generator ${show(text)} is not valid JSON: ${(error as Error).message}.`)
  }
}

const deviceNames = ['auto', 'gpu', 'cpu'] as const
export type DeviceName = (typeof deviceNames)[number]

export const deviceFlag: Flag = { value: 'D', help: 'auto (default: the GPU, else the CPU), gpu, cpu' }

export const deviceOf = (args: Arguments): DeviceName => args.choice('device', deviceNames) ?? 'auto'

/** The requested device. For 'auto' it is the CPU if there is no GPU; then a line on stderr says so. */
export async function chooseDevice(wanted: DeviceName): Promise<GPUDevice | 'cpu'> {
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

/** The name of a device in a command's output. */
export function deviceLabel(device: GPUDevice | 'cpu'): string {
  if (device === 'cpu') return 'the CPU'
  return device.adapterInfo.description || device.adapterInfo.device || 'GPU'
}

export const quietFlag: Flag = { help: 'no table' }
export const jsonFlag: Flag = { help: 'JSON on stdout, nothing else' }

export const verifyFlag: Flag = {
  value: 'V',
  help: 'all (default), or a number: the largest number of elements to compare; 0: none',
}

export function verifyOf(args: Arguments): 'all' | number {
  if ((args.text('verify') ?? 'all') === 'all') return 'all'
  const value = args.number('verify') as number
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new UsageError(`--verify must be all or an integer >= 0, but found ${show(args.text('verify'))}.`)
}

/** A flag for parameter names: globs, or regular expressions between slashes. It may be given several times. */
export const patternFlag = (help: string): Flag => ({ value: 'PATTERN', multiple: true, help })

export function patternsOf(args: Arguments, name: string): ParameterMatch[] {
  return args.list(name).map((text) => {
    if (text === '') throw new UsageError(`--${name} is empty; give a glob such as 'classifier.*' or a /regexp/.`)
    const [, source, flags] = /^\/(.+)\/([a-z]*)$/s.exec(text) ?? []
    if (source === undefined) return text
    try {
      return new RegExp(source, flags)
    } catch (error) {
      throw new UsageError(`--${name} ${show(text)}: ${(error as Error).message}.`)
    }
  })
}

const byteUnits: Readonly<Record<string, number>> = {
  K: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
}

/** Parses a number of bytes, at least 1: `5GB`, `500M`, `1GiB`, `1073741824`. */
export function bytesOf(args: Arguments, name: string): number | undefined {
  const text = args.text(name)
  if (text === undefined) return undefined
  const [, digits, unit] = /^(\d+(?:\.\d+)?) ?(?:([KMGT]i?)?B?)$/.exec(text) ?? []
  const bytes = Math.floor(Number(digits) * (unit === undefined ? 1 : byteUnits[unit]!))
  if (Number.isSafeInteger(bytes) && bytes >= 1) return bytes
  throw new UsageError(`--${name} must be a number of bytes such as 5GB, 500MB or 1GiB, but found ${show(text)}.`)
}
