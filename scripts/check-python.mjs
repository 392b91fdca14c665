// Runs the programs of pythonSnippet in real PyTorch and JAX and compares every value with this package's.
// A few minutes. Needs a Python with torch or jax (or both): node scripts/check-python.mjs [python]
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
const { initializeModel, pythonSnippet, jax } = await server.ssrLoadModule('/src/index.ts')

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
/** Initializer, settings, shapes, and the generators whose library has it. */
const laws = [
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

/** The program's weights, as float32, in the manifest's order. */
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

for (const generator of elementwise) {
  const own = laws.filter(([, , , generators]) => generators.includes(generator))
  const parameters = own.flatMap(([, , shapes], l) =>
    shapes.map((shape, s) => ({ name: `law${l}.shape${s}`, shape, role: 'weight' })),
  )
  const rules = own.map(([initializer, config], l) => ({ match: `law${l}.*`, initializer, config }))
  for (const seed of [7, -5, 2n ** 63n + 12345n]) {
    const weights = await initializeModel({ parameters }, rules, { device: 'cpu', seed, generator })
    const names = parameters.map(({ name }) => name)
    const { error, version, values } = run(pythonSnippet(weights.manifest()), names)
    if (error !== undefined) {
      console.log(`${generator}: not run: ${error}`)
      break
    }
    const table = own.map(([kind, config]) => ({
      law: `${kind} ${JSON.stringify(config)}`,
      elements: 0,
      differ: 0,
      largest: 0,
    }))
    let at = 0
    for (const [index, name] of names.entries()) {
      const row = table[Number(/^law(\d+)/.exec(name)[1])]
      for (const value of await weights.read(name)) {
        const other = values[at++]
        row.elements++
        if (value !== other) row.differ++
        row.largest = Math.max(
          row.largest,
          Math.abs(value - other) / (weights.plan.parameters[index].expected.std || 1),
        )
      }
    }
    for (const { law, elements, differ, largest } of table) {
      console.log(
        `${generator} (${version}) seed ${seed} ${law}: ${differ} of ${elements} differ, largest ${largest.toExponential(2)} std`,
      )
    }
  }
}

// jax.random and jax.nn.initializers on explicit keys.
const shape = [37, 41]
const names = ['glorotUniform', 'glorotNormal', 'heUniform', 'heNormal', 'lecunUniform', 'lecunNormal']
const snake = (name) => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)
for (const generator of ['jax', 'jax-legacy']) {
  const program = [
    'import jax, numpy as np',
    `jax.config.update("jax_threefry_partitionable", ${generator === 'jax' ? 'True' : 'False'})`,
    'key = jax.random.split(jax.random.key(5), 3)[2]',
    `weights = {${names.map((name) => `"${name}": jax.nn.initializers.${snake(name)}()(key, (37, 41))`).join(', ')}}`,
    'weights["truncated"] = jax.random.truncated_normal(key, -1.0, 2.5, (37, 41))',
    'weights["bits"] = jax.random.bits(key, (37, 41)) >> 8',
  ].join('\n')
  const { error, version, values } = run(program, [...names, 'truncated', 'bits'])
  if (error !== undefined) {
    console.log(`${generator}: not run: ${error}`)
    break
  }
  const key = jax.split(jax.key(5), 3, { generator })[2]
  const ours = [
    ...names.map((name) => jax.initializers[name](key, shape, { generator })),
    jax.truncatedNormal(key, -1, 2.5, shape, { generator }),
    Float32Array.from(jax.bits(key, shape, { generator }), (x) => x >>> 8),
  ]
  for (const [index, array] of ours.entries()) {
    const theirs = values.subarray(index * array.length, (index + 1) * array.length)
    const differ = array.filter((x, i) => !Object.is(x, theirs[i])).length
    const largest = Math.max(...array.map((x, i) => Math.abs(x - theirs[i])))
    console.log(
      `${generator} (${version}) ${[...names, 'truncated', 'bits'][index]}: ${differ} of ${array.length} differ, largest ${largest.toExponential(2)}`,
    )
  }
}
await server.close()
