// Runs every program of README.md and docs/ as a reader would, from the packed tarball, by these conventions:
// - `ts`, `js`: a whole program, type-checked (ts) and run in a project where the packed tarball is installed. Its stdout
//   equals the `text` block that follows it directly, if there is one. In that text `...` stands for anything within
//   its line, and a line `...` for any number of lines.
// - `html`: a page. With an import map it is served as it is, beside node_modules; else by Vite, and as Vite builds it. Its
//   text in Chromium equals the `text` block that follows.
// - `sh`: npm commands must name scripts that exist; `npx webgpu-init` and `webgpu-init` are run, in a project whose
//   config.json is a small BERT; examples/gpt2/config.json is a small GPT-2, and examples/mlp-20-layers the repository's. A comment
//   `# exit code N` after a command says how it ends, if not with 0.
// - a comment `<!-- no-run: reason -->` before a block keeps it from being run: it is then checked only.
// - output of `npm start` is compared with the plan and, for small parameters, with the measured values.
// docs/interop.md needs other libraries: interop-docs.test.ts.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { cp, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join, posix } from 'node:path'
import type { Browser } from 'playwright-core'
import { build, createServer, transformWithOxc } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { softwareGpuSupported } from '../../scripts/software-gpu.mjs'
import { launchChromium, serve } from '../support/package/browser.js'
import { type Block, blocksOf, linksOf, patternOf } from '../support/package/markdown.js'
import {
  type Consumer,
  createConsumer,
  gpuEnvironment,
  importInstalled,
  linkModules,
  repository,
  runNode,
  smallGpt2,
} from '../support/package/package.js'

const documents = readdirSync(join(repository, 'docs')).filter((name) => name.endsWith('.md') && name !== 'interop.md')
const pages = ['README.md', ...documents.map((name) => `docs/${name}`)].map((path) => {
  const blocks = blocksOf(readFileSync(join(repository, path), 'utf8'), path)
  return {
    path,
    blocks,
    programs: blocks.filter(({ language }) => language === 'ts' || language === 'js'),
    shells: blocks.filter(({ language }) => language === 'sh'),
    html: blocks.filter(({ language }) => language === 'html'),
  }
})
const { scripts } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>
}

/** What a program's file is called, without the ending. */
const nameOf = (path: string, { line }: Block): string => `${basename(path, '.md')}-line-${line}`

interface Command {
  readonly words: readonly string[]
  readonly exitCode: number
}

/** The commands of a `sh` block as words, without comments. */
function commandsOf(code: string): Command[] {
  return code
    .replaceAll('\\\n', ' ')
    .split('\n')
    .flatMap((line) => {
      const exitCode = Number(/# exit code (\d+)$/.exec(line)?.[1] ?? 0)
      const commands = line.replace(/(^|\s)#.*$/, '').split('&&')
      return commands.map((command) => ({ words: wordsOf(command), exitCode }))
    })
    .filter(({ words }) => words.length > 0)
}

const wordsOf = (command: string): string[] =>
  [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')

/** What follows `webgpu-init` where a command is one of the package's. */
function argumentsOf([first, ...rest]: readonly string[]): readonly string[] | undefined {
  if (first === 'webgpu-init') return rest
  return first === 'npx' && rest[0] === 'webgpu-init' ? rest.slice(1) : undefined
}

const smallBert = {
  model_type: 'bert',
  architectures: ['BertForSequenceClassification'],
  hidden_size: 64,
  intermediate_size: 128,
  num_attention_heads: 2,
  num_hidden_layers: 1,
  vocab_size: 300,
  max_position_embeddings: 32,
}

let consumer: Consumer
let browser: Browser | undefined

const runCli = async (args: readonly string[]) =>
  runNode([join('dist', 'cli.js'), ...args], { cwd: consumer.folder, env: await gpuEnvironment() })

beforeAll(async () => {
  consumer = await createConsumer()
  const { folder, installed } = consumer
  await mkdir(join(folder, 'examples', 'gpt2'), { recursive: true })
  await writeFile(join(folder, 'config.json'), JSON.stringify(smallBert))
  await writeFile(join(folder, 'examples', 'gpt2', 'config.json'), JSON.stringify(smallGpt2))
  const layers = join('examples', 'mlp-20-layers')
  await cp(join(repository, layers), join(folder, layers), { recursive: true })
  await symlink(join(installed, 'dist'), join(folder, 'dist'), 'dir')
  await linkModules(folder, ['@webgpu/types', '@types/node', 'undici-types'])
  // Checkpoints that a reader of docs/cli.md has: a trained one with a head, and one in files with an index.
  for (const [path, ...more] of [['base.safetensors'], ['model.safetensors', '--max-shard-bytes', '100KB']] as const) {
    const { status, stderr } = await runCli(['init', 'config.json', '-o', path, '--seed', '1', ...more])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  }
  await cp(join(folder, 'base.safetensors'), join(folder, 'model.safetensors'))
})
afterAll(async () => {
  await browser?.close()
  await consumer?.remove()
})

describe('the conventions', () => {
  it('understand blocks, comments and outputs', () => {
    const found = blocksOf(
      'a\n```ts\n1\n```\n\n```text\nout\n```\n<!-- no-run: why -->\n```sh\nnpm ci\n```\nb\n```text\nlone\n```\n',
    )
    expect(found).toMatchObject([
      { language: 'ts', code: '1', line: 2, output: 'out' },
      { language: 'sh', code: 'npm ci', noRun: 'why' },
      { language: 'text', code: 'lone' },
    ])
    expect(found[0]).not.toHaveProperty('noRun')
    expect(() => blocksOf('```ts\n1\n')).toThrow('does not end')
  })

  it('compare exactly, but for dots', () => {
    expect('a\nb\n').toMatch(patternOf('a\nb'))
    expect('a\nb\n').not.toMatch(patternOf('a'))
    expect('a\nc\n').not.toMatch(patternOf('a\nb'))
    expect('on SwiftShader, 1.2 s\n').toMatch(patternOf('on ..., ... s'))
    expect('on x\ny, 1.2 s\n').not.toMatch(patternOf('on ..., ... s'))
    expect('a\nb\nc\nd\n').toMatch(patternOf('a\n...\nd'))
    expect('a\nb\nc\n').not.toMatch(patternOf('a\n...\nd'))
  })

  it('understand commands', () => {
    expect(
      commandsOf("npm ci && npm start # both\nnpx webgpu-init init --only '*.a b'  # exit code 1\n# none\n"),
    ).toEqual([
      { words: ['npm', 'ci'], exitCode: 0 },
      { words: ['npm', 'start'], exitCode: 0 },
      { words: ['npx', 'webgpu-init', 'init', '--only', '*.a b'], exitCode: 1 },
    ])
  })
})

it('programs have TypeScript that type-checks', async () => {
  /** Those that are run need Node; the others are for a page. */
  const groups = [
    { kept: ({ noRun }: Block) => noRun === undefined, lib: ['ES2023'] },
    { kept: ({ noRun }: Block) => noRun !== undefined, lib: ['ES2023', 'DOM'] },
  ]
  for (const { kept, lib } of groups) {
    const sources = pages.flatMap(({ path, programs }) =>
      programs.filter((block) => block.language === 'ts' && kept(block)).map((block) => ({ path, block })),
    )
    expect(sources.length).toBeGreaterThan(0)
    const files = sources.map(({ path, block }) => `${nameOf(path, block)}.ts`)
    for (const [index, { block }] of sources.entries()) {
      // `export {}`: a block without an import is a module all the same.
      await writeFile(join(consumer.folder, files[index]!), `${block.code}\nexport {}\n`)
    }
    const compilerOptions = {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      target: 'ES2023',
      module: 'NodeNext',
      lib,
      types: ['@webgpu/types', 'node'],
    }
    await writeFile(join(consumer.folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
    const tsc = join(repository, 'node_modules', 'typescript', 'bin', 'tsc')
    const { stdout, status } = await runNode([tsc, '-p', '.', '--pretty', 'false'], { cwd: consumer.folder })
    expect(stdout).toBe('')
    expect(status).toBe(0)
  }
})

/** What a page shows in Chromium, once it shows something. */
async function textOfPage(url: string): Promise<string> {
  browser ??= await launchChromium()
  const context = await browser.newContext()
  try {
    const page = await context.newPage()
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(String(error)))
    await page.goto(url)
    const shown = page.locator('body', { hasText: /\S/ })
    await shown.waitFor({ timeout: 60_000 }).catch((error) => problems.push(String(error)))
    expect(problems).toEqual([])
    return (await shown.textContent())!.trim()
  } finally {
    await context.close()
  }
}

for (const { path, blocks, programs, shells, html } of pages) {
  describe(path, () => {
    it('has blocks in languages that are known', () => {
      const known = ['ts', 'js', 'html', 'sh', 'text', 'json', 'py', 'python', 'yaml', '']
      expect(blocks.filter(({ language }) => !known.includes(language))).toEqual([])
    })

    for (const block of programs.filter(({ noRun }) => noRun === undefined)) {
      it(`runs the program at line ${block.line}${block.output === undefined ? '' : ' to the output it shows'}`, async () => {
        const { code } = await transformWithOxc(block.code, 'block.ts', { lang: 'ts' })
        const name = `${nameOf(path, block)}.js`
        await writeFile(join(consumer.folder, name), code)
        const { status, stdout, stderr } = await runNode([name], { cwd: consumer.folder, env: await gpuEnvironment() })
        expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
        if (block.output !== undefined && !patternOf(block.output).test(stdout))
          expect(stdout.trimEnd()).toBe(block.output)
      })
    }

    // Chromium from npm runs on Linux x64 only.
    const inChromium = it.skipIf(!softwareGpuSupported)
    for (const block of html) {
      const page = `<!doctype html>\n<head>\n<title>page</title>\n${block.code}\n</head>\n<body></body>\n`
      if (block.code.includes('importmap')) {
        inChromium(`serves the page at line ${block.line} as it is`, async () => {
          const server = await serve(
            { node_modules: join(consumer.folder, 'node_modules') },
            new Map([['/index.html', page]]),
          )
          try {
            expect(await textOfPage(`${server.origin}/index.html`)).toBe(block.output)
          } finally {
            await server.close()
          }
        })
        continue
      }
      const settings = async () => {
        const root = join(consumer.folder, nameOf(path, block))
        await mkdir(root, { recursive: true })
        await writeFile(join(root, 'index.html'), page)
        return { root, configFile: false, logLevel: 'silent', base: './' } as const
      }

      inChromium(`serves the page at line ${block.line} with Vite`, async () => {
        const server = await createServer({ ...(await settings()), server: { host: '127.0.0.1', port: 0, hmr: false } })
        try {
          await server.listen()
          expect(await textOfPage(server.resolvedUrls!.local[0]!)).toBe(block.output)
        } finally {
          await server.close()
        }
      })

      inChromium(`builds the page at line ${block.line} with Vite`, async () => {
        const { root, ...rest } = await settings()
        await build({ root, ...rest })
        const server = await serve({ dist: join(root, 'dist') })
        try {
          expect(await textOfPage(`${server.origin}/dist/index.html`)).toBe(block.output)
        } finally {
          await server.close()
        }
      })
    }

    for (const block of shells) {
      const commands = commandsOf(block.code)

      if (block.noRun === undefined) {
        it(`names commands that exist at line ${block.line}`, () => {
          for (const { words } of commands) {
            const text = words.join(' ')
            const [program, ...args] = words
            if (argumentsOf(words) !== undefined) continue
            if (program === 'npm') {
              const [verb, script] = args as [string, string?]
              if (verb === 'run') expect(scripts, text).toHaveProperty([script!])
              else if (verb === 'start' || verb === 'test') expect(scripts, text).toHaveProperty(verb)
              else if (verb === 'install' || verb === 'i')
                expect(['webgpu-init', 'webgpu', undefined], text).toContain(script)
              else expect(verb, text).toBe('ci')
            } else if (program === 'node') expect(existsSync(join(repository, args[0]!)), text).toBe(true)
            else expect(['git', 'cd'], `${text}: mark the block with <!-- no-run: reason -->`).toContain(program)
          }
        })
      }

      const runs = commands.flatMap(({ words, exitCode }) => {
        const args = argumentsOf(words)
        return args === undefined || args[0]?.startsWith('<') ? [] : [{ args, exitCode }]
      })
      if (block.noRun !== undefined || runs.length === 0) continue
      it(`runs the commands at line ${block.line}`, async () => {
        let printed = ''
        for (const { args, exitCode } of runs) {
          const { status, stdout, stderr } = await runCli(args)
          expect({ args, status, stderr: exitCode === 0 ? stderr : '' }).toEqual({ args, status: exitCode, stderr: '' })
          printed += stdout
          if (args.includes('-o'))
            expect(await bytesOf(args[args.indexOf('-o') + 1]!), args.join(' ')).toBeGreaterThan(100_000)
        }
        if (block.output !== undefined && !patternOf(block.output).test(printed))
          expect(printed.trimEnd()).toBe(block.output)
      })
    }
  })
}

/** Bytes of a file, of the files in a folder, or of the files of a sharded set. */
async function bytesOf(output: string): Promise<number> {
  const path = join(consumer.folder, output)
  const found = await stat(path).catch(() => undefined)
  if (found?.isFile()) return found.size
  const [folder, pattern] =
    found === undefined ? [dirname(path), patternOfShards(basename(path))] : ([path, /\.npy$/] as const)
  const names = readdirSync(folder).filter((name) => pattern.test(name))
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}

const patternOfShards = (name: string): RegExp =>
  new RegExp(`^${basename(name, '.safetensors')}-\\d+-of-\\d+\\.safetensors$`)

describe('README.md', () => {
  it('has what a newcomer runs first', () => {
    const [readme] = pages
    const commands = readme!.shells.flatMap(({ code }) => commandsOf(code)).map(({ words }) => words.join(' '))
    expect(commands).toEqual(
      expect.arrayContaining(['npm ci', 'npm start', 'npm test', 'npm install webgpu-init', 'npm install webgpu']),
    )
    expect(readme!.programs.length).toBeGreaterThan(0)
    expect(readme!.html.length).toBeGreaterThan(0)
  })

  it('shows an output of npm start that npm start gives', async () => {
    const { blocks } = pages[0]!
    const shown = blocks.map(({ code, output }) => output ?? code).filter((text) => /^gpt2: \d+ parameters/.test(text))
    expect(shown.length).toBeGreaterThan(0)
    const { initializeModel, planModel, readHuggingFaceConfig } = await importInstalled(consumer)
    const config = JSON.parse(await readFile(join(repository, 'examples', 'gpt2', 'config.json'), 'utf8'))
    const { model, recipe } = readHuggingFaceConfig(config)
    const start = await readFile(join(repository, 'scripts', 'start.mjs'), 'utf8')
    const seed = Number(/'--seed',\s*'(\d+)'/.exec(start)?.[1])
    const plan = planModel(model, recipe, { seed })
    const { parameterCount, elementCount, byteLength } = plan.totals
    for (const text of shown) {
      const lines = text.split('\n')
      const facts = `gpt2: ${parameterCount} parameters, ${elementCount.toLocaleString('en')} elements, ${(byteLength / 1e6).toFixed(1)} MB; seed ${seed}; on `
      expect(lines[0]!.startsWith(facts), `${lines[0]}\nshould begin with\n${facts}`).toBe(true)
      const rows = lines
        .map((line) => line.split(/ {2,}/))
        .filter((cells) => cells.length === 6 && /^[a-z]+\./.test(cells[0]!))
      expect(rows.length).toBeGreaterThan(0)
      const wanted = plan.parameters.filter(({ name }) => rows.some((cells) => cells[0] === name))
      const small = new Set(wanted.filter((p) => p.elementCount <= 2 ** 20).map(({ name }) => name))
      expect(small.size, 'a parameter that is measured here').toBeGreaterThan(0)
      const skip = (parameter: { readonly name: string }): boolean => !small.has(parameter.name)
      const measured = await (await initializeModel(model, recipe, { device: 'cpu', seed, skip })).statistics()
      for (const [name, shape, distribution, expected, std, parity] of rows as [
        string,
        string,
        string,
        string,
        string,
        string,
      ][]) {
        const planned = plan.parameters.find((p) => p.name === name)
        expect(planned?.shape.join(' x '), name).toBe(shape)
        const { kind } = planned!.distribution
        expect(distribution, name).toMatch(kind === 'constant' ? /^constant\([\d.]+\)$/ : /^normal\(0, [\d.]+\)$/)
        expect(expected, name).toBe(planned!.expected.std.toPrecision(5))
        expect(parity, name).toBe('equal')
        if (small.has(name)) expect(Math.abs(Number(std) - measured.get(name)!.std), name).toBeLessThan(2e-6)
      }
      for (const line of lines.filter((line) => line.startsWith('Parity'))) {
        expect(line).toBe(
          `Parity: 0 of all ${elementCount.toLocaleString('en')} elements differ from the CPU in any bit.`,
        )
      }
    }
  })
})

it('what the pages of the tarball link to is in the tarball', async () => {
  const files = consumer.files.map(({ path }) => path)
  const packed = files.filter((path) => path.endsWith('.md'))
  expect(packed).toEqual(expect.arrayContaining(['README.md', 'docs/README.md']))
  for (const page of packed) {
    const links = linksOf(await readFile(join(consumer.installed, page), 'utf8'))
    const targets = links.map((link) => posix.join(posix.dirname(page), link.split('#')[0] || posix.basename(page)))
    // Pictures are large, and whoever reads a page in node_modules reads it as text.
    const missing = targets.filter((target) => !files.includes(target) && !target.startsWith('docs/images/'))
    expect(missing, page).toEqual([])
  }
})
