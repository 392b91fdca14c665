// Prints a Python program that makes the weights of a manifest in PyTorch or JAX; see docs/compatibility.md.
// Run: node scripts/python-snippet.mjs manifest.json
import { readFileSync } from 'node:fs'
import { createServer } from 'vite'

const [path] = process.argv.slice(2)
if (path === undefined) {
  console.error('usage: node scripts/python-snippet.mjs manifest.json   (the JSON of weights.manifest())')
  process.exit(2)
}
const server = await createServer({
  configFile: false,
  logLevel: 'error',
  server: { middlewareMode: true, watch: null },
  optimizeDeps: { noDiscovery: true },
})
try {
  const { pythonSnippet } = await server.ssrLoadModule('/src/python/python.ts')
  process.stdout.write(pythonSnippet(JSON.parse(readFileSync(path, 'utf8'))))
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
} finally {
  await server.close()
}
