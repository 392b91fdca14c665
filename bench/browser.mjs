// Measures in Chromium with SwiftShader, both from npm. Prints one JSON line.
//   node bench/browser.mjs [--rounds N] [--seconds N] [--elements N] [--no-peers]
import { createServer } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'
import { build } from 'vite'
import { chromiumOnSwiftShader } from '../scripts/software-gpu.mjs'

const { values } = parseArgs({
  allowNegative: true,
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '60' },
    elements: { type: 'string', default: String(2 ** 24) },
    peers: { type: 'boolean', default: true },
  },
})
const folder = fileURLToPath(new URL('.', import.meta.url))
const built = await build({
  root: folder,
  configFile: false,
  logLevel: 'silent',
  publicDir: false,
  build: {
    write: false,
    target: 'es2022',
    minify: false,
    rollupOptions: { input: join(folder, 'browser-page.mjs'), output: { codeSplitting: false } },
  },
})
const [{ code }] = [built]
  .flat()
  .flatMap(({ output }) => output)
  .filter(({ type }) => type === 'chunk')
const server = createServer((request, response) => {
  const script = request.url === '/page.js'
  response.writeHead(200, { 'content-type': script ? 'text/javascript; charset=utf-8' : 'text/html; charset=utf-8' })
  response.end(script ? code : '<!doctype html><title>bench</title><script type="module" src="/page.js"></script>')
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const browser = await chromium.launch(await chromiumOnSwiftShader())
const page = await browser.newPage()
page.on('pageerror', (error) => console.error(`page: ${error.message}`))
await page.goto(`http://127.0.0.1:${server.address().port}/`)
await page.waitForFunction(() => typeof window.measure === 'function')
const result = await page.evaluate((options) => window.measure(options), {
  elements: Number(values.elements),
  limits: { rounds: Number(values.rounds), seconds: Number(values.seconds) },
  withPeers: values.peers,
})
console.log(JSON.stringify({ group: 'browser', version: browser.version(), ...result }))
await browser.close()
server.close()
process.exit(0)
