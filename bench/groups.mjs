// What `npm run bench` measures in Node. Each group runs in a process of its own, so that a crash costs only one group. The
// cases of a group are interleaved, and both rows of every target's ratio are in the same group.
import { initializeModel, orthogonal } from '../dist/index.js'
import { freshCase, intoCase, normal, ones, truncated, uniform, writtenBuffer } from './fills.mjs'
import { gpt2Cases, manyCases } from './models.mjs'
import { interleave, messageOf } from './rounds.mjs'

const million16 = 2 ** 24

/** The cases of a peer, or a row with the reason why there are none. */
async function optional(id, name, load) {
  try {
    return await load()
  } catch (error) {
    return [{ id, name, elements: 0, run: () => Promise.reject(new Error(messageOf(error))) }]
  }
}

/** Mean and standard deviation of the values that the cases make. Failures are ignored here, because the rounds report them. */
async function samplesOf(cases) {
  const found = {}
  for (const one of cases) {
    const sampled = await one.sample?.().catch(() => undefined)
    if (sampled !== undefined) found[one.name] = { mean: sampled.mean, std: sampled.std }
  }
  return found
}

async function withTorch(cases, use) {
  let torch
  try {
    const { startTorch } = await import('./torch.mjs')
    torch = await startTorch()
    cases.push(...use(torch))
  } catch (error) {
    const reason = new Error(messageOf(error))
    cases.push({ id: 'torch', name: 'PyTorch CPU', elements: 0, run: () => Promise.reject(reason) })
  }
  return torch
}

const fills = (device, elements) => [
  intoCase(device, 'constant', 'constant', ones, elements),
  intoCase(device, 'uniform', 'uniform', uniform, elements),
  intoCase(device, 'normal', 'normal', normal, elements),
  intoCase(device, 'truncated', 'truncated normal', truncated, elements),
  intoCase(device, 'float16', 'normal, float16', normal, elements, 'float16'),
  intoCase(device, 'bfloat16', 'normal, bfloat16', normal, elements, 'bfloat16'),
]
const freshFills = (device, elements) => [
  freshCase(device, 'fresh.uniform', 'uniform, its buffer made within the time', uniform, elements),
  freshCase(device, 'fresh.normal', 'normal, its buffer made within the time', normal, elements),
  freshCase(device, 'fresh.truncated', 'truncated normal, its buffer made within the time', truncated, elements),
]

export const groups = {
  /** Only fills. */
  async fills({ device, elements = million16, limits }) {
    return { rows: await interleave(fills(device, elements), limits) }
  },

  /** Fills, together with TensorFlow.js, jax-js, @stdlib and PyTorch. */
  async peers({ device, elements = million16, limits, withPeers }) {
    const cases = [...fills(device, elements), ...freshFills(device, elements)]
    const peers = []
    if (withPeers) {
      const { loadTfjs, loadJax, stdlibCase } = await import('./node-peers.mjs')
      const { tfjsCases, jaxCases } = await import('./peer-cases.mjs')
      peers.push(
        ...(await optional('tfjs', 'TensorFlow.js', async () => {
          const { tf, tfl } = await loadTfjs()
          return tfjsCases(tf, tfl, elements)
        })),
        ...(await optional('jax', 'jax-js', async () => jaxCases(await loadJax(), elements))),
        ...(await optional('stdlib', '@stdlib', async () => [await stdlibCase(elements)])),
      )
    }
    const torch = await withTorch(peers, (found) => [
      found.case('torch.normal', 'normal_', elements),
      found.case('torch.uniform', 'uniform_', elements),
      // PyTorch needs seconds for this case, so it gets fewer rounds.
      { ...found.case('torch.truncated', 'trunc_normal_', elements), most: 3 },
    ])
    const samples = await samplesOf(peers)
    const rows = await interleave([...cases, ...peers], limits)
    torch?.stop()
    return { rows, samples, torch: torch?.version }
  },

  /** The exact kernel and the kernel with native functions. */
  async exact({ elements = million16, limits }) {
    const { exactCases } = await import('./exact.mjs')
    const { cases, close } = await exactCases(elements)
    const samples = await samplesOf(cases)
    const rows = await interleave(cases, limits)
    await close()
    return { rows, samples }
  },

  async gpt2({ device, limits }) {
    const cases = gpt2Cases(device)
    const rows = await interleave(cases, limits)
    for (const one of cases) one.free?.()
    return { rows }
  },

  async many({ device, limits }) {
    const cases = manyCases(device)
    const rows = await interleave(cases, limits)
    for (const one of cases) one.free?.()
    return { rows }
  },

  /** Statistics, tests and verification of weights, compared with the time to make them. */
  async checks({ device, elements = million16, limits }) {
    const model = { parameters: [{ name: 'w', shape: [elements], role: 'weight' }] }
    const weights = await initializeModel(model, normal, { device, seed: 1 })
    const read = (id, name, run) => ({ id, name, elements, run: async () => void (await run()) })
    const rows = await interleave(
      [
        intoCase(device, 'normal', 'generating', normal, elements),
        read('statistics', 'statistics()', () => weights.statistics()),
        read('check', 'check(), the statistical tests', () => weights.check()),
        read('verify', 'verify(), every element compared with the CPU', () => weights.verify({ elements: 'all' })),
      ],
      limits,
    )
    weights.destroy()
    return { rows }
  },

  /** Matrices: ours and LAPACK's at 1024, and TensorFlow.js's at a size at which it ends in a reasonable time. */
  async orthogonal({ device, limits, withPeers, tfjsSide }) {
    const matrix = (id, side, options) => {
      const model = { parameters: [{ name: 'w', shape: [side, side], role: 'weight' }] }
      return {
        id,
        name: `orthogonal ${side} x ${side}`,
        elements: side * side,
        run: async () => (await initializeModel(model, orthogonal, { device, seed: 1, ...options })).destroy(),
      }
    }
    const into = { w: { buffer: writtenBuffer(device, 4 * 1024 * 1024) } }
    const existing = matrix('orthogonal.into', 1024, { into })
    const cases = [
      matrix('orthogonal.1024', 1024),
      { ...existing, name: `${existing.name}, memory that exists` },
      matrix('orthogonal.small', tfjsSide),
    ]
    const torch = await withTorch(cases, (found) => [
      found.case('torch.qr.1', 'linalg.qr', 1024 * 1024),
      found.case('torch.qr.all', 'linalg.qr', 1024 * 1024, found.threads),
      found.case('torch.orthogonal', 'orthogonal_', 1024 * 1024),
    ])
    if (withPeers) {
      cases.push(
        ...(await optional('tfjs.orthogonal', 'TensorFlow.js', async () => {
          const { loadTfjs } = await import('./node-peers.mjs')
          // Its QR reads single elements back to the host, which its WebGPU backend does not support.
          const { tf, tfl } = await loadTfjs('cpu')
          const initializer = tfl.initializers.orthogonal({ seed: 1 })
          return [
            {
              id: 'tfjs.orthogonal',
              name: `tfjs orthogonal ${tfjsSide} x ${tfjsSide} (its CPU backend), once`,
              elements: tfjsSide * tfjsSide,
              most: 1,
              async run() {
                if (!this.warm) {
                  // A small matrix first compiles everything.
                  initializer.apply([16, 16]).dispose()
                  this.warm = true
                  return
                }
                const tensor = initializer.apply([tfjsSide, tfjsSide])
                const { mean } = await import('./peer-cases.mjs').then(async ({ moments }) =>
                  moments(await tensor.data()),
                )
                tf.dispose(tensor)
                if (!Number.isFinite(mean)) throw new Error('not finite')
              },
            },
          ]
        })),
      )
    }
    const rows = await interleave(cases, limits)
    torch?.stop()
    return { rows }
  },

  /** The CPU fallback on one thread, compared with TensorFlow.js's loop and @stdlib. */
  async cpu({ elements = million16, limits, withPeers }) {
    const cases = [
      ...fills('cpu', elements),
      freshCase('cpu', 'fresh.normal', 'normal, its array made within the time', normal, elements),
    ]
    if (withPeers) {
      const { loadTfjs, stdlibCase } = await import('./node-peers.mjs')
      cases.push(
        ...(await optional('tfjs', 'TensorFlow.js', async () => {
          const { tf } = await loadTfjs('cpu')
          const run = async () => tf.randomNormal([elements], 0, 0.02, 'float32', 1).dispose()
          return [{ id: 'tfjs.normal', name: 'tfjs.randomNormal (CPU)', elements, run }]
        })),
        ...(await optional('stdlib', '@stdlib', async () => [await stdlibCase(elements)])),
      )
    }
    return { rows: await interleave(cases, limits) }
  },
}
