// Guards what follows from the initializers' schemas: nothing is forgotten in an index, every setting of every name is reached
// through the command line and through the page, and the tables in docs/ are what the schemas say.
import { readdirSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { changedSettings, configOf, initializers, knobsOf, summaryOf } from '../../../demo/knobs.ts'
import { argumentsOf, type Request, snippetOf } from '../../../demo/snippet.ts'
import { documents } from '../../../scripts/initializer-docs.mjs'
import { initCommand } from '../../../src/cli/commands/init.js'
import { planCommand } from '../../../src/cli/commands/plan.js'
import { runCli } from '../../../src/cli/main.js'
import { flagName, settingFlags } from '../../../src/cli/settings.js'
import { planModel } from '../../../src/index.js'
import * as exported from '../../../src/initializers/families/index.js'
import * as help from '../../../src/initializers/help.js'
import { contextOf } from '../../../src/initializers/initializer.js'
import { createInitializer, families, initializerNames } from '../../../src/initializers/registry.js'
import type { InitializerFamily } from '../../../src/initializers/schema.js'
import { validateModel } from '../../../src/model/validate.js'
import { optionKeys } from '../../../src/plan/options.js'
import { families as rows } from '../../support/families.js'

const { familyHelp, isChoice, kindOf, rangeOf, settingsOf } = help
const root = fileURLToPath(new URL('../../../', import.meta.url))

const isFamily = (value: unknown): value is InitializerFamily => typeof value === 'function' && 'names' in value

/** A model that the name's row in test/support/families.ts initialises. */
const modelOf = (name: string) => rows.find((row) => row.name === name)!.cases[0]!.model

/** The settings that must be given, with a value that is allowed. */
const required = (name: string): Record<string, unknown> =>
  Object.fromEntries(
    knobsOf(name).flatMap((knob) =>
      initialOf(name, knob.name) === undefined && !knob.optional ? [[knob.name, Number(knob.start)]] : [],
    ),
  )
const initialOf = (name: string, key: string) => settingsOf(name).find((setting) => setting.key === key)?.initial

/** A value that the setting takes beside the others' defaults, and that is not its default. */
function anotherValue(name: string, key: string): string | number | boolean {
  const { setting, initial } = settingsOf(name).find((named) => named.key === key)!
  const candidates = isChoice(setting) ? setting.choices : [0.25, 0.5, 2, 3, -1]
  const found = candidates.find((value) => {
    if (value === initial) return false
    try {
      planModel(modelOf(name), createInitializer(name, { ...required(name), [key]: value }), { seed: 1 })
      return true
    } catch {
      return false
    }
  })
  if (found === undefined) throw new Error(`no other value for ${key} of ${name}`)
  return found
}

/** Every name with every setting it takes. */
const walk = initializerNames.flatMap((name) => settingsOf(name).map(({ key }) => [name, key] as const))

describe('nothing is forgotten', () => {
  test('every class in families/ is in the index, in the registry, and has its help beside it', async () => {
    const folder = join(root, 'src/initializers/families')
    const files = readdirSync(folder).filter((file) => file !== 'index.ts')
    for (const file of files) {
      const module: Record<string, unknown> = await import(join(folder, file))
      const classes = Object.values(module).filter(isFamily)
      expect(classes, file).not.toEqual([])
      for (const family of classes) {
        expect(families, file).toContain(family)
        expect(Object.values(exported), `families/index.ts needs a line for ${file}`).toContain(family)
        expect(
          Object.values(module).some((value) => (value as { family?: unknown }).family === family),
          `help in ${file}`,
        ).toBe(true)
      }
    }
    expect(families).toHaveLength(Object.values(exported).filter(isFamily).length)
    expect(familyHelp.map(({ family }) => family)).toEqual(families)
  })

  test('every name is one class’s, has a row in test/support/families.ts, and is offered by the page', () => {
    const names = families.flatMap((family) => Object.keys(family.names))
    expect(new Set(names).size).toBe(names.length)
    expect(initializerNames).toEqual(names)
    expect(rows.map(({ name }) => name).sort()).toEqual([...names].sort())
    expect(initializers).toEqual(names)
  })

  test('every setting has a flag in both commands, which no other flag has', () => {
    const flags = [...help.allSettings().keys()].map(flagName)
    expect(Object.keys(settingFlags)).toEqual(flags)
    for (const { flags: known } of [planCommand, initCommand]) {
      for (const name of flags) expect(known[name], name).toBe(settingFlags[name])
    }
    for (const key of help.allSettings().keys())
      expect(optionKeys, `${key} is an option of the call`).not.toContain(key)
  })
})

describe.each(familyHelp.map((entry) => [Object.keys(entry.family.names)[0]!, entry] as const))(
  '%s',
  (first, entry) => {
    const { family } = entry
    test('its schema is sound', () => {
      for (const [key, setting] of Object.entries(family.settings)) {
        const kinds = new Set(
          help
            .allSettings()
            .get(key)!
            .map((user) => kindOf(user.setting)),
        )
        expect(kinds.size, `${key} has one kind, or its flag has none`).toBe(1)
        if (isChoice(setting)) expect(setting.choices).toContain(setting.default)
        else if (rangeOf(setting) !== 'a number') expect(setting.refusal, `${key} has a range`).toContain('%')
      }
      for (const [name, fixed] of [...Object.entries(family.names), ...Object.entries(family.defaults ?? {})]) {
        expect(Object.keys(family.names)).toContain(name)
        for (const key of Object.keys(fixed)) expect(Object.keys(family.settings)).toContain(key)
      }
    })

    test('its help says something about everything', () => {
      expect(Object.keys(entry.settings)).toEqual(Object.keys(family.settings))
      for (const text of [entry.summary, entry.distribution, entry.citation, ...Object.values(entry.settings)]) {
        expect(text.length).toBeGreaterThan(3)
      }
    })

    test('the defaults are what it makes of an empty config', () => {
      for (const name of Object.keys(family.names)) {
        const made = createInitializer(name, required(name))
        expect(made.name).toBe(first)
        for (const { key, initial } of settingsOf(name)) {
          if (initial !== undefined) expect(made.config[key], `${name}.${key}`).toBe(initial)
        }
        expect(Object.isFrozen(made.config)).toBe(true)
      }
    })

    test('usesFans says whether its distribution asks for fans', () => {
      let asked = false
      const model = validateModel(modelOf(first))
      for (const parameter of model) {
        const context = contextOf(parameter, new Map(model.map((p) => [p.name, p])), 'layout')
        const watched = {
          ...context,
          fans: () => {
            asked = true
            return context.fans()
          },
          torchFansOf: (other: typeof parameter) => {
            asked = true
            return context.torchFansOf(other)
          },
        }
        createInitializer(first, required(first)).distribution(watched)
      }
      expect(family.usesFans).toBe(asked)
    })
  },
)

describe('every setting is reached', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'webgpu-init-settings-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  /** The plan that `webgpu-init plan` prints. */
  async function planned(...args: string[]) {
    let stdout = ''
    const out = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      stdout += text
      return true
    })
    try {
      await runCli(['plan', ...args, '--json', '--seed', '1'], '1.2.3')
    } finally {
      out.mockRestore()
    }
    return JSON.parse(stdout)
  }

  /** What was chosen for each parameter, of a plan or of its JSON. */
  const factsOf = (plan: object): unknown =>
    (plan as { parameters: readonly { rule: object; distribution: object }[] }).parameters.map(
      ({ rule, distribution }) => JSON.parse(JSON.stringify({ rule: { ...rule, because: undefined }, distribution })),
    )

  async function modelFile(name: string): Promise<string> {
    const path = join(folder, `${name}.json`)
    await writeFile(path, JSON.stringify({ parameters: modelOf(name).parameters }))
    return path
  }

  test.each(walk)('--init %s, setting %s', async (name, key) => {
    const value = anotherValue(name, key)
    const config = { ...required(name), [key]: value }
    const expected = planModel(modelOf(name), createInitializer(name, config), { seed: 1 })
    const flags = Object.entries(config).flatMap(([setting, given]) =>
      given === true ? [`--${flagName(setting)}`] : [`--${flagName(setting)}`, String(given)],
    )
    const plan = await planned(await modelFile(name), '--init', name, ...flags)
    expect(factsOf(plan)).toEqual(factsOf(expected))
  })

  test('--fans and --generator, by name and with settings', async () => {
    const path = join(folder, 'transposed.json')
    const parameters = [{ name: 'w', shape: [6, 4, 3, 3], layout: 'transposed' as const }]
    await writeFile(path, JSON.stringify({ parameters }))
    const plan = (options: object) => planModel({ parameters }, 'kaiming', {}, { seed: 1, ...options })
    expect(factsOf(await planned(path, '--init', 'kaiming', '--fans', 'torch'))).toEqual(
      factsOf(plan({ fans: 'torch' })),
    )
    expect(factsOf(plan({ fans: 'torch' }))).not.toEqual(factsOf(plan({})))
    expect(await planned(path, '--init', 'kaiming', '--generator', 'jax')).toMatchObject({ generator: 'jax' })
    const cpu = '{ "name": "torch-cpu", "truncation": "inversion" }'
    expect(await planned(path, '--init', 'kaiming', '--generator', cpu)).toMatchObject({
      generatorSettings: { name: 'torch-cpu', truncation: 'inversion' },
    })
  })

  /** The page's request with these fields, as the form reads them. */
  const requestOf = (name: string, fields: ReadonlyMap<string, string | boolean>): Request => ({
    source: { kind: 'config', fileName: 'model.json', text: JSON.stringify({ parameters: modelOf(name).parameters }) },
    initializer: name,
    config: configOf(name, fields),
    seed: '1',
    dtype: '',
    generator: 'philox',
    fans: 'layout',
  })

  test.each(walk)('the page: %s, setting %s', (name, key) => {
    const value = anotherValue(name, key)
    const knob = knobsOf(name).find((field) => field.name === key)!
    expect(knob.help.length).toBeGreaterThan(3)
    if (knob.kind === 'choice') expect(knob.choices).toContain(value)
    const request = requestOf(name, new Map([[key, knob.kind === 'flag' ? (value as boolean) : String(value)]]))
    const { model, initializer, config, options } = argumentsOf(request)
    const expected = planModel(modelOf(name), createInitializer(name, { ...required(name), [key]: value }), { seed: 1 })
    expect(factsOf(planModel(model, initializer as 'xavier', config, options))).toEqual(factsOf(expected))
    // The code that it shows gives what differs from the defaults, and nothing else.
    expect(changedSettings(name, config)).toEqual({ ...required(name), [key]: value })
    expect(snippetOf(request)).toContain(`${key}: ${typeof value === 'string' ? `'${value}'` : value}`)
  })

  test.each(initializerNames)('the page: %s as it starts', (name) => {
    const { model, initializer, config, options } = argumentsOf(requestOf(name, new Map()))
    const expected = planModel(modelOf(name), createInitializer(name, required(name)), { seed: 1 })
    expect(factsOf(planModel(model, initializer as 'xavier', config, options))).toEqual(factsOf(expected))
    expect(changedSettings(name, config)).toEqual(required(name))
    expect(summaryOf(name).length).toBeGreaterThan(10)
  })
})

test('docs/initializers.md and docs/cli.md hold what the schemas say: node scripts/initializer-docs.mjs --write', async () => {
  for (const [path, text] of await documents(help, { settingFlags })) {
    expect(await readFile(join(root, path), 'utf8'), path).toBe(text)
  }
})
