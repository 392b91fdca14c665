// Our own tests of the generator's words and of the normals made from them, on the CPU. Minutes, so no test of the suite; the
// output is recorded in docs/quality.md. Run: node scripts/check-quality.mjs [words] [streams] [singular] [tails]
import { createServer } from 'vite'

const server = await createServer({
  configFile: false,
  logLevel: 'error',
  server: { middlewareMode: true, watch: null, ws: false },
  optimizeDeps: { noDiscovery: true },
})
const { philox4x32 } = await server.ssrLoadModule('/src/random/philox.ts')
const { parameterStream } = await server.ssrLoadModule('/src/random/keys.ts')
const { normalQuad } = await server.ssrLoadModule('/src/random/normal.ts')
const { normalTail } = await server.ssrLoadModule('/src/random/normal-cdf.ts')
const { initializeTensor } = await server.ssrLoadModule('/src/index.ts')
await server.close()

const words = new Uint32Array(4)
/** Calls `take` after each of the first `blocks` blocks of a stream, which are then in `words`. */
function eachBlock({ seed, offset }, blocks, take) {
  const [key0, key1] = [Number(seed & 0xffffffffn), Number(seed >> 32n)]
  let [low, high] = [Number(offset & 0xffffffffn), Number(offset >> 32n)]
  for (let block = 0; block < blocks; block++) {
    philox4x32(words, low, high, 0, 0, key0, key1)
    take(block)
    low = (low + 1) >>> 0
    if (low === 0) high = (high + 1) >>> 0
  }
}
/** z of chi-squared over equal cells: Wilson and Hilferty 1931. */
function chiSquaredZ(counts, total) {
  const expected = total / counts.length
  const chi = counts.reduce((sum, c) => sum + (c - expected) ** 2 / expected, 0)
  const k = counts.length - 1
  return { chi: chi.toFixed(1), k, z: (((chi / k) ** (1 / 3) - (1 - 2 / (9 * k))) / Math.sqrt(2 / (9 * k))).toFixed(3) }
}

const checks = {
  /** 2^30 words: their upper and lower 16 bits, and pairs of neighbours by their upper bytes. */
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
  /** Correlation between the first 4096 uniforms of 1,000 streams: 499,500 pairs. */
  streams() {
    const length = 4096
    const kinds = {
      '1,000 names (layers.0.weight ... layers.999.weight, seed 42)': (i) => parameterStream(`layers.${i}.weight`, 42),
      '1,000 neighbouring seeds (42 ... 1041, layers.0.weight)': (i) => parameterStream('layers.0.weight', 42 + i),
    }
    for (const [what, streamOf] of Object.entries(kinds)) {
      const values = Array.from({ length: 1000 }, (_, i) => {
        const out = new Float64Array(length)
        eachBlock(streamOf(i), length / 4, (block) => {
          for (let lane = 0; lane < 4; lane++)
            out[4 * block + lane] = ((words[lane] + 0.5) / 2 ** 32 - 0.5) * Math.sqrt(12)
        })
        return out
      })
      let largest = 0
      let squares = 0
      for (let i = 0; i < 1000; i++) {
        for (let j = 0; j < i; j++) {
          const [a, b] = [values[i], values[j]]
          let sum = 0
          for (let k = 0; k < length; k++) sum += a[k] * b[k]
          const z = sum / Math.sqrt(length)
          squares += z * z
          if (Math.abs(z) > largest) largest = Math.abs(z)
        }
      }
      const pairs = (1000 * 999) / 2
      const median = [...Array(600).keys()].map((i) => i / 100).find((z) => (1 - 2 * normalTail(z)) ** pairs >= 0.5)
      console.log(
        `streams: ${what}: mean z^2 of ${pairs} correlations ${(squares / pairs).toFixed(5)} (1 +- ${Math.sqrt(2 / pairs).toFixed(5)}), ` +
          `largest |z| ${largest.toFixed(3)} (median of the largest ${median.toFixed(2)})`,
      )
    }
  },
  /** Largest singular value of a 2048 x 2048 normal: Lanczos on A^T A, against the Marchenko-Pastur edge. */
  async singular() {
    const n = 2048
    const weights = await initializeTensor([n, n], 'normal', {}, { device: 'cpu', seed: 42 })
    const a = await weights.read('tensor')
    const times = (v) => {
      const u = new Float64Array(n)
      for (let r = 0; r < n; r++) {
        let sum = 0
        for (let c = 0; c < n; c++) sum += a[r * n + c] * v[c]
        u[r] = sum
      }
      const out = new Float64Array(n)
      for (let r = 0; r < n; r++) for (let c = 0; c < n; c++) out[c] += a[r * n + c] * u[r]
      return out
    }
    const basis = [Float64Array.from({ length: n }, () => 1 / Math.sqrt(n))]
    const [alpha, beta] = [[], []]
    for (let k = 0; k < 120; k++) {
      const w = times(basis[k])
      alpha.push(w.reduce((sum, x, i) => sum + x * basis[k][i], 0))
      for (let pass = 0; pass < 2; pass++) {
        for (const q of basis) {
          const dot = w.reduce((sum, x, i) => sum + x * q[i], 0)
          for (let i = 0; i < n; i++) w[i] -= dot * q[i]
        }
      }
      const norm = Math.sqrt(w.reduce((sum, x) => sum + x * x, 0))
      beta.push(norm)
      basis.push(w.map((x) => x / norm))
    }
    // Largest eigenvalue of the tridiagonal matrix, by Sturm counts.
    const above = (x) => {
      let [count, d] = [0, 1]
      alpha.forEach((value, k) => {
        d = value - x - (k > 0 ? beta[k - 1] ** 2 / d : 0)
        if (d > 0) count++
      })
      return count
    }
    let [low, high] = [0, 8 * n]
    for (let k = 0; k < 80; k++) {
      const middle = (low + high) / 2
      if (above(middle) > 0) low = middle
      else high = middle
    }
    const s = Math.sqrt(n - 1) + Math.sqrt(n)
    const scale = s * (1 / Math.sqrt(n - 1) + 1 / Math.sqrt(n)) ** (1 / 3)
    console.log(
      `singular: largest singular value of a 2048 x 2048 normal, seed 42: ${Math.sqrt(low).toFixed(4)}; edge 2 sqrt(n) = ${(2 * Math.sqrt(n)).toFixed(4)}; ` +
        `standardised ${((low - s * s) / scale).toFixed(3)} (Tracy-Widom 1: mean -1.207, std 1.268)`,
    )
  },
  /** How many of 2^28 normals lie beyond 1 to 6. */
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
      const expected = 2 * normalTail(k) * count
      const z = (beyond[k] - expected) / Math.sqrt(expected * (1 - expected / count))
      console.log(
        `tails: of 2^28 normals of layers.0.weight, seed 42, beyond ${k}: ${beyond[k]}, expected ${expected.toFixed(1)}, z ${z.toFixed(2)}`,
      )
    }
  },
}

const wanted = process.argv.slice(2)
for (const name of wanted.length > 0 ? wanted : Object.keys(checks)) await checks[name]()
