// The HTML report in Chromium, from a file, as a user opens it.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { initializeModel, linear, propagateSignal, relu, residual, sequential } from '../../src/index.js'
import { writeSafetensors } from '../../src/node/writers/write-weights.js'
import { reportData } from '../../src/report/build.js'
import { reportHtml } from '../../src/report/html.js'
import { audit, tabWalk } from '../support/package/accessibility.js'
import { launchChromium, PATIENCE_MS } from '../support/package/browser.js'
import { repository, runNode } from '../support/package/package.js'

const hostile = '</script><script>window.pwned=1</script><img src=x onerror="window.pwned=2">'
let browser: Browser
let folder: string

beforeAll(async () => {
  browser = await launchChromium({ webgpu: false })
  folder = await mkdtemp(join(tmpdir(), 'webgpu-init-report-'))
})
afterAll(async () => {
  await browser?.close()
  await rm(folder, { recursive: true, force: true })
})

async function open(path: string): Promise<{ page: Page; problems: string[] }> {
  const page = await browser.newPage({ viewport: { width: 1200, height: 900 } })
  page.setDefaultTimeout(PATIENCE_MS)
  const problems: string[] = []
  page.on('console', (message) => problems.push(`${message.type()}: ${message.text()}`))
  page.on('pageerror', (error) => problems.push(`uncaught: ${error.message}`))
  const url = pathToFileURL(path).href
  page.on('request', (request) => {
    if (request.url() !== url && !request.url().startsWith('data:')) problems.push(`asks for ${request.url()}`)
  })
  await page.goto(url)
  return { page, problems }
}

test('hostile names, a failed test, the depth plot, search, order and print', async () => {
  const block = (): ReturnType<typeof residual> => residual(sequential(linear(16, 16), relu()))
  const model = sequential({
    ...Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`b${i}`, block()])),
    [hostile]: linear(16, 24),
  })
  using weights = await initializeModel(model, 'kaiming', {}, { device: 'cpu', seed: 1 })
  const outcome = { test: 'mean', ok: false, adjustedPValue: 1e-9, statistic: 7, message: 'mean is off' }
  const data = reportData({
    title: hostile,
    madeBy: 'a test',
    facts: [['seed', hostile]],
    plan: weights.plan,
    statistics: await weights.statistics(),
    verification: await weights.verify(),
    check: { falseAlarmRate: 1e-6, parameters: [{ name: 'b7.body.0.weight', tests: [outcome] }], model: [] },
    signal: await propagateSignal(model, weights, { batch: 8 }),
    signalNote: hostile,
  })
  const file = (name: string): Promise<string> => readFile(join(repository, 'dist', 'report', name), 'utf8')
  const path = join(folder, 'hostile.html')
  await writeFile(path, reportHtml(data, { script: await file('page.js'), style: await file('page.css') }))
  const { page, problems } = await open(path)
  expect(await page.evaluate('window.pwned')).toBeUndefined()
  expect(await page.locator('img').count()).toBe(0)
  expect(await page.locator('h1').textContent()).toBe(`${hostile} FAILED`)
  expect(await page.title()).toBe(`Failed: ${hostile}`)
  expect(await page.locator('#depth-plot svg').count()).toBe(1)
  expect(await page.locator('#depth-plot circle').count()).toBeGreaterThanOrEqual(2 * 41)
  // The failed one comes first, with its number.
  const first = page.locator('.card').first()
  expect(await first.getAttribute('data-name')).toBe('b7.body.0.weight')
  expect(await first.locator('.failed').textContent()).toContain('mean is off')
  // Below the window nothing is drawn yet.
  expect(await first.locator('.plots svg').count()).toBe(0)
  await first.scrollIntoViewIfNeeded()
  await first.locator('.plots svg').first().waitFor()
  expect(await first.locator('.plots svg').count()).toBe(2)
  expect(await first.locator('.plots svg').first().getAttribute('aria-label')).toBe('Histogram of b7.body.0.weight')
  await page.getByLabel('Search').fill('</SCRIPT>')
  expect(await page.locator('.card').count()).toBe(1)
  expect(await page.locator('.card h3').textContent()).toBe(`${hostile}.weight`)
  await page.getByLabel('Search').fill('')
  await page.getByLabel('Show').selectOption('all parameters')
  await page.getByLabel('Order').selectOption('as in the model')
  expect(await page.locator('.card').count()).toBe(82)
  expect(await page.locator('.card').first().getAttribute('data-name')).toBe('b0.body.0.weight')
  // What was not looked at yet is drawn for paper.
  expect(await page.locator('.plots svg').count()).toBeLessThan(82)
  await page.emulateMedia({ media: 'print' })
  await expect.poll(() => page.locator('.plots svg').count()).toBe(82)
  expect(await page.locator('.controls').isVisible()).toBe(false)
  expect(problems).toEqual([])
  await page.close()
})

test('webgpu-init init --report: a GPT-2 config on the command line, opened in dark', async () => {
  const config = { model_type: 'gpt2', n_layer: 2, n_embd: 48, n_head: 4, vocab_size: 300, n_positions: 64 }
  await writeFile(join(folder, 'config.json'), JSON.stringify(config))
  const args = [
    'init',
    'config.json',
    '-o',
    'w.safetensors',
    '--seed',
    '42',
    '--device',
    'cpu',
    '--report',
    'report.html',
    '--quiet',
  ]
  const { status, stdout, stderr } = await runNode([join(repository, 'dist', 'cli.js'), ...args], { cwd: folder })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout).toMatch(/Statistics: all \d+ tests pass at a false-alarm rate of/)
  expect(stdout).toContain('Wrote report.html')
  const { page, problems } = await open(join(folder, 'report.html'))
  await page.emulateMedia({ colorScheme: 'dark' })
  expect(await page.locator('h1').textContent()).toBe('config.json, gpt2 passed')
  expect(await page.locator('.card').count()).toBe(10)
  await page.locator('.card').first().scrollIntoViewIfNeeded()
  await page.locator('.card .plots svg').first().waitFor()
  expect(await page.locator('tbody tr').count()).toBeGreaterThan(28)
  expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(21, 24, 28)')
  expect(problems).toEqual([])
  await page.close()
})

test('webgpu-init init --report of a model of layers: the depth plot in both themes; WCAG 2 A and AA; Tab reaches everything', async () => {
  const layers = [...Array.from({ length: 12 }, () => [['linear', 32, 32], 'relu']).flat(), ['linear', 32, 4]]
  await writeFile(join(folder, 'layers.json'), JSON.stringify({ layers }))
  const init = ['init', 'layers.json', '-o', 'layers.safetensors', '--init', 'xavier', '--seed', '1', '--device', 'cpu']
  const { stderr } = await runNode([join(repository, 'dist', 'cli.js'), ...init, '--report', 'layers.html'], {
    cwd: folder,
  })
  expect(stderr).toBe('')
  const { page, problems } = await open(join(folder, 'layers.html'))
  // A dot for each weight layer and curve; the figure has a name, and no part of it another.
  expect(await page.locator('#depth-plot circle').count()).toBe(2 * 13)
  expect(await page.getByRole('img', { name: 'Signal over depth' }).count()).toBe(1)
  const colours = async (): Promise<(string | null)[]> =>
    page.locator('#depth-plot path').evaluateAll((lines) => lines.map((line) => getComputedStyle(line).stroke))
  const light = await colours()
  await page.emulateMedia({ colorScheme: 'dark' })
  expect(await colours()).not.toEqual(light)
  for (const summary of await page.locator('summary').all()) await summary.click()
  await expect.poll(() => page.locator('.card').first().locator('.plots svg').count()).toBe(2)
  expect(await audit(page)).toEqual([])
  const { reached, faults } = await tabWalk(page)
  expect(faults).toEqual([])
  expect(reached).toBeGreaterThan(20)
  // By keyboard: search, and open the numbers of what was found.
  await page.getByLabel('Search').focus()
  await page.keyboard.type('24.weight')
  await expect.poll(() => page.locator('.card').count()).toBe(1)
  const details = page.locator('.card details')
  await details.locator('summary').focus()
  const before = await details.getAttribute('open')
  await page.keyboard.press('Enter')
  expect(await details.getAttribute('open')).not.toBe(before)
  expect(problems).toEqual([])
  await page.close()
})

test('webgpu-init verify --report: the file that init wrote passes; a changed one fails, and the page says where', async () => {
  const cli = join(repository, 'dist', 'cli.js')
  const file = join(folder, 'verified.safetensors')
  const weights = await initializeModel(
    sequential(linear(64, 32), linear(32, 8)),
    'xavier',
    {},
    { device: 'cpu', seed: 9 },
  )
  await writeSafetensors(file, weights, { 'webgpu-init': JSON.stringify(weights.manifest()) })
  const sound = await runNode([cli, 'verify', file, '--device', 'cpu', '--report', 'sound.html'], { cwd: folder })
  expect([sound.status, sound.stderr]).toEqual([0, ''])
  const { page, problems } = await open(join(folder, 'sound.html'))
  expect(await page.locator('h1').textContent()).toBe('verified.safetensors, verified passed')
  await page.close()
  const bytes = await readFile(file)
  // The last tensor of the file is a bias of zeros.
  bytes.writeFloatLE(0.5, bytes.length - 8)
  await writeFile(file, bytes)
  const broken = await runNode([cli, 'verify', file, '--device', 'cpu', '--report', 'broken.html', '--json'], {
    cwd: folder,
  })
  expect(broken.status).toBe(1)
  expect(JSON.parse(broken.stdout).parity.mismatchCount).toBe(1)
  const opened = await open(join(folder, 'broken.html'))
  expect(await opened.page.locator('h1').textContent()).toBe('verified.safetensors, verified FAILED')
  expect(await opened.page.locator('.card h3').first().textContent()).toContain('1.bias')
  expect([...problems, ...opened.problems]).toEqual([])
  await opened.page.close()
})

test('a report that cannot be written is refused before any work, and leaves nothing', async () => {
  const { status, stdout, stderr } = await runNode(
    [
      join(repository, 'dist', 'cli.js'),
      'init',
      'config.json',
      '-o',
      'x.safetensors',
      '--device',
      'cpu',
      '--report',
      'no/such/report.html',
    ],
    { cwd: folder },
  )
  expect([status, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(/Cannot write "no\/such\/report.html": .*Choose a path in a folder that exists/)
  await expect(readFile(join(folder, 'x.safetensors'))).rejects.toThrow('ENOENT')
})
