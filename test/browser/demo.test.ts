// The page as a person uses it, built as static files and served from a folder below the server's root.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  initializeModel,
  initializerNames,
  linear,
  parseSafetensorsHeader,
  relu,
  safetensorsHeaderLength,
  sequential,
} from '../../src/index.js'
import { settingsOf } from '../../src/initializers/help.js'
import { layoutSafetensors } from '../../src/readers/safetensors.js'
import { audit, tabWalk } from '../support/package/accessibility.js'
import { launchChromium, PATIENCE_MS, type Server, serve } from '../support/package/browser.js'
import { repository } from '../support/package/package.js'

let folder: string
let server: Server
let browser: Browser
let context: BrowserContext
let problems: string[]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'webgpu-init-demo-'))
  await build({
    configFile: join(repository, 'demo', 'vite.config.ts'),
    logLevel: 'error',
    build: { outDir: folder, emptyOutDir: true },
  })
  server = await serve({ somewhere: folder })
  browser = await launchChromium()
})
afterAll(async () => {
  await browser?.close()
  await server?.close()
  await rm(folder, { recursive: true, force: true })
})
beforeEach(async () => {
  problems = []
  context = await browser.newContext({ viewport: { width: 1200, height: 900 }, acceptDownloads: true })
})
afterEach(async () => {
  await context.close()
  expect(problems).toEqual([])
})

function watch(page: Page): Page {
  page.setDefaultTimeout(PATIENCE_MS)
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text())
  })
  page.on('pageerror', (error) => problems.push(`uncaught: ${error.message}`))
  page.on('requestfailed', (request) => problems.push(`failed: ${request.url()}`))
  page.on('response', (response) => {
    if (response.status() >= 400) problems.push(`${response.status()}: ${response.url()}`)
  })
  return page
}

async function open(script?: string): Promise<Page> {
  const page = watch(await context.newPage())
  if (script !== undefined) await page.addInitScript(script)
  await page.goto(`${server.origin}/somewhere/index.html`)
  await page.waitForFunction(() => document.querySelector('#place')?.getAttribute('data-backend') !== null)
  return page
}

/** Presses Initialize and waits for the end; gives the status line. */
async function run(page: Page): Promise<string> {
  await page.getByRole('button', { name: 'Initialize' }).click()
  await page.waitForFunction(
    () =>
      /^(Done|Cancelled)/.test(document.querySelector('#status')?.textContent ?? '') ||
      document.querySelector('#error')?.textContent !== '',
  )
  expect(await page.textContent('#error')).toBe('')
  return (await page.textContent('#status')) ?? ''
}

async function setMlp(page: Page, fields: Readonly<Record<string, number>>): Promise<void> {
  for (const [name, value] of Object.entries(fields)) await page.fill(`#form input[name=${name}]`, String(value))
}

const tile = (page: Page, name: string): Promise<string | null> =>
  page.locator('#tiles div', { hasText: name }).locator('dd').textContent()

describe('the page, on WebGPU', () => {
  it('initialises an MLP by keyboard alone: measured, compared, drawn', async () => {
    const page = await open()
    expect(await page.getAttribute('#place', 'data-backend')).toBe('webgpu')
    await setMlp(page, { inputs: 300, width: 100, depth: 3, outputs: 7 })
    expect(await page.textContent('#totals')).toBe('8 parameters, 51,007 elements, 204 kB')
    await page.focus('button.primary')
    await page.keyboard.press('Enter')
    await page.waitForFunction(() => document.querySelector('#status')?.textContent?.startsWith('Done'))
    expect(await tile(page, 'Bits that differ')).toBe('0 of 1.63 M')
    expect(await page.locator('#table tbody tr').count()).toBe(8)
    expect(await page.locator('#table tbody td.good').allTextContents()).toEqual(Array(8).fill('equal'))
    // The largest parameter is shown in detail; another one by keyboard.
    expect(await page.textContent('#detail-title')).toContain('0.weight: normal')
    expect(await page.locator('#histogram svg rect, #histogram svg path').count()).toBeGreaterThan(10)
    await page.locator('#table button', { hasText: '2.bias' }).focus()
    await page.keyboard.press('Enter')
    await page.waitForFunction(() => document.querySelector('#detail-title')?.textContent?.startsWith('2.bias'))
    expect(await page.textContent('#histogram-caption')).toContain('There is no plot')
    await page.waitForFunction(() => document.querySelector('#moments tbody tr td:nth-child(3)')?.textContent === '100')
  })

  it('passes WCAG 2 A and AA before and after a run, in light, dark and narrow; Tab reaches everything, Space starts', async () => {
    const page = await open()
    await setMlp(page, { inputs: 300, width: 100, depth: 3, outputs: 7 })
    expect(await audit(page)).toEqual([])
    const start = await tabWalk(page)
    expect(start.faults).toEqual([])
    expect(start.reached).toBeGreaterThan(15)
    // From the page's beginning to the button by Tab alone.
    await page.evaluate(() => (document.activeElement as HTMLElement).blur())
    for (let step = 0; step < 40; step++) {
      if ((await page.evaluate(() => document.activeElement?.textContent)) === 'Initialize') break
      await page.keyboard.press('Tab')
    }
    await page.keyboard.press('Space')
    await page.waitForFunction(() => document.querySelector('#status')?.textContent?.startsWith('Done'))
    await page.locator('#backward svg[aria-label]').waitFor()
    expect(await audit(page)).toEqual([])
    const after = await tabWalk(page)
    expect(after.faults).toEqual([])
    // The parameters, the downloads.
    expect(after.reached).toBeGreaterThan(start.reached + 8)
    // An error is told to a screen reader, and the field is the one that is wrong.
    await page.fill('#form input[name=width]', '0')
    await page.keyboard.press('Enter')
    expect(await page.evaluate(() => document.activeElement?.getAttribute('name'))).toBe('width')
  })

  it('every initializer there is runs with the values it starts with, and the code it shows names it', async () => {
    const page = await open()
    await setMlp(page, { inputs: 24, width: 24, depth: 2, outputs: 24 })
    const names = await page.locator('#form select[name=initializer] option:not([disabled])').allTextContents()
    expect(names).toEqual(initializerNames)
    // An MLP has no kernels.
    const ofConvolutions = ['dirac', 'delta_orthogonal']
    for (const name of names) {
      await page.selectOption('#form select[name=initializer]', name)
      if (ofConvolutions.includes(name)) {
        expect(await page.textContent('#error'), name).toContain(name)
        continue
      }
      expect(await run(page), name).toBe('Done: every element was compared with the CPU.')
      expect(await page.textContent('#code')).toContain(`'${name}'`)
    }
  })

  it('has a field for every setting of every initializer, which reaches the plan', async () => {
    const page = await open()
    for (const name of initializerNames) {
      await page.selectOption('#form select[name=initializer]', name)
      const fields = await page
        .locator('#knobs [data-knob]')
        .evaluateAll((all) => all.map((field) => (field as HTMLElement).dataset.knob))
      expect(fields, name).toEqual(settingsOf(name).map(({ key }) => key))
    }
    await page.selectOption('#form select[name=initializer]', 'siren')
    await page.fill('#form [data-knob=omega]', '7')
    expect(await page.textContent('#code')).toContain("'siren', { omega: 7 }")
    await page.check('#form [data-knob=first]')
    expect(await page.textContent('#code')).toContain("'siren', { omega: 7, first: true }")
    await page.selectOption('#form select[name=initializer]', 'kaiming')
    await page.fill('#form [data-knob=gain]', '2')
    await page.selectOption('#form select[name=generator]', 'jax')
    await page.selectOption('#form select[name=fans]', 'torch')
    expect(await page.textContent('#code')).toContain(
      "'kaiming', { gain: 2 }, { seed: 42, generator: 'jax', fans: 'torch' }",
    )
    expect(await page.textContent('#error')).toBe('')
  })

  it('the code that it shows makes the same bits', async () => {
    const page = await open()
    await setMlp(page, { inputs: 20, width: 30, depth: 1, outputs: 5 })
    await page.selectOption('#form [data-knob=mode]', 'fan_out')
    await page.selectOption('#form select[name=dtype]', 'float16')
    await page.fill('#form input[name=seed]', '12345678901234567890')
    expect(await page.textContent('#code')).toBe(
      [
        "import { initializeModel, linear, relu, sequential } from 'webgpu-init'",
        '',
        'const model = sequential(linear(20, 30), relu(), linear(30, 5))',
        "const weights = await initializeModel(model, 'kaiming', { mode: 'fan_out' }, { seed: 12345678901234567890n, dtype: 'float16' })",
        '',
        'const { buffer } = weights.get([...weights.parameters.keys()][0]) // a GPUBuffer, ready to bind',
      ].join('\n'),
    )
    await run(page)
    // No file picker in this page: the file comes as a download.
    await page.evaluate(() => Object.defineProperty(window, 'showSaveFilePicker', { value: undefined }))
    const downloading = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Download .safetensors' }).click()
    const bytes = readFileSync(await (await downloading).path())
    const model = sequential(linear(20, 30), relu(), linear(30, 5))
    const options = { device: 'cpu', seed: 12345678901234567890n, dtype: 'float16' } as const
    const expected = await initializeModel(model, 'kaiming', { mode: 'fan_out' }, options)
    const length = safetensorsHeaderLength(bytes.subarray(0, 8), bytes.length)
    const { tensors } = parseSafetensorsHeader(bytes.subarray(0, 8 + length), bytes.length)
    expect(tensors.map(({ name }) => name)).toEqual(['0.weight', '0.bias', '2.weight', '2.bias'])
    for (const { name, byteOffset, byteLength } of tensors) {
      expect(bytes.subarray(byteOffset, byteOffset + byteLength).equals(await expected.readBytes(name)), name).toBe(
        true,
      )
    }
    const manifest = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Download manifest' }).click()
    expect(JSON.parse(await readFile(await (await manifest).path(), 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(expected.manifest())),
    )
  })

  it('streams a file to where the person says, where the browser can', async () => {
    const page = await open(`window.showSaveFilePicker = async ({ suggestedName }) =>
      (await navigator.storage.getDirectory()).getFileHandle(suggestedName, { create: true })`)
    await setMlp(page, { inputs: 64, width: 64, depth: 1, outputs: 64 })
    await run(page)
    await page.getByRole('button', { name: 'Download .safetensors' }).click()
    await page.waitForFunction(() => document.querySelector('#take-status')?.textContent?.endsWith('is written.'))
    const [byteLength, digest] = await page.evaluate(async () => {
      const handle = await (await navigator.storage.getDirectory()).getFileHandle('weights.safetensors')
      const bytes = await (await handle.getFile()).arrayBuffer()
      const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes.slice(-4 * 64)))
      return [bytes.byteLength, Array.from(hash, (b) => b.toString(16).padStart(2, '0')).join('')] as const
    })
    expect(byteLength).toBeGreaterThan(4 * (64 * 64 * 2 + 128))
    // The last bias: 64 zeros.
    expect(digest).toBe(createHash('sha256').update(new Uint8Array(256)).digest('hex'))
  })

  it('plans GPT-2, takes a config.json, and refuses what is none', async () => {
    const page = await open()
    await page.selectOption('#form select[name=model]', 'gpt2')
    expect(await page.textContent('#totals')).toBe('148 parameters, 124,439,808 elements, 498 MB')
    await page.fill('#filter', 'c_proj.weight')
    expect(await page.locator('#table tbody tr').count()).toBe(24)
    await page.fill('#filter', '')
    const config = join(folder, '..', 'config.json')
    await writeFile(
      config,
      JSON.stringify({ model_type: 'gpt2', n_layer: 2, n_embd: 64, vocab_size: 1000, n_positions: 32 }),
    )
    await page.setInputFiles('#file', config)
    await page.waitForFunction(() => document.querySelector('#totals')?.textContent?.startsWith('28 parameters'))
    expect(await run(page)).toBe('Done: every element was compared with the CPU.')
    await page.selectOption('#form select[name=model]', 'resnet50')
    expect(await page.textContent('#code')).toContain('recipes.resnet()')
    // A checkpoint's names and shapes: the head of the file is enough.
    const file = join(folder, '..', 'model.safetensors')
    const { header, byteLength } = layoutSafetensors([{ name: 'fc.weight', dtype: 'float16', shape: [6, 5] }])
    await writeFile(file, Buffer.concat([header, Buffer.alloc(byteLength - header.length)]))
    await page.setInputFiles('#file', file)
    await page.waitForFunction(
      () => document.querySelector('#totals')?.textContent === '1 parameter, 30 elements, 60 B',
    )
    await rm(file)
    await writeFile(config, '{"model_type": "unheard-of"}')
    await page.setInputFiles('#file', config)
    await page.waitForFunction(() => document.querySelector('#error')?.textContent?.includes('unheard-of'))
    await writeFile(config, 'no JSON')
    await page.setInputFiles('#file', config)
    await page.waitForFunction(() => document.querySelector('#error')?.textContent?.includes('JSON'))
    await rm(config)
  })

  it('says what is wrong with a setting, and goes on', async () => {
    const page = await open()
    await page.selectOption('#form select[name=initializer]', 'sparse')
    await page.fill('#form [data-knob=sparsity]', '2')
    await page.waitForFunction(() => document.querySelector('#error')?.textContent?.includes('sparsity'))
    await page.fill('#form [data-knob=sparsity]', '0.5')
    await setMlp(page, { inputs: 16, width: 16, depth: 1 })
    expect(await run(page)).toMatch(/^Done/)
  })

  it('500 MB: the page answers meanwhile, Cancel ends it, and the next run works', async () => {
    const page = await open()
    await page.selectOption('#form select[name=model]', 'gpt2')
    await page.getByRole('button', { name: 'Initialize' }).click()
    // The page still takes input while the weights are made. It happens in the page, with the first progress that is shown:
    // a test that came from outside could come too late.
    const meanwhile = await page.evaluate(async () => {
      const status = document.querySelector('#status')!
      await new Promise<void>((resolve) => {
        const observer = new MutationObserver(() => {
          if (!/Initialising: [1-9]/.test(status.textContent ?? '')) return
          observer.disconnect()
          resolve()
        })
        observer.observe(status, { childList: true, characterData: true, subtree: true })
      })
      const filter = document.querySelector<HTMLInputElement>('#filter')!
      filter.value = 'wte'
      filter.dispatchEvent(new Event('input', { bubbles: true }))
      await new Promise(requestAnimationFrame)
      const seen = { rows: document.querySelectorAll('#table tbody tr').length, status: status.textContent }
      document.querySelector<HTMLButtonElement>('#cancel')!.click()
      return seen
    })
    expect(meanwhile).toEqual({ rows: 1, status: expect.stringMatching(/^Initialising/) })
    await page.waitForFunction(() => document.querySelector('#status')?.textContent === 'Cancelled.')
    await page.fill('#filter', '')
    await page.getByRole('button', { name: 'Initialize' }).click()
    await page.waitForFunction(() => /^(Comparing|Done)/.test(document.querySelector('#status')?.textContent ?? ''))
    expect(await tile(page, 'On the GPU')).toBe('498 MB')
    await page.waitForFunction(() => /^Done/.test(document.querySelector('#status')?.textContent ?? ''))
    expect(await tile(page, 'Bits that differ')).toBe('0 of 537 M')
  })
})

describe('the page without WebGPU', () => {
  it('says so, and makes the same weights on the CPU in a worker', async () => {
    const withoutGpu = await launchChromium({ webgpu: false })
    try {
      context = await withoutGpu.newContext()
      const page = await open()
      expect(await page.getAttribute('#place', 'data-backend')).toBe('cpu')
      expect(await page.textContent('#place')).toContain('the CPU makes the same bits')
      await setMlp(page, { inputs: 32, width: 32, depth: 1, outputs: 8 })
      expect(await run(page)).toBe(
        'Done: every element was compared with a second run of the CPU, and no GPU was used.',
      )
      expect(await tile(page, 'On the CPU')).toBe('5.28 kB')
      await context.close()
      context = await browser.newContext()
    } finally {
      await withoutGpu.close()
    }
  })
})
