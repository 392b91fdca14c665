// Headless Chromium from npm with WebGPU on SwiftShader, and a server of a few folders on 127.0.0.1.
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize, sep } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { unpackChromium, unpackSwiftShader } from '../../../scripts/software-gpu.mjs'
import { plainEnvironment } from './package.js'

/** How long a page is waited for. A limit for what hangs: a page on a busy machine may take many times as long as usual. */
export const PATIENCE_MS = 240_000

/** WebGPU is off by default on Linux; its adapter is Dawn's own SwiftShader, whatever the machine has. */
const webgpuFlags = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader']

/** How to start the Chromium that comes from npm, for Playwright. */
export async function chromiumLaunchOptions({ webgpu = true }: { readonly webgpu?: boolean } = {}): Promise<{
  executablePath: string
  args: string[]
  env: Record<string, string>
  timeout: number
}> {
  const executablePath = await unpackChromium()
  const libraries = await unpackSwiftShader()
  // Root, containers and machines without user namespaces have no sandbox; the pages are our own.
  const args = ['--no-sandbox', ...(webgpu ? webgpuFlags : [])]
  const { VK_DRIVER_FILES: _, ...environment } = plainEnvironment()
  // The nss libraries lie beside SwiftShader.
  const env = { ...environment, LD_LIBRARY_PATH: [libraries, join(libraries, 'lib')].join(':') }
  return { executablePath, args, env: env as Record<string, string>, timeout: PATIENCE_MS }
}

/** @throws with what was tried when Chromium does not start */
export async function launchChromium(settings: { readonly webgpu?: boolean } = {}): Promise<Browser> {
  const options = await chromiumLaunchOptions(settings)
  try {
    return await chromium.launch(options)
  } catch (cause) {
    throw new Error(
      `Chromium from @sparticuz/chromium did not start (${options.args.join(' ')}; ` +
        `LD_LIBRARY_PATH=${options.env.LD_LIBRARY_PATH}). It runs on Linux x64. ${(cause as Error).message}`,
      { cause },
    )
  }
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.map': 'application/json',
}

export interface Server {
  /** http://127.0.0.1:port, a secure context. */
  readonly origin: string
  close(): Promise<void>
}

/** Serves `/name/...` from folders, and `/name.js` from text. */
export async function serve(
  folders: Readonly<Record<string, string>>,
  texts: ReadonlyMap<string, string> = new Map(),
): Promise<Server> {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname))
    const type = types[extname(path)] ?? 'application/octet-stream'
    const refuse = (): void => {
      response.writeHead(404).end(`${path} is not here`)
    }
    const text = texts.get(path)
    if (text !== undefined) {
      response.writeHead(200, { 'content-type': type }).end(text)
      return
    }
    const [, name = '', ...rest] = path.split(sep)
    const folder = folders[name]
    if (folder === undefined || rest.length === 0) return refuse()
    const file = join(folder, ...rest)
    stat(file).then((found) => {
      if (!found.isFile()) return refuse()
      response.writeHead(200, { 'content-type': type })
      createReadStream(file).pipe(response)
    }, refuse)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
