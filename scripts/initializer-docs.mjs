// Writes the tables of the initializers' schemas into docs/initializers.md and docs/cli.md, between the lines
// <!-- generated: NAME --> and <!-- end -->. --write changes the files; test/unit/initializers/schema.test.ts checks them.
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

const row = (cells) => `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`
const table = (head, rows) => [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')
const code = (text) => `\`${text}\``
const literal = (value) => (typeof value === 'string' ? `'${value}'` : String(value))

/** A table of all names, and a table of settings for every class that has settings. */
export function initializerTables({ familyHelp, settingsOf, rangeOf }) {
  const overview = familyHelp.map(({ family, summary, distribution, citation }) => [
    Object.keys(family.names).map(code).join(', '),
    summary,
    distribution,
    citation,
  ])
  const fixed = familyHelp.flatMap(({ family }) =>
    Object.keys(family.names).flatMap((name) => {
      const own = { ...family.names[name], ...family.defaults?.[name] }
      if (Object.keys(own).length === 0) return []
      const first = Object.keys(family.names)[0]
      const what = Object.entries(own).map(([key, value]) => `${key}: ${literal(value)}`)
      return [[code(name), code(`${first}, { ${what.join(', ')} }`), family.defaults?.[name] ? 'defaults' : 'fixed']]
    }),
  )
  const settings = familyHelp.flatMap(({ family }) => {
    const [name] = Object.keys(family.names)
    return settingsOf(name).map(({ key, setting, help, initial }) => [
      code(name),
      code(key),
      setting.choices === undefined
        ? rangeOf(setting)
        : setting.choices.map((choice) => code(literal(choice))).join(', '),
      initial !== undefined ? code(literal(initial)) : setting.optional ? 'left out' : 'required',
      help,
    ])
  })
  return [
    table(['names', 'what', 'distribution', 'source'], overview),
    table(['name', 'is', 'its settings are'], fixed),
    table(['initializer', 'setting', 'values', 'default', 'meaning'], settings),
  ].join('\n\n')
}

/** The flags of --init NAME. */
export function settingFlagTable({ settingFlags }) {
  return table(
    ['flag', 'setting'],
    Object.entries(settingFlags).map(([name, { value, help }]) => [
      code(`--${name}${value === undefined ? '' : ` ${value}`}`),
      help,
    ]),
  )
}

/** The document's text with one generated block replaced. */
export function withBlock(text, name, block) {
  const start = `<!-- generated: ${name} -->\n`
  const from = text.indexOf(start)
  const to = text.indexOf('\n<!-- end -->', from)
  if (from < 0 || to < 0) throw new Error(`There is no block ${start.trim()} ... <!-- end -->.`)
  return `${text.slice(0, from + start.length)}\n${block}\n${text.slice(to)}`
}

/** The text that each document should have, by path. */
export async function documents(help, settings) {
  const blocks = [
    ['docs/initializers.md', 'initializers', initializerTables(help)],
    ['docs/cli.md', 'settings', settingFlagTable(settings)],
  ]
  return new Map(
    await Promise.all(
      blocks.map(async ([path, name, block]) => [
        path,
        withBlock(await readFile(join(root, path), 'utf8'), name, block),
      ]),
    ),
  )
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { runnerImport } = await import('vite')
  const load = async (path) => (await runnerImport(join(root, path), { configFile: false, logLevel: 'error' })).module
  const wanted = await documents(await load('src/initializers/help.ts'), await load('src/cli/settings.ts'))
  for (const [path, text] of wanted) {
    if (process.argv.includes('--write')) await writeFile(join(root, path), text)
    else if ((await readFile(join(root, path), 'utf8')) !== text) {
      console.error(`${path} is stale; run: node scripts/initializer-docs.mjs --write`)
      process.exitCode = 1
    }
  }
}
