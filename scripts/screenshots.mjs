// Makes the screenshots of the page in docs/images: light, dark and at a phone's width, with Chromium and SwiftShader from npm.
//   node scripts/screenshots.mjs
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { createServer } from 'vite'
import { chromiumOnSwiftShader } from './software-gpu.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = join(root, 'docs', 'images')
mkdirSync(folder, { recursive: true })

const server = await createServer({
  configFile: join(root, 'demo', 'vite.config.ts'),
  logLevel: 'error',
  server: { port: 0, host: '127.0.0.1' },
})
await server.listen()
const { port } = server.httpServer.address()
const browser = await chromium.launch(await chromiumOnSwiftShader())
const views = [
  { name: 'demo', colorScheme: 'light', width: 1200, part: true },
  { name: 'demo-light', colorScheme: 'light', width: 1200 },
  { name: 'demo-dark', colorScheme: 'dark', width: 1200 },
  { name: 'demo-narrow', colorScheme: 'light', width: 390 },
]
let complaints = 0
for (const { name, colorScheme, width, part } of views) {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme })
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') {
      console.error(`${name}: ${message.text()}`)
      complaints++
    }
  })
  page.on('pageerror', (error) => {
    console.error(`${name}: ${error.message}`)
    complaints++
  })
  await page.goto(`http://127.0.0.1:${port}/`)
  await page.getByRole('button', { name: 'Initialize' }).click()
  const drawn = () =>
    document.querySelector('#status')?.textContent?.startsWith('Done') &&
    document.querySelector('#histogram svg') !== null &&
    document.querySelector('#backward svg') !== null &&
    document.querySelector('#moments tbody tr td:nth-child(3)')?.textContent !== ''
  await page.waitForFunction(drawn, undefined, { timeout: 240_000 })
  const path = join(folder, `${name}.png`)
  // The picture for the README shows only the visible part of the page.
  await page.screenshot({ path, fullPage: part !== true })
  console.log(path)
  await page.close()
}
await browser.close()
await server.close()
process.exit(complaints === 0 ? 0 : 1)
