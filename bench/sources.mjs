// Loads internal modules from src/ through Vite, which also loads the shaders.
import { fileURLToPath } from 'node:url'

export async function openSources() {
  const { createServer } = await import('vite')
  const server = await createServer({
    root: fileURLToPath(new URL('..', import.meta.url)),
    configFile: false,
    logLevel: 'error',
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
    optimizeDeps: { noDiscovery: true },
  })
  return { load: (path) => server.ssrLoadModule(path), close: () => server.close() }
}
