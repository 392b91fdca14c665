// Runs the programs of pythonSnippet, for whole models and for parts, and every initializer of jax.nn.initializers in real
// PyTorch and JAX, and compares every value with this package's. It takes a few minutes and needs a Python with torch or jax
// (or both). Run: node scripts/check-python.mjs [python]
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'vite'

const python = process.argv[2] ?? 'python3'
const server = await createServer({
  configFile: false,
  logLevel: 'error',
  server: { middlewareMode: true, watch: null },
  optimizeDeps: { noDiscovery: true },
})
const { initializeModel, planModel, pythonSnippet, jax } = await server.ssrLoadModule('/src/index.ts')

const shapes = [[1], [15], [16], [17], [5, 3], [64, 3, 7, 7], [256, 784], [1], [3], [300, 513], [9, 37], [2, 2], [2, 2]]
const matrices = [
  [3, 3],
  [64, 64],
  [128, 32],
  [32, 128],
  [16, 4, 3, 3],
  [5, 2],
  [10, 6],
]
const elementwise = ['torch-cpu', 'torch-stateless', 'jax', 'jax-legacy']
const jaxOnly = ['jax', 'jax-legacy']
/** Initializer, settings, shapes, and the generators of the libraries that have this initializer. */
const distributions = [
  ['normal', { mean: 0, std: 1 }, shapes, elementwise],
  ['uniform', { a: 0, b: 1 }, shapes, elementwise],
  ['uniform', { a: -0.07, b: 0.07 }, shapes, elementwise],
  ['uniform', { a: 2, b: 5.5 }, shapes, elementwise],
  ['uniform', { a: 1e6, b: 1e6 + 3 }, shapes, elementwise],
  ['normal', { mean: 1.5, std: 0.3 }, shapes, elementwise],
  ['normal', { mean: 0, std: 0.02 }, shapes, elementwise],
  ['trunc_normal', { std: 0.02 }, shapes, ['torch-cpu', ...jaxOnly]],
  ['trunc_normal', {}, shapes, ['torch-cpu', ...jaxOnly]],
  ['trunc_normal', { mean: 0.5, std: 0.3, a: 0, b: 1 }, shapes, ['torch-cpu', ...jaxOnly]],
  ['trunc_normal', { mean: 0, std: 1, a: 1, b: 3 }, shapes, ['torch-cpu', ...jaxOnly]],
  ['trunc_normal', { mean: -1, std: 0.7, a: 0.9, b: 1.4 }, shapes, ['torch-cpu']],
  ['truncated_normal', { std: 0.05, lower: -3, upper: 1 }, shapes, jaxOnly],
  ['glorot_uniform', {}, matrices, jaxOnly],
  ['lecun_normal', {}, matrices, jaxOnly],
  ['he_normal', {}, matrices, jaxOnly],
  ['sparse', { sparsity: 0.35 }, matrices.filter((m) => m.length === 2), ['torch-cpu']],
  ['orthogonal', {}, matrices, elementwise],
  ['orthogonal', { gain: 1.5 }, matrices, elementwise],
  ['delta_orthogonal', {}, [[16, 4, 3, 3]], jaxOnly],
  ['eye', {}, [[5, 3]], elementwise],
  ['dirac', { groups: 2 }, [[6, 2, 3]], elementwise],
  ['xavier_normal', { gain: 2 }, matrices, elementwise],
  ['kaiming_uniform', { mode: 'fan_out' }, matrices, elementwise],
]

/** Runs a program and returns its weights, as float32, in the manifest's order. */
function run(program, names) {
  const folder = mkdtempSync(join(tmpdir(), 'webgpu-init-python-'))
  try {
    const file = join(folder, 'weights.bin')
    const dump = [
      'import numpy, sys',
      `with open(${JSON.stringify(file)}, "wb") as f:`,
      ...names.map((name) => `    f.write(numpy.asarray(weights[${JSON.stringify(name)}], dtype="<f4").tobytes())`),
      'lib = sys.modules.get("torch") or sys.modules["jax"]',
      'print(lib.__name__, lib.__version__, getattr(getattr(getattr(lib, "backends", 0), "cpu", 0), "get_cpu_capability", lambda: "")())',
    ]
    const { status, stdout, stderr } = spawnSync(python, ['-'], { input: `${program}\n${dump.join('\n')}\n` })
    if (status !== 0) return { error: stderr.toString().trim().split('\n').at(-1) }
    const bytes = readFileSync(file)
    return {
      version: stdout.toString().trim(),
      values: new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The rows of the first of three ranks, and all rows but the first and the last. Other generators need contiguous parts. */
const thirds = () => ({ shard: { axis: 0, index: 0, count: 3 } })
const middles = (parameters) => ({
  slice: Object.fromEntries(
    parameters
      .filter(({ shape }) => shape[0] >= 3)
      .map(({ name, shape }) => [
        name,
        { start: shape.map((_, i) => (i === 0 ? 1 : 0)), end: [shape[0] - 1, ...shape.slice(1)] },
      ]),
  ),
})
const runs = [
  [7, 'whole', () => ({})],
  [7, 'first third', thirds],
  [7, 'middle rows', middles],
  [-5, 'whole', () => ({})],
  [2n ** 63n + 12345n, 'whole', () => ({})],
]

/** Counts how arrays differ, in standard deviations of their distributions. */
class Tally {
  elements = 0
  differ = 0
  largest = 0
  add(ours, theirs, std) {
    for (const [i, value] of ours.entries()) {
      this.elements++
      if (value !== theirs[i]) this.differ++
      const error = Math.abs(value - theirs[i]) / (std || 1)
      // NaN counts as an infinite error.
      if (!(error <= this.largest)) this.largest = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error
    }
  }
  toString() {
    return `${this.differ} of ${this.elements} differ, largest ${this.largest.toExponential(2)} std`
  }
}

for (const generator of elementwise) {
  const own = distributions.filter(([, , , generators]) => generators.includes(generator))
  const parameters = own.flatMap(([, , shapes], l) =>
    shapes.map((shape, s) => ({ name: `distribution${l}.shape${s}`, shape, role: 'weight' })),
  )
  const rules = own.map(([initializer, config], l) => ({ match: `distribution${l}.*`, initializer, config }))
  for (const [seed, part, cut] of runs) {
    const options = { device: 'cpu', seed, generator, ...cut(parameters) }
    const weights = await initializeModel({ parameters }, rules, options)
    const names = parameters.map(({ name }) => name)
    const { error, version, values } = run(pythonSnippet(weights.manifest()), names)
    if (error !== undefined) {
      console.log(`${generator}: not run: ${error}`)
      break
    }
    const table = own.map(() => new Tally())
    let at = 0
    for (const [index, name] of names.entries()) {
      const ours = await weights.read(name)
      const { std } = weights.plan.parameters[index].expected
      table[Number(/^distribution(\d+)/.exec(name)[1])].add(ours, values.subarray(at, at + ours.length), std)
      at += ours.length
    }
    if (at !== values.length) throw new Error(`${generator}: Python made ${values.length} elements, not ${at}`)
    for (const [l, tally] of table.entries()) {
      const [kind, config] = own[l]
      console.log(`${generator} (${version}) seed ${seed}, ${part}: ${kind} ${JSON.stringify(config)}: ${tally}`)
    }
  }
}

// Every initializer of jax.nn.initializers with explicit keys: the call in Python, and this package's by name and config.
// The shapes are in JAX's layout, with inputs and outputs last.
const dense = [[37, 41], [784, 256], [3, 3, 16, 32], [5], [1, 1]]
const ranked = dense.filter(({ length }) => length >= 2)
const scalings = ['fan_in', 'fan_out', 'fan_avg', 'fan_geo_avg'].flatMap((mode) =>
  ['uniform', 'normal', 'truncated_normal'].map((distribution) => [
    `variance_scaling(1.7, "${mode}", "${distribution}")`,
    'variance_scaling',
    { scale: 1.7, mode, distribution },
    ranked,
  ]),
)
const presets = ['uniform', 'normal'].flatMap((kind) => [
  ...['glorot', 'he', 'lecun'].map((name) => [`${name}_${kind}()`, `${name}_${kind}`, {}, ranked]),
  // JAX has two names for each of these.
  [`xavier_${kind}()`, `glorot_${kind}`, {}, ranked],
  [`kaiming_${kind}()`, `he_${kind}`, {}, ranked],
])
const initializers = [
  ['zeros', 'zeros', {}, dense],
  ['ones', 'ones', {}, dense],
  ['constant(0.3)', 'constant', { value: 0.3 }, dense],
  ['uniform(0.05)', 'uniform', { a: 0, b: 0.05 }, dense],
  ['normal(0.02)', 'normal', { std: 0.02 }, dense],
  ['truncated_normal(0.02)', 'truncated_normal', { std: 0.02 }, dense],
  ['truncated_normal(0.3, lower=-1.0, upper=2.5)', 'truncated_normal', { std: 0.3, lower: -1, upper: 2.5 }, dense],
  ...presets,
  ...scalings,
  [
    'orthogonal()',
    'orthogonal',
    {},
    [
      [64, 64],
      [37, 41],
      [128, 32],
      [3, 3, 8, 16],
    ],
  ],
  [
    'orthogonal(1.5)',
    'orthogonal',
    { gain: 1.5 },
    [
      [64, 64],
      [37, 41],
    ],
  ],
  [
    'delta_orthogonal()',
    'delta_orthogonal',
    {},
    [
      [3, 3, 4, 16],
      [5, 4, 8],
      [3, 3, 3, 2, 6],
    ],
  ],
]
for (const generator of jaxOnly) {
  for (const seed of [5, 2024, 4294967295]) {
    const tests = initializers.flatMap(([call, initializer, config, shapes]) =>
      shapes.map((shape, s) => ({ name: `${call}#${s}`, call, initializer, config, shape })),
    )
    const key = jax.split(jax.key(seed), 3, { generator })[2]
    const program = [
      'import jax, jax.numpy as jnp, numpy as np',
      `jax.config.update("jax_threefry_partitionable", ${generator === 'jax' ? 'True' : 'False'})`,
      `key = jax.random.split(jax.random.key(np.uint32(${seed})), 3)[2]`,
      'weights = {}',
      ...tests.map(({ name, call, shape }) => {
        return `weights[${JSON.stringify(name)}] = jax.nn.initializers.${call}(key, (${shape.join(', ')},), jnp.float32)`
      }),
      'weights["truncated"] = jax.random.truncated_normal(key, -1.0, 2.5, (37, 41))',
      'weights["bits"] = jax.random.bits(key, (37, 41)) >> 8',
    ].join('\n')
    const { error, version, values } = run(program, [...tests.map(({ name }) => name), 'truncated', 'bits'])
    if (error !== undefined) {
      console.log(`${generator}: not run: ${error}`)
      break
    }
    const table = new Map(initializers.map(([call]) => [call, new Tally()]))
    let at = 0
    const next = (count) => {
      at += count
      return values.subarray(at - count, at)
    }
    for (const { name, call, initializer, config, shape } of tests) {
      const model = { parameters: [{ name, shape, layout: 'in-out', role: 'weight' }] }
      const settings = { name: generator, keys: { [name]: key } }
      const options = { device: 'cpu', seed, generator: settings }
      const rules = [{ match: () => true, initializer, config }]
      const { std } = planModel(model, rules, options).parameters[0].expected
      const ours = await (await initializeModel(model, rules, options)).read(name)
      const theirs = next(ours.length)
      table.get(call).add(ours, theirs, std)
      // The function of the same name with the same key must agree with JAX within the same bound.
      const method = initializer.replace(/_(.)/g, (_, letter) => letter.toUpperCase())
      const own = jax.initializers[method]
      if (own === undefined) continue
      const label = `jax.initializers.${method} for ${call}`
      if (!table.has(label)) table.set(label, new Tally())
      table
        .get(label)
        .add(
          method === 'varianceScaling' ? own(key, shape, config, { generator }) : own(key, shape, { generator }),
          theirs,
          std,
        )
    }
    for (const [label, ours] of [
      ['jax.truncatedNormal(-1, 2.5)', jax.truncatedNormal(key, -1, 2.5, [37, 41], { generator })],
      ['jax.bits', Float32Array.from(jax.bits(key, [37, 41], { generator }), (x) => x >>> 8)],
    ]) {
      table.set(label, new Tally())
      table.get(label).add(ours, next(ours.length), 1)
    }
    if (at !== values.length) throw new Error(`${generator}: Python made ${values.length} elements, not ${at}`)
    for (const [label, tally] of table) console.log(`${generator} (${version}) key of seed ${seed} ${label}: ${tally}`)
  }
}

// PyTorch's logarithm, with which trunc_normal_ selects uniforms. This package's is correctly rounded (docs/compatibility.md).
const logarithm = run(
  [
    'import torch, numpy as np',
    'x = torch.arange(1, 2**24, dtype=torch.float64) * 2.0**-24',
    'own = np.log(x.numpy()).astype(np.float32).view(np.int32).astype(np.int64)',
    'ulp = np.abs(torch.log(x.float()).numpy().view(np.int32) - own)',
    'weights = {"share": (ulp > 0).mean(), "largest": ulp.max()}',
  ].join('\n'),
  ['share', 'largest'],
)
if (logarithm.error === undefined) {
  const [share, largest] = logarithm.values
  console.log(
    `torch.log (${logarithm.version}): ${(100 * share).toFixed(1)} % of all 2^24 - 1 arguments k 2^-24 differ, by ${largest} ulp at most`,
  )
} else console.log(`torch.log: not run: ${logarithm.error}`)
await server.close()
