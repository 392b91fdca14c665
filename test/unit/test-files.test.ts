// The tests themselves: each says what it guards, lies where its subject does, and asks no clock of the machine.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .map((name) => name.replaceAll('\\', '/'))
  .filter((name) => name.endsWith('.test.ts'))
const textOf = (file: string): string => readFileSync(join(root, 'test', file), 'utf8')

/** Unit tests of no one layer. Every other lies in the folder that its subject has in src. */
const spanning = ['architecture', 'bench', 'contract', 'docs', 'fuzz.slow', 'public-api', 'test-files']

test('the first line of every file says what it guards', () => {
  expect(files.length).toBeGreaterThan(80)
  const silent = files.filter((file) => !/^\/\/ \S.{29,}\n/.test(textOf(file)))
  expect(silent).toEqual([])
})

test('the folders of test/unit are those of src', () => {
  const unit = files.filter((file) => file.startsWith('unit/')).map((file) => file.slice('unit/'.length))
  const loose = unit.filter((file) => dirname(file) === '.').map((file) => basename(file, '.test.ts'))
  expect(loose.sort()).toEqual(spanning)
  const folders = new Set(unit.map((file) => dirname(file)))
  expect([...folders].filter((folder) => !existsSync(join(root, 'src', folder)))).toEqual([])
})

test('every file belongs to a project of vitest.config.ts', () => {
  const projects = ['unit', 'gpu', 'package', 'browser', 'python']
  expect(files.filter((file) => !projects.includes(file.slice(0, file.indexOf('/'))))).toEqual([])
  expect(files.filter((file) => file.endsWith('.slow.test.ts') && !file.startsWith('unit/'))).toEqual([])
})

test('no test measures time, or memory as the machine sees it', () => {
  // What a busy machine changes. Count operations, collect garbage first (test/support/leaks.ts), or bring a clock.
  const measures = /\bperformance\.now\(|\bDate\.now\(|\bhrtime\b|\.rss\b|\bmemoryUsage\.rss/
  expect(measures.test('const began = performance.now()')).toBe(true)
  const self = 'unit/test-files.test.ts'
  expect(files.filter((file) => file !== self && measures.test(textOf(file)))).toEqual([])
})

test('tests and helpers that a text names are there', () => {
  const skipped = /^(node_modules|dist|\.git|test\/vectors|demo\/dist)(\/|$)/
  const texts = readdirSync(root, { recursive: false, encoding: 'utf8' })
    .filter((name) => !skipped.test(name))
    .flatMap((name) =>
      statSync(join(root, name)).isDirectory()
        ? readdirSync(join(root, name), { recursive: true, encoding: 'utf8' }).map((file) => `${name}/${file}`)
        : [name],
    )
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => /\.(md|ts|mjs|c|wgsl|json)$/.test(name) && !skipped.test(name) && !name.includes('node_modules/'))
  const gone = texts.flatMap((name) => {
    const named = readFileSync(join(root, name), 'utf8').match(/(?<![\w./-])test\/[\w./-]+\.(?:ts|mjs|js)\b/g) ?? []
    return named.filter((path) => !existsSync(join(root, path))).map((path) => `${name}: ${path}`)
  })
  expect(gone).toEqual([])
})
