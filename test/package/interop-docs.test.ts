// The programs of docs/interop.md, by the conventions of readme.test.ts, with the libraries that they are about.
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { transformWithOxc } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { blocksOf, patternOf } from '../support/package/markdown.js'
import {
  type Consumer,
  createConsumer,
  gpuEnvironment,
  linkModules,
  repository,
  runNode,
} from '../support/package/package.js'

const markdown = readFileSync(join(repository, 'docs', 'interop.md'), 'utf8')
const programs = blocksOf(markdown, 'docs/interop.md').filter(({ language }) => language === 'ts')
const libraries = ['@jax-js', '@tensorflow', 'onnxruntime-common', 'onnxruntime-web', 'typegpu']

let consumer: Consumer
beforeAll(async () => {
  consumer = await createConsumer()
  await linkModules(consumer.folder, [...libraries, '@webgpu/types', '@types/node', 'undici-types'])
})
afterAll(() => consumer?.remove())

describe('docs/interop.md', () => {
  it('has a program for each library, of which those for a page are not run here', () => {
    expect(programs).toHaveLength(6)
    expect(programs.filter(({ noRun }) => noRun !== undefined)).toHaveLength(2)
  })

  it('has TypeScript that type-checks', async () => {
    const files = programs.map(({ line }) => `line-${line}.ts`)
    for (const [index, { code }] of programs.entries()) {
      await writeFile(join(consumer.folder, files[index]!), `${code}\nexport {}\n`)
    }
    const compilerOptions = {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      target: 'ES2023',
      module: 'NodeNext',
      lib: ['ES2023', 'DOM', 'ESNext.Disposable'],
      types: ['@webgpu/types', 'node'],
    }
    await writeFile(join(consumer.folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
    const tsc = join(repository, 'node_modules', 'typescript', 'bin', 'tsc')
    const { stdout, status } = await runNode([tsc, '-p', '.', '--pretty', 'false'], { cwd: consumer.folder })
    expect(stdout).toBe('')
    expect(status).toBe(0)
  })

  for (const { line, code, noRun, output } of programs) {
    if (noRun !== undefined) continue
    it(`runs the program at line ${line} to the output it shows`, async () => {
      const name = `line-${line}.js`
      await writeFile(join(consumer.folder, name), (await transformWithOxc(code, 'block.ts', { lang: 'ts' })).code)
      const { status, stdout, stderr } = await runNode([name], { cwd: consumer.folder, env: await gpuEnvironment() })
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      expect(output).toBeDefined()
      if (!patternOf(output!).test(stdout)) expect(stdout.trimEnd()).toBe(output)
    })
  }
})
