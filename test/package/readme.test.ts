// Every code block of README.md is run, by these conventions:
// - `ts`, `js`: a whole program, type-checked (ts) and run in a project where the packed tarball is installed. Its stdout
//   equals the `text` block that follows it directly, if there is one. In that text `...` stands for anything within
//   its line, and a line `...` for any number of lines.
// - `sh`: npm commands must name scripts that exist; `npx webgpu-init` and `node dist/cli.js` are run, in a project whose
//   config.json and examples/gpt2/config.json are a small GPT-2; examples/mlp-20-layers is the repository's.
// - a comment `<!-- no-run: reason -->` before a block keeps it from being run: it is then checked only.
// - output of `npm start` is compared with the plan and, for small parameters, with the measured values.
import { existsSync, readFileSync } from 'node:fs'
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { transformWithOxc } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { blocksOf, patternOf } from '../support/markdown.js'
import {
  type Consumer,
  createConsumer,
  gpuEnvironment,
  importInstalled,
  linkModules,
  repository,
  runNode,
  smallGpt2,
} from '../support/package.js'

const markdown = readFileSync(join(repository, 'README.md'), 'utf8')
const blocks = blocksOf(markdown)
const programs = blocks.filter(({ language }) => language === 'ts' || language === 'js')
const shells = blocks.filter(({ language }) => language === 'sh')
const { scripts } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>
}

/** A line of a `sh` block, without its comment, as words. */
function commandsOf(code: string): string[][] {
  return code
    .replaceAll('\\\n', ' ')
    .split('\n')
    .flatMap((line) => line.replace(/(^|\s)#.*$/, '').split('&&'))
    .map((command) => command.trim().split(/\s+/).filter(Boolean))
    .filter((words) => words.length > 0)
}

let consumer: Consumer

beforeAll(async () => {
  consumer = await createConsumer()
  const { folder, installed } = consumer
  await mkdir(join(folder, 'examples', 'gpt2'), { recursive: true })
  for (const path of ['config.json', join('examples', 'gpt2', 'config.json')]) {
    await writeFile(join(folder, path), JSON.stringify(smallGpt2))
  }
  const layers = join('examples', 'mlp-20-layers')
  await cp(join(repository, layers), join(folder, layers), { recursive: true })
  await symlink(join(installed, 'dist'), join(folder, 'dist'), 'dir')
})
afterAll(() => consumer?.remove())

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
})

describe('README.md', () => {
  it('has programs and commands, each in a language that is run', () => {
    expect(programs.length).toBeGreaterThan(0)
    expect(shells.length).toBeGreaterThan(0)
    expect(blocks.filter(({ language }) => !['ts', 'js', 'sh', 'text', 'json', ''].includes(language))).toEqual([])
  })

  it('links only to files that exist', () => {
    const targets = [...markdown.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, target]) => target!)
    const local = targets.filter((target) => !/^[a-z]+:/.test(target))
    expect(local.length).toBeGreaterThan(0)
    for (const target of local) expect(existsSync(join(repository, target)), target).toBe(true)
  })

  it('has TypeScript that type-checks', async () => {
    const sources = programs.filter(({ language }) => language === 'ts')
    const files = sources.map(({ line }) => `line-${line}.ts`)
    for (const [index, { code }] of sources.entries()) {
      // `export {}`: a block without an import is a module all the same.
      await writeFile(join(consumer.folder, files[index]!), `${code}\nexport {}\n`)
    }
    await linkModules(consumer.folder, ['@webgpu/types', '@types/node', 'undici-types'])
    const compilerOptions = {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      target: 'ES2023',
      module: 'NodeNext',
      lib: ['ES2023'],
      types: ['@webgpu/types', 'node'],
    }
    await writeFile(join(consumer.folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
    const tsc = join(repository, 'node_modules', 'typescript', 'bin', 'tsc')
    const { stdout, status } = await runNode([tsc, '-p', '.', '--pretty', 'false'], { cwd: consumer.folder })
    expect(stdout).toBe('')
    expect(status).toBe(0)
  })

  for (const block of programs.filter(({ noRun }) => noRun === undefined)) {
    it(`runs the program at line ${block.line}${block.output === undefined ? '' : ' to the output it shows'}`, async () => {
      const { code } = await transformWithOxc(block.code, 'block.ts', { lang: 'ts' })
      const name = `line-${block.line}.js`
      await writeFile(join(consumer.folder, name), code)
      const { status, stdout, stderr } = await runNode([name], { cwd: consumer.folder, env: await gpuEnvironment() })
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      if (block.output !== undefined && !patternOf(block.output).test(stdout))
        expect(stdout.trimEnd()).toBe(block.output)
    })
  }

  for (const block of shells) {
    const commands = commandsOf(block.code)

    it(`names commands that exist at line ${block.line}`, () => {
      for (const [program, ...args] of commands) {
        const text = [program, ...args].join(' ')
        if (program === 'npm') {
          const [verb, script] = args as [string, string?]
          if (verb === 'run') expect(scripts, text).toHaveProperty([script!])
          else if (verb === 'start' || verb === 'test') expect(scripts, text).toHaveProperty(verb)
          else if (verb === 'install' || verb === 'i')
            expect(['webgpu-init', 'webgpu', undefined], text).toContain(script)
          else expect(verb, text).toBe('ci')
        } else if (program === 'npx') expect(args[0], text).toBe('webgpu-init')
        else if (program === 'node') expect(existsSync(join(repository, args[0]!)), text).toBe(true)
        else expect(['git', 'cd'], `${text}: mark the block with <!-- no-run: reason -->`).toContain(program)
      }
    })

    const runs = commands
      .filter(([program, script]) => (program === 'npx' && script === 'webgpu-init') || script === 'dist/cli.js')
      .map(([, , ...args]) => args)
    if (block.noRun !== undefined || runs.length === 0) continue
    it(`runs the commands at line ${block.line}`, async () => {
      let printed = ''
      for (const args of runs) {
        const cli = join('dist', 'cli.js')
        const { status, stdout, stderr } = await runNode([cli, ...args], {
          cwd: consumer.folder,
          env: await gpuEnvironment(),
        })
        expect({ args, status, stderr }).toEqual({ args, status: 0, stderr: '' })
        printed += stdout
        const output = args[args.indexOf('-o') + 1]
        if (args.includes('-o'))
          expect((await readFile(join(consumer.folder, output!))).length).toBeGreaterThan(100_000)
      }
      if (block.output !== undefined && !patternOf(block.output).test(printed))
        expect(printed.trimEnd()).toBe(block.output)
    })
  }

  it('shows an output of npm start that npm start gives', async () => {
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
