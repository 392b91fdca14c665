// Guards the layers of src: every file is in one, imports go down, nothing goes in a circle. docs/architecture.md draws it.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** From the bottom up. Folders on one line do not import each other. */
const layers: readonly (readonly string[])[] = [
  ['core'],
  ['random', 'linalg'],
  ['ir'],
  ['model', 'distributions', 'generators'],
  ['initializers'],
  ['plan'],
  ['fill'],
  ['statistics', 'signal', 'recipes', 'python'],
  ['store'],
  ['cpu'],
  ['gpu'],
  ['weights'],
  ['readers', 'report'],
  ['interop', 'node'],
  ['cli'],
]
/** The same inside the GPU backend. */
const gpuLayers: readonly (readonly string[])[] = [
  ['shaders'],
  ['device'],
  ['pipelines'],
  ['weights', 'fill', 'statistics'],
  ['orthogonal', 'signal', 'self-test'],
]
/** The only files directly in src: what a package entry names. */
const entries = ['index.ts', 'node.ts', 'cli.ts']
/** A folder with more files than this has no order in it yet. */
const MOST_FILES = 14

type Graph = ReadonlyMap<string, readonly string[]>

/** Every TypeScript file below a folder, with the files there that it imports: types and dynamic imports too. */
function importsWithin(folder: string): Graph {
  const base = join(root, folder)
  const files = readdirSync(base, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
  return new Map(
    files.map((file) => {
      const text = readFileSync(join(base, file), 'utf8')
      const specifiers = [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'(\.[^']+)'/g)].map(([, path = '']) => path)
      const targets = specifiers.map((path) =>
        relative(base, join(base, dirname(file), path))
          .replaceAll('\\', '/')
          .replace(/\.js$/, '.ts'),
      )
      return [file, targets.filter((target) => files.includes(target))] as const
    }),
  )
}

/** Circles of imports, each as the files on it. Tarjan's strongly connected components. */
function circles(graph: Graph): string[][] {
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const open: string[] = []
  const found: string[][] = []
  const visit = (file: string): void => {
    order.set(file, order.size)
    lowest.set(file, order.get(file)!)
    open.push(file)
    for (const target of graph.get(file) ?? []) {
      if (!order.has(target)) visit(target)
      if (open.includes(target)) lowest.set(file, Math.min(lowest.get(file)!, lowest.get(target)!))
    }
    if (lowest.get(file) !== order.get(file)) return
    const circle = open.splice(open.indexOf(file))
    if (circle.length > 1 || (graph.get(file) ?? []).includes(file)) found.push(circle.sort())
  }
  for (const file of graph.keys()) if (!order.has(file)) visit(file)
  return found
}

/** Imports that go up, or sideways between two folders of one line, as 'from -> to'. */
function upward(graph: Graph, lines: readonly (readonly string[])[], folderOf: (file: string) => string): string[] {
  const height = new Map(lines.flatMap((line, index) => line.map((folder) => [folder, index] as const)))
  const wrong: string[] = []
  for (const [file, targets] of graph) {
    const from = folderOf(file)
    for (const target of targets) {
      const to = folderOf(target)
      if (from !== to && height.has(from) && height.has(to) && height.get(to)! >= height.get(from)!) {
        wrong.push(`${file} -> ${target}`)
      }
    }
  }
  return wrong
}

const source = importsWithin('src')
const topFolder = (file: string): string => (file.includes('/') ? file.slice(0, file.indexOf('/')) : '')

describe('src', () => {
  test('every file is in a layer, or is an entry', () => {
    const known = layers.flat()
    const loose = [...source.keys()].filter((file) => !entries.includes(file) && !known.includes(topFolder(file)))
    expect(loose).toEqual([])
    expect(new Set([...source.keys()].map(topFolder)), 'every layer has files').toEqual(new Set(['', ...known]))
  })

  test('imports go down', () => {
    expect(upward(source, layers, topFolder)).toEqual([])
    expect(
      [...source].filter(([file, targets]) => topFolder(file) !== '' && targets.some((t) => entries.includes(t))),
    ).toEqual([])
  })

  test('inside gpu/ imports go down too', () => {
    const gpu = new Map([...source].filter(([file]) => file.startsWith('gpu/')))
    const folderOf = (file: string): string => (file.startsWith('gpu/') ? (file.split('/').at(-2) ?? '') : '')
    expect(upward(gpu, gpuLayers, folderOf)).toEqual([])
    const folders = new Set([...gpu.keys()].map(folderOf))
    expect(folders).toEqual(new Set(['gpu', ...gpuLayers.flat()]))
    // The backend itself stands above its families.
    const below = [...gpu].filter(([file]) => folderOf(file) !== 'gpu')
    expect(below.flatMap(([, targets]) => targets.filter((target) => folderOf(target) === 'gpu'))).toEqual([])
  })

  test('gpu/ submits commands in one place, and compiles pipelines without knowing whose they are', () => {
    const texts = [...source.keys()]
      .filter((file) => file.startsWith('gpu/'))
      .map((file) => [file, readFileSync(join(root, 'src', file), 'utf8')] as const)
    const filesWith = (pattern: RegExp): string[] =>
      texts.filter(([, text]) => pattern.test(text)).map(([file]) => file)
    expect(filesWith(/\bqueue\.submit\(/)).toEqual(['gpu/device/submit.ts'])
    expect(filesWith(/\.createComputePipelineAsync\(/)).toEqual(['gpu/pipelines/pipelines.ts'])
    expect(filesWith(/\.createBindGroup\(/)).toEqual(['gpu/pipelines/bind-groups.ts'])
    const families = gpuLayers.slice(gpuLayers.findIndex((line) => line.includes('pipelines')) + 1).flat()
    const entries = new RegExp(`'(${families.join('|')})/`)
    expect(filesWith(entries).filter((file) => file.startsWith('gpu/pipelines/'))).toEqual([])
    expect(filesWith(entries).length).toBeGreaterThan(4)
  })

  test('ir/ has types and constants, no functions', () => {
    const texts = [...source.keys()]
      .filter((file) => file.startsWith('ir/'))
      .map((file) => [file, readFileSync(join(root, 'src', file), 'utf8')] as const)
    expect(texts.length).toBeGreaterThan(4)
    expect(
      texts
        .filter(([, text]) =>
          /\bfunction\b|^export const \w+[^\n]*=>|\bclass\b/m.test(text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')),
        )
        .map(([file]) => file),
    ).toEqual([])
  })

  test(`no folder has more than ${MOST_FILES} files`, () => {
    const counts = new Map<string, number>()
    for (const file of source.keys()) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1)
    expect([...counts].filter(([, count]) => count > MOST_FILES)).toEqual([])
  })
})

test.each(['src', 'demo', 'report', 'assembly'])('%s: no file imports itself on a way round', (folder) => {
  const graph = importsWithin(folder)
  expect(graph.size).toBeGreaterThan(1)
  expect(circles(graph)).toEqual([])
})

test('the circle finder finds one', () => {
  const graph = new Map([
    ['a', ['b']],
    ['b', ['c']],
    ['c', ['b']],
  ])
  expect(circles(graph)).toEqual([['b', 'c']])
})

test('shaders lie in folders', () => {
  const loose = readdirSync(join(root, 'shaders'), { withFileTypes: true }).filter((entry) => !entry.isDirectory())
  expect(loose.map(({ name }) => name)).toEqual([])
})

describe('docs/architecture.md', () => {
  const page = readFileSync(join(root, 'docs', 'architecture.md'), 'utf8')

  /** The first column of the table after a comment, a line of folders each. */
  function tableAfter(comment: string): string[][] {
    const [, after = ''] = page.split(`<!-- ${comment} -->\n`)
    const rows = after.trimStart().split('\n\n')[0]!.split('\n').slice(2)
    return rows.map((row) => [...row.split('|')[1]!.matchAll(/`([^`]+)`/g)].map(([, folder = '']) => folder))
  }

  test.each([
    ['layers of src', layers],
    ['layers of src/gpu', gpuLayers],
  ])('has the %s, in their order', (comment, lines) => {
    expect(tableAfter(comment)).toEqual(lines)
  })
})
