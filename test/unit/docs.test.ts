// Guards the documentation: links lead somewhere, files that are named exist, the index is complete, tables agree.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { places, summaryTable, tableIn, wholeTable, withTable } from '../../scripts/portability-table.mjs'
import { anchorsOf, linksOf } from '../support/package/markdown.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** Markdown files in a folder, relative to the repository. */
const markdownIn = (folder: string, recursive: boolean): string[] =>
  readdirSync(join(root, folder), { recursive, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name).replaceAll('\\', '/'))

const pages = [...markdownIn('', false), ...['docs', 'examples', 'bench', 'test'].flatMap((f) => markdownIn(f, true))]

test('all pages are looked at', () => {
  expect(pages).toEqual(
    expect.arrayContaining(['README.md', 'CONTRIBUTING.md', 'docs/README.md', 'examples/README.md']),
  )
})

describe.each(pages)('%s', (page) => {
  const text = read(page)

  test('links only to files and headings that exist', () => {
    const broken = linksOf(text).filter((link) => {
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? page : relative(root, join(root, dirname(page), path))
      if (!existsSync(join(root, target))) return true
      return anchor !== undefined && !anchorsOf(read(target)).includes(anchor)
    })
    expect(broken).toEqual([])
  })

  test('names only files of this repository that exist', () => {
    const prose = text.replace(/^```[\s\S]*?^```/gm, '')
    const named = [
      ...prose.matchAll(
        /`(?:node |\.\.\/)?((?:src|shaders|assembly|scripts|test|bench|docs|demo|examples)\/[\w./*-]+)/g,
      ),
    ]
    const missing = named.map(([, path = '']) => path).filter((path) => !/^demo\/dist/.test(path) && !exists(path))
    expect(missing).toEqual([])
  })
})

/** @param path its last name may have a `*` for any characters */
function exists(path: string): boolean {
  if (!path.includes('*')) return existsSync(join(root, path))
  const folder = join(root, dirname(path))
  const [before = '', after = ''] = basename(path).split('*')
  return existsSync(folder) && readdirSync(folder).some((name) => name.startsWith(before) && name.endsWith(after))
}

test('the README is read in a minute', () => {
  expect(read('README.md').split('\n').length).toBeLessThan(150)
})

test('docs/README.md leads to every page, and no page is without a way to it', () => {
  const links = linksOf(read('docs/README.md'))
  const files = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md') && name !== 'README.md')
  expect(files.filter((name) => !links.includes(name))).toEqual([])
  expect(linksOf(read('README.md'))).toContain('docs/README.md')
})

describe('tables of the public names', () => {
  /** What is in backquotes in the first column of a page's tables. */
  const firstColumn = (page: string): string[] =>
    [...read(page).matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
    )

  test('docs/options.md has every option', () => {
    const [, body = ''] =
      /export interface InitializeOptions(?:<[^\n]*>)? \{\n([\s\S]*?)\n\}/.exec(read('src/plan/options.ts')) ?? []
    const options = [...body.matchAll(/^ {2}readonly (\w+)\?:/gm)].map(([, name]) => name)
    expect(options.length).toBeGreaterThan(10)
    expect(firstColumn('docs/options.md').sort()).toEqual(options.sort())
  })

  test('docs/memory.md has every error code', () => {
    const [, body = ''] = /export type WeightInitErrorCode =\n([\s\S]*?)\n\n/.exec(read('src/core/errors.ts')) ?? []
    const codes = [...body.matchAll(/'(\w+)'/g)].map(([, code]) => code)
    expect(codes.length).toBeGreaterThan(10)
    expect(firstColumn('docs/memory.md').sort()).toEqual(codes.sort())
  })

  test('docs/results.md has every member of InitializedModel and every field of a parameter', () => {
    const source = read('src/weights/initialized-model.ts')
    const [, fields = ''] = /export interface InitializedParameter(?:<[^\n]*>)? \{\n([\s\S]*?)\n\}/.exec(source) ?? []
    const [, members = ''] = /export class InitializedModel[^\n]*\{\n([\s\S]*?)\n\}\n/.exec(source) ?? []
    const names = [
      ...[...fields.matchAll(/^ {2}readonly (\w+)\??:/gm)].filter(([, name]) => name !== 'name'),
      ...withoutInternal(members).matchAll(/^ {2}(?:readonly |async )?([a-z]\w+)(?::|\()/gm),
    ].map(([, name]) => name!)
    expect(names).toEqual(expect.arrayContaining(['backend', 'get', 'verify', 'destroy', 'segments', 'expected']))
    const shown = firstColumn('docs/results.md').map((name) => name.replace(/\(.*/, ''))
    expect(names.filter((name) => name !== 'constructor' && !shown.includes(name))).toEqual([])
  })
})

/** A class's text without what is documented as internal. */
function withoutInternal(text: string): string {
  return text.replace(/ {2}\/\*\*(?:(?!\*\/)[\s\S])*@internal[\s\S]*?\n {2}\}\n/g, '')
}

describe('the portability tables', () => {
  const whole = tableIn(read('docs/portability.md'), 'portability')
  const cells = whole.split('\n').map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  )
  const [header = [], , ...rows] = cells

  test('the README sums up docs/portability.md', () => {
    expect(rows.length).toBeGreaterThan(1)
    expect(tableIn(read('README.md'), 'portability summary')).toBe(summaryTable(rows))
    expect(rows.every((row) => row.length === header.length)).toBe(true)
  })

  test('are written as they are read', () => {
    expect(wholeTable(header.slice(2), rows)).toBe(whole)
    for (const { file, mark } of places) {
      const text = read(file)
      expect(withTable(text, mark, tableIn(text, mark))).toBe(text)
      expect(tableIn(withTable(text, mark, '| new |'), mark)).toBe('| new |')
    }
    expect(() => tableIn('no comments here', 'portability')).toThrow('no place')
  })

  test('a summary is refused where a measurement is missing, and counts what differs', () => {
    const both = [
      ['A', 'SwiftShader 5', '1', '2'],
      ['A', 'llvmpipe (LLVM)', '0', '0'],
    ]
    expect(summaryTable(both).split('\n').at(-1)).toBe('| A | 3 | 0 |')
    expect(() => summaryTable(both.slice(1))).toThrow('A was not measured on SwiftShader')
    expect(() => summaryTable([['A', 'another', '0']])).toThrow('no column')
  })
})
