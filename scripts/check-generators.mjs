// Checks the statements of docs/compatibility.md about the generators' arithmetic, for every input if there are few enough.
// It takes about two minutes on one core, so it is not a test. Run: node scripts/check-generators.mjs
import { createServer } from 'vite'

const server = await createServer({
  configFile: false,
  logLevel: 'error',
  server: { middlewareMode: true, watch: null },
  optimizeDeps: { noDiscovery: true },
})
const load = (path) => server.ssrLoadModule(path)
const { torchRadius, torchDirection } = await load('/src/generators/torch/cpu.ts')
const { fusedMultiplyAdd, quickMultiplyAdd } = await load('/src/random/libraries/fma.ts')
const { curandDirection, curandRadius, curandUniform, statelessDirection } = await load(
  '/src/random/libraries/curand.ts',
)
const { jaxNormal } = await load('/src/generators/jax/jax.ts')
const { mersenneStream } = await load('/src/random/libraries/mt19937.ts')

const quick = new Float32Array(2)
const fused = new Float32Array(2)
let differences = 0
for (let word = 0; word < 2 ** 24; word++) {
  if (torchRadius(word, quickMultiplyAdd) !== torchRadius(word, fusedMultiplyAdd)) differences++
  torchDirection(quick, word, quickMultiplyAdd)
  torchDirection(fused, word, fusedMultiplyAdd)
  if (!Object.is(quick[0], fused[0]) || !Object.is(quick[1], fused[1])) differences++
}
console.log(
  `torch-cpu: quickMultiplyAdd differs from fusedMultiplyAdd in ${differences} of all 2^24 radii and directions`,
)

// Compares the normals of cuRAND and of the stateless generator with float64, computed from the same float32 arguments.
const count = 2 ** 23
let state = 1
const word = () => {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return Math.imul(state, 0x9e3779b1) >>> 0
}
const worst = { curand: 0, stateless: 0 }
const TWO_PI = Math.fround(2 * Math.PI)
for (let i = 0; i < count; i++) {
  const x = i % 4 === 0 ? word() >>> (i % 31) : word()
  const y = word()
  const exact = Math.sqrt(-2 * Math.log(curandUniform(x)))
  const radius = curandRadius(x)
  for (const [name, direction, angle] of [
    [
      'curand',
      curandDirection,
      Math.fround(Math.fround(y) * Math.fround(TWO_PI * 2 ** -32) + Math.fround(TWO_PI * 2 ** -33)),
    ],
    ['stateless', statelessDirection, Math.fround(TWO_PI * curandUniform(y))],
  ]) {
    direction(quick, y)
    const error = Math.max(
      Math.abs(Math.fround(radius * quick[0]) - exact * Math.cos(angle)),
      Math.abs(Math.fround(radius * quick[1]) - exact * Math.sin(angle)),
    )
    if (error > worst[name]) worst[name] = error
  }
}
console.log(
  `largest |z - float64| of ${count} pairs: cuRAND ${worst.curand.toExponential(2)}, stateless ${worst.stateless.toExponential(2)}`,
)

let largest = 0
for (let k = 0; k < 2 ** 23; k++) largest = Math.max(largest, Math.abs(jaxNormal((k << 9) >>> 0)))
console.log(`jax: largest |normal| of all 2^23: ${largest}`)

const words = new Uint32Array(2 ** 20)
const start = performance.now()
for (let i = 0; i < 64; i++) mersenneStream(1).read(i * words.length, words)
console.log(`MT19937 on the host: ${((64 * words.length) / (performance.now() - start) / 1000).toFixed(0)} M words/s`)
await server.close()
