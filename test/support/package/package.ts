// A project of its own, in a temporary folder, in which the packed tarball is installed as a user would install it.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bestGpuEnvironment } from '../../../scripts/software-gpu.mjs'

export const repository = join(import.meta.dirname, '../../..')

export type Environment = Readonly<Record<string, string | undefined>>

export interface Output {
  readonly status: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

/** The environment of a plain shell: without what vitest and npm add for their own children. */
export function plainEnvironment(extra: Environment = {}): Record<string, string> {
  const environment: Record<string, string> = {}
  for (const [name, value] of Object.entries({ ...process.env, ...extra })) {
    if (value === undefined || /^(npm_|VITE|NODE_ENV$|NODE_OPTIONS$|TEST$|FORCE_COLOR$|NO_COLOR$)/.test(name)) continue
    environment[name] = value
  }
  return environment
}

let gpu: Promise<Record<string, string>> | undefined

/** A plain environment with a WebGPU device: the one scripts/test.mjs has chosen, else the best this machine has. */
export function gpuEnvironment(): Promise<Record<string, string>> {
  gpu ??= (async () => plainEnvironment(process.env.WEBGPU_INIT_ADAPTER ? {} : await bestGpuEnvironment()))()
  return gpu
}

/** Runs a program to its end. Never throws for its exit code. */
export function runFile(
  file: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: Record<string, string>; readonly timeout?: number },
): Promise<Output> {
  const { cwd, env = plainEnvironment(), timeout = 240_000 } = options
  return new Promise((resolve, reject) => {
    execFile(file, [...args], { cwd, env, timeout, maxBuffer: 2 ** 28 }, (error, stdout, stderr) => {
      const code = error?.code
      if (typeof code === 'string') reject(error)
      else resolve({ status: error ? (code ?? null) : 0, signal: error?.signal ?? null, stdout, stderr })
    })
  })
}

/** Node, without vite or vitest around it. */
export function runNode(args: readonly string[], options: Parameters<typeof runFile>[2]): Promise<Output> {
  return runFile(process.execPath, args, options)
}

async function npm(args: readonly string[], cwd: string, scratch: string): Promise<string> {
  const offline = [
    '--offline',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--no-update-notifier',
    '--loglevel=error',
  ]
  const output = await runFile('npm', [...args, ...offline, '--cache', join(scratch, 'npm-cache')], { cwd })
  if (output.status !== 0)
    throw new Error(`npm ${args.join(' ')} failed (${output.status}):\n${output.stderr}${output.stdout}`)
  return output.stdout
}

export interface PackedFile {
  readonly path: string
  readonly size: number
}

export interface Consumer {
  /** The project's folder; package.json says "type": "module". */
  readonly folder: string
  /** node_modules/webgpu-init in it. */
  readonly installed: string
  readonly tarball: string
  /** What the tarball holds, as npm lists it. */
  readonly files: readonly PackedFile[]
  remove(): Promise<void>
}

/**
 * Packs the repository and installs the tarball into a new project, offline. `webgpu` (Dawn, the optional peer) is
 * linked from the repository unless `dawn` is false.
 */
export async function createConsumer({ dawn = true }: { readonly dawn?: boolean } = {}): Promise<Consumer> {
  if (!existsSync(join(repository, 'dist', 'index.js'))) {
    throw new Error('dist/ is missing. Run: npm run build (node scripts/test.mjs does)')
  }
  const scratch = await realpath(await mkdtemp(join(tmpdir(), 'webgpu-init-package-')))
  const folder = join(scratch, 'project')
  await mkdir(folder)
  const [packed] = JSON.parse(await npm(['pack', '--json', '--pack-destination', scratch], repository, scratch)) as [
    { filename: string; files: PackedFile[] },
  ]
  const tarball = join(scratch, packed.filename)
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }))
  await npm(['install', '--no-package-lock', tarball], folder, scratch)
  if (dawn) await linkModules(folder, ['webgpu'])
  return {
    folder,
    installed: join(folder, 'node_modules', 'webgpu-init'),
    tarball,
    files: packed.files,
    remove: () => rm(scratch, { recursive: true, force: true }),
  }
}

/** Links packages of the repository's node_modules into a project. */
export async function linkModules(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const link = join(folder, 'node_modules', name)
    await mkdir(dirname(link), { recursive: true })
    await symlink(join(repository, 'node_modules', name), link, 'dir')
  }
}

/** The same installed package in a second project of the same scratch folder, without Dawn. */
export async function withoutDawn(consumer: Consumer): Promise<string> {
  const folder = join(dirname(consumer.folder), 'without-dawn')
  await mkdir(join(folder, 'node_modules'), { recursive: true })
  await cp(join(consumer.folder, 'package.json'), join(folder, 'package.json'))
  await cp(consumer.installed, join(folder, 'node_modules', 'webgpu-init'), { recursive: true })
  return folder
}

/** The installed package's own modules, in this process. */
export function importInstalled(consumer: Consumer): Promise<typeof import('../../../src/index.js')> {
  return import(pathToFileURL(join(consumer.installed, 'dist', 'index.js')).href)
}

/** Every file below a folder, relative to it, sorted. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort()
}

/** A GPT-2 small enough for a test: 28 parameters, 134,144 elements. */
export const smallGpt2 = {
  model_type: 'gpt2',
  architectures: ['GPT2LMHeadModel'],
  n_layer: 2,
  n_embd: 64,
  n_head: 2,
  n_positions: 32,
  vocab_size: 500,
  initializer_range: 0.02,
} as const
