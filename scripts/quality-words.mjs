// Writes raw words of the generator to stdout, little-endian and without end, for dieharder and other test batteries.
//   node scripts/quality-words.mjs [--layout stream|names|seeds] [--seed N] | dieharder -g 200 -a
// stream: the words of one parameter, in element order. names: the first block of 1,000 parameters, then their second block,
// and so on. seeds: the same for one name with the 1,000 seeds N, N + 1, ..., N + 999.
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { createServer } from 'vite'

const { values } = parseArgs({
  options: { layout: { type: 'string', default: 'stream' }, seed: { type: 'string', default: '42' } },
})
const server = await createServer({
  configFile: false,
  logLevel: 'error',
  server: { middlewareMode: true, watch: null },
  optimizeDeps: { noDiscovery: true },
})
const { philox4x32 } = await server.ssrLoadModule('/src/random/philox.ts')
const { parameterStream } = await server.ssrLoadModule('/src/random/keys.ts')
await server.close()

const seed = BigInt(values.seed)
const streams = {
  stream: () => [parameterStream('layers.0.weight', seed)],
  names: () => Array.from({ length: 1000 }, (_, i) => parameterStream(`layers.${i}.weight`, seed)),
  seeds: () => Array.from({ length: 1000 }, (_, i) => parameterStream('layers.0.weight', seed + BigInt(i))),
}[values.layout]?.()
if (streams === undefined) throw new Error(`--layout must be stream, names or seeds, but found ${values.layout}`)

const cursors = streams.map(({ key, counter }) => ({
  key0: Number(key & 0xffffffffn),
  key1: Number(key >> 32n),
  low: Number(counter & 0xffffffffn),
  high: Number(counter >> 32n),
}))

const words = new Uint32Array(4)
let next = 0
function nextChunk() {
  const chunk = new Uint32Array(2 ** 16)
  for (let at = 0; at < chunk.length; at += 4) {
    const cursor = cursors[next]
    next = next + 1 === cursors.length ? 0 : next + 1
    philox4x32(words, cursor.low, cursor.high, 0, 0, cursor.key0, cursor.key1)
    cursor.low = (cursor.low + 1) >>> 0
    if (cursor.low === 0) cursor.high = (cursor.high + 1) >>> 0
    chunk[at] = words[0]
    chunk[at + 1] = words[1]
    chunk[at + 2] = words[2]
    chunk[at + 3] = words[3]
  }
  return new Uint8Array(chunk.buffer)
}

// When the reader has enough words, it closes the pipe.
process.stdout.on('error', (error) => process.exit(error.code === 'EPIPE' ? 0 : 1))
for (;;) {
  if (!process.stdout.write(nextChunk())) await once(process.stdout, 'drain')
}
