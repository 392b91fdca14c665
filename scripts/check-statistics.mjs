// Compares statistics() of 2^26 normals on a device with float64 on the same values. docs/verification.md has the output. The
// environment must have a device (scripts/software-gpu.mjs). Run: node scripts/check-statistics.mjs
import { createServer } from 'vite'

const server = await createServer({
  configFile: false,
  logLevel: 'error',
  server: { middlewareMode: true, watch: null, ws: false },
  optimizeDeps: { noDiscovery: true },
})
const { initializeModel } = await server.ssrLoadModule('/src/index.ts')
const { requestNodeDevice } = await server.ssrLoadModule('/src/node/device.ts')
const { momentsOf } = await server.ssrLoadModule('/src/statistics/moments.ts')

const device = await requestNodeDevice()
const model = { parameters: [{ name: 'w', shape: [8192, 8192] }] }
const weights = await initializeModel(model, 'normal', { std: 0.02 }, { device, seed: 9 })
const got = (await weights.statistics()).get('w')
const { count, mean, squares, fourths } = momentsOf(await weights.read('w'), 0)
const variance = squares / count
console.log(
  `${device.adapterInfo.description || device.adapterInfo.device}: ${got.count} normals, seed 9: mean off by ` +
    `${(Math.abs(got.mean - mean) / Math.sqrt(variance)).toExponential(2)} std, variance by ${Math.abs(got.std ** 2 / variance - 1).toExponential(2)}, ` +
    `kurtosis by ${Math.abs(got.kurtosis / (fourths / count / variance ** 2) - 1).toExponential(2)}`,
)
process.exit(0)
