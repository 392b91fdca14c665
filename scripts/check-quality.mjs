// Our own tests of the generator's words and of the normals made from them, on the CPU. They take minutes, so they are not in
// the test suite. docs/quality.md has the output. Run: node scripts/check-quality.mjs [words] [streams] [spectrum] [tails]
import { createServer } from 'vite'
import {
  bidiagonal,
  bidiagonalOfNormals,
  chebyshevZ,
  singularValues,
  smallestBelow,
  spectralDistance,
} from './quality-spectrum.mjs'

const server = await createServer({
  configFile: false,
  logLevel: 'error',
  server: { middlewareMode: true, watch: null, ws: false },
  optimizeDeps: { noDiscovery: true },
})
const { philox4x32 } = await server.ssrLoadModule('/src/random/philox.ts')
const { parameterStream } = await server.ssrLoadModule('/src/random/keys.ts')
const { normalQuad } = await server.ssrLoadModule('/src/random/normal.ts')
const { normalSf } = await server.ssrLoadModule('/src/random/normal-cdf.ts')
const { mersenneSeed, mersenneTemper, mersenneTwist } = await server.ssrLoadModule('/src/random/libraries/mt19937.ts')
const { initializeTensor } = await server.ssrLoadModule('/src/index.ts')
await server.close()

const words = new Uint32Array(4)
/** Writes each of the first `blocks` blocks of a stream to `words` and then calls `take`. */
function eachBlock({ key, counter }, blocks, take) {
  const [key0, key1] = [Number(key & 0xffffffffn), Number(key >> 32n)]
  let [low, high] = [Number(counter & 0xffffffffn), Number(counter >> 32n)]
  for (let block = 0; block < blocks; block++) {
    philox4x32(words, low, high, 0, 0, key0, key1)
    take(block)
    low = (low + 1) >>> 0
    if (low === 0) high = (high + 1) >>> 0
  }
}
/** z of a chi-squared statistic over equal cells (Wilson and Hilferty 1931). */
function chiSquaredZ(counts, total) {
  const expected = total / counts.length
  const chi = counts.reduce((sum, c) => sum + (c - expected) ** 2 / expected, 0)
  const k = counts.length - 1
  return { chi: chi.toFixed(1), k, z: (((chi / k) ** (1 / 3) - (1 - 2 / (9 * k))) / Math.sqrt(2 / (9 * k))).toFixed(3) }
}

/** Draws of chi (Marsaglia and Tsang 2000) from a generator other than the one under test: polar normals from MT19937. */
function chiOf(seed) {
  const state = mersenneSeed(seed)
  let at = state.length
  const uniform = () => {
    if (at === state.length) {
      mersenneTwist(state)
      at = 0
    }
    return ((mersenneTemper(state[at++]) >>> 0) + 0.5) / 2 ** 32
  }
  const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())
  const gamma = (shape) => {
    if (shape < 1) return gamma(shape + 1) * uniform() ** (1 / shape)
    const d = shape - 1 / 3
    for (;;) {
      const x = normal()
      const v = (1 + x / Math.sqrt(9 * d)) ** 3
      if (v > 0 && Math.log(uniform()) < (x * x) / 2 + d - d * v + d * Math.log(v)) return d * v
    }
  }
  return (degrees) => Math.sqrt(2 * gamma(degrees / 2))
}

const checks = {
  /** Tests 2^30 words: their upper and lower 16 bits, and the upper bytes of neighbouring pairs. */
  words() {
    const count = 2 ** 30
    const upper = new Float64Array(65536)
    const lower = new Float64Array(65536)
    const pairs = new Float64Array(65536)
    eachBlock(parameterStream('layers.0.weight', 42), count / 4, () => {
      const [a, b, c, d] = words
      upper[a >>> 16]++
      upper[b >>> 16]++
      upper[c >>> 16]++
      upper[d >>> 16]++
      lower[a & 0xffff]++
      lower[b & 0xffff]++
      lower[c & 0xffff]++
      lower[d & 0xffff]++
      pairs[((a >>> 24) << 8) | (b >>> 24)]++
      pairs[((c >>> 24) << 8) | (d >>> 24)]++
    })
    const report = (what, cells, n) => {
      const { chi, k, z } = chiSquaredZ(cells, n)
      console.log(
        `words: 2^30 of layers.0.weight, seed 42; ${what}: chi-squared ${chi} with ${k} degrees of freedom, z ${z}`,
      )
    }
    report('upper 16 bits', upper, count)
    report('lower 16 bits', lower, count)
    report('pairs by their upper bytes', pairs, count / 2)
  },
  /**
   * Tests the correlations between the first 4096 uniforms of 1,000 streams, which are 499,500 pairs, for different names and
   * for neighbouring seeds, and then for 31 other seeds each. Pairs may share a stream. If streams are independent, the z^2 of
   * (i, j) and of (i, k) have a covariance equal to the variance of a stream's mean square, (kurtosis - 1) / 4096 = 0.8 / 4096.
   * The mean z^2 therefore has the variance (2 + 2 998 0.8 / 4096) / 499500 instead of 2 / 499500 (the correction of Var z^2
   * itself is below 1e-3).
   */
  streams() {
    const [length, count] = [4096, 1000]
    const pairs = (count * (count - 1)) / 2
    const std = Math.sqrt((2 + (2 * (count - 2) * 0.8) / length) / pairs)
    const measure = (streamOf) => {
      const values = Array.from({ length: count }, (_, i) => {
        const out = new Float64Array(length)
        eachBlock(streamOf(i), length / 4, (block) => {
          for (let lane = 0; lane < 4; lane++)
            out[4 * block + lane] = ((words[lane] + 0.5) / 2 ** 32 - 0.5) * Math.sqrt(12)
        })
        return out
      })
      let largest = 0
      let squares = 0
      for (let i = 0; i < count; i++) {
        for (let j = 0; j < i; j++) {
          const [a, b] = [values[i], values[j]]
          let sum = 0
          for (let k = 0; k < length; k++) sum += a[k] * b[k]
          const z = sum / Math.sqrt(length)
          squares += z * z
          if (Math.abs(z) > largest) largest = Math.abs(z)
        }
      }
      return { mean: squares / pairs, largest }
    }
    /** The probability that the largest |z| of all pairs is at most z. */
    const atMost = (z) => (1 - 2 * normalSf(z)) ** pairs
    const kinds = {
      'names (layers.0.weight ... layers.999.weight), seed': (seed) => (i) =>
        parameterStream(`layers.${i}.weight`, seed),
      'neighbouring seeds of layers.0.weight, from': (seed) => (i) => parameterStream('layers.0.weight', seed + i),
    }
    for (const [what, streamsOf] of Object.entries(kinds)) {
      // The seeds are so far apart that no stream occurs twice.
      const seeds = Array.from({ length: 32 }, (_, run) => 42 + 10_000 * run)
      const results = seeds.map((seed) => measure(streamsOf(seed)))
      const zs = results.map(({ mean }) => (mean - 1) / std)
      const [{ mean, largest }] = results
      console.log(
        `streams: 1,000 ${what} 42: mean z^2 of ${pairs} correlations ${mean.toFixed(5)} (1 +- ${std.toFixed(5)}, ${zs[0].toFixed(2)} std), ` +
          `largest |z| ${largest.toFixed(3)} (p ${(1 - atMost(largest)).toFixed(2)})`,
      )
      const others = zs.slice(1)
      const sum = others.reduce((a, b) => a + b, 0) / Math.sqrt(others.length)
      const chi = others.reduce((a, b) => a + b * b, 0)
      const top = Math.max(...results.slice(1).map((result) => result.largest))
      console.log(
        `streams: 1,000 ${what} 10042, 20042, ... (31 runs): mean z^2 ${(1 + (std * sum) / Math.sqrt(others.length)).toFixed(5)}, ` +
          `${sum.toFixed(2)} std; from ${Math.min(...others).toFixed(2)} to ${Math.max(...others).toFixed(2)} std, their squares sum to ` +
          `${chi.toFixed(1)} (31 +- 7.9); largest |z| ${top.toFixed(3)} (p ${(1 - atMost(top) ** 31).toFixed(2)})`,
      )
    }
  },
  /**
   * Tests all singular values of 2048 x 2048 normals of four seeds against Marchenko and Pastur's distribution: both edges, the
   * rank of the Kolmogorov distance among 199 spectra that are made without a matrix, and sixteen linear eigenvalue statistics.
   */
  async spectrum() {
    const n = 2048
    const references = Float64Array.from({ length: 199 }, (_, i) =>
      spectralDistance(bidiagonalOfNormals(n, chiOf(i + 1))),
    )
    const middle = [...references].sort((a, b) => a - b)[99]
    for (const seed of [42, 43, 44, 45]) {
      const weights = await initializeTensor([n, n], 'normal', {}, { device: 'cpu', seed })
      const b = bidiagonal(Float64Array.from(await weights.read('tensor')), n)
      const values = singularValues(b)
      const s = Math.sqrt(n - 1) + Math.sqrt(n)
      const scale = s * (1 / Math.sqrt(n - 1) + 1 / Math.sqrt(n)) ** (1 / 3)
      const [smallest, largest] = [values[0], values[n - 1]]
      const distance = spectralDistance(b)
      const rank = references.filter((one) => one >= distance).length
      const zs = chebyshevZ(values, 16)
      const chi = zs.reduce((sum, z) => sum + z * z, 0)
      console.log(
        `spectrum: ${n} x ${n}, seed ${seed}: largest ${largest.toFixed(4)} (edge ${(2 * Math.sqrt(n)).toFixed(4)}), standardised ` +
          `${((largest ** 2 - s * s) / scale).toFixed(3)} (Tracy-Widom 1: -1.207 +- 1.268); smallest ${smallest.toExponential(3)}, ` +
          `P(smaller) ${smallestBelow(n * smallest ** 2).toFixed(3)}; n D = ${distance.toFixed(3)} (median ${middle.toFixed(3)}), ` +
          `p ${((rank + 1) / 200).toFixed(3)}; Chebyshev 1 to 16: ${zs.map((z) => z.toFixed(1)).join(' ')}, ` +
          `squares ${chi.toFixed(1)} (16 +- 5.7)`,
      )
    }
  },
  /** Counts how many of 2^28 normals are beyond 1, 2, ..., 6. */
  tails() {
    const count = 2 ** 28
    const beyond = new Float64Array(7)
    const out = new Float32Array(4)
    eachBlock(parameterStream('layers.0.weight', 42), count / 4, () => {
      normalQuad(words, 1, 0, out, 0)
      for (let lane = 0; lane < 4; lane++) {
        const z = Math.abs(out[lane])
        for (let k = 1; k < z; k++) beyond[k]++
      }
    })
    for (let k = 1; k <= 6; k++) {
      const expected = 2 * normalSf(k) * count
      const z = (beyond[k] - expected) / Math.sqrt(expected * (1 - expected / count))
      console.log(
        `tails: of 2^28 normals of layers.0.weight, seed 42, beyond ${k}: ${beyond[k]}, expected ${expected.toFixed(1)}, z ${z.toFixed(2)}`,
      )
    }
  },
}

const wanted = process.argv.slice(2)
for (const name of wanted.length > 0 ? wanted : Object.keys(checks)) await checks[name]()
