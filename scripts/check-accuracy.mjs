// Compares `radius` and `direction` with float64 for every one of the 2^32 inputs. It takes about 15 minutes on one core, so it
// is not a test. docs/value-contract.md has the output. Run: node scripts/check-accuracy.mjs
import { createServer } from 'vite'

const server = await createServer({
  configFile: false,
  logLevel: 'error',
  server: { middlewareMode: true, watch: null },
  optimizeDeps: { noDiscovery: true },
})
const { radius, direction } = await server.ssrLoadModule('/src/random/normal.ts')

const total = 2 ** 32
let worstRadius = 0
let worstRadiusAt = 0
let least = Number.POSITIVE_INFINITY
let greatest = 0
for (let x = 0; x < total; x++) {
  // ln u without cancellation: it is computed from 1 - u if u is near 1.
  const exact =
    x >= 2 ** 31
      ? Math.sqrt(-2 * Math.log1p(-(total - 1 - x + 0.5) * 2 ** -32))
      : Math.sqrt(-2 * Math.log((x + 0.5) * 2 ** -32))
  const r = radius(x)
  const error = Math.abs(r / exact - 1)
  if (error > worstRadius) {
    worstRadius = error
    worstRadiusAt = x
  }
  if (r < least) least = r
  if (r > greatest) greatest = r
}
console.log(
  `radius: all 2^32 inputs, largest relative error ${worstRadius.toExponential(3)} at ${worstRadiusAt}; range [${least}, ${greatest}]`,
)

const pair = new Float32Array(2)
let worst = 0
let worstAt = 0
let worstNorm = 0
for (let y = 0; y < total; y++) {
  // The angle is reduced to an eighth of the circle in exact integers, so that float64 sin and cos are accurate near zero.
  const eighth = (y >>> 29) & 7
  const rest = (y & 0x1fffffff) + 0.5
  const angle = 2 * Math.PI * 2 ** -32 * (eighth & 1 ? 2 ** 29 - rest : rest)
  const a = Math.cos(angle)
  const b = Math.sin(angle)
  const swap = ((eighth + 1) >> 1) & 1
  const c = (swap ? b : a) * (eighth >= 2 && eighth < 6 ? -1 : 1)
  const s = (swap ? a : b) * (eighth >= 4 ? -1 : 1)
  direction(pair, y)
  const error = Math.max(Math.abs(pair[0] - c), Math.abs(pair[1] - s))
  if (error > worst) {
    worst = error
    worstAt = y
  }
  const norm = Math.abs(pair[0] ** 2 + pair[1] ** 2 - 1)
  if (norm > worstNorm) worstNorm = norm
}
console.log(
  `direction: all 2^32 inputs, largest absolute error ${worst.toExponential(3)} at ${worstAt}; |cos^2 + sin^2 - 1| <= ${worstNorm.toExponential(3)}`,
)
await server.close()
