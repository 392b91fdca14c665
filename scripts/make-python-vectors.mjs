// Writes test/vectors/python_init.json, which python/test_webgpu_init.py compares with. It contains random parameters (with a
// fixed seed), parts of them, small manifests of real models, and the distributions of the golden hashes, each with the SHA-256
// of the bytes from the CPU path of the built package. Run after `npm run build`: node scripts/make-python-vectors.mjs
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import {
  createInitializer,
  defineInitializer,
  defineModel,
  initializeModel,
  planModel,
  readHuggingFaceConfig,
} from '../dist/index.js'

const out = new URL('../test/vectors/python_init.json', import.meta.url)
const contract = JSON.parse(readFileSync(new URL('../test/vectors/contract_v1.json', import.meta.url), 'utf8'))

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')
const widths = { float32: 4, float16: 2, bfloat16: 2, int64: 8, int32: 4, int16: 2, int8: 1, uint8: 1, bool: 1 }

// mulberry32 with a fixed seed, so that every run writes the same file.
let state = 20260101
function random() {
  state = (state + 0x6d2b79f5) | 0
  let x = Math.imul(state ^ (state >>> 15), state | 1)
  x ^= x + Math.imul(x ^ (x >>> 7), x | 61)
  return ((x ^ (x >>> 14)) >>> 0) * 2 ** -32
}
const integer = (low, high) => low + Math.floor(random() * (high - low + 1))
const pick = (list) => list[integer(0, list.length - 1)]
/** A number of any magnitude in the range, with few digits, so that the file stays small. */
const number = (low, high) => Number((low + random() * (high - low)).toPrecision(integer(1, 9)))
const spread = (low, high) => Number((10 ** (low + random() * (high - low))).toPrecision(integer(1, 9)))

function shape() {
  const rank = pick([0, 1, 1, 2, 2, 2, 2, 3, 4])
  const most = [1, 3000, 55, 14, 7][rank]
  return Array.from({ length: rank }, () => integer(1, most))
}

const size = (lengths) => lengths.reduce((a, b) => a * b, 1)
const seed = () =>
  pick([
    () => 0,
    () => 42,
    () => -1,
    () => integer(0, 2 ** 31),
    () => BigInt(integer(0, 2 ** 32 - 1)) * 2n ** 32n + BigInt(integer(0, 2 ** 32 - 1)),
    () => -BigInt(integer(1, 2 ** 40)) * 2n ** 30n,
  ])()
const name = () =>
  pick([
    () => `layers.${integer(0, 99)}.weight`,
    () => `h.${integer(0, 9)}.attn.c_attn.weight`,
    () => `größe.${integer(0, 9)}`,
    () => `层.${integer(0, 9)}.重み`,
    () => `🦙${integer(0, 9)}`,
    () => `w${integer(0, 9999)}`,
  ])()

const distributions = {
  constant: (dtype) => ({
    kind: 'constant',
    value:
      dtype === 'bool'
        ? integer(0, 1)
        : dtype.startsWith('uint')
          ? integer(0, 100)
          : dtype.includes('float')
            ? number(-9, 9)
            : integer(-99, 99),
  }),
  uniform() {
    const high = spread(-6, 3)
    return pick([
      () => ({ kind: 'uniform', low: -high, high }),
      () => ({ kind: 'uniform', low: 0, high }),
      () => ({ kind: 'uniform', low: number(-9, -1), high: number(1, 9) }),
      () => ({ kind: 'uniform', low: number(-9, -5), high: number(-4, 0) }),
    ])()
  },
  normal: () => ({ kind: 'normal', mean: pick([0, 0, 0, number(-5, 5)]), std: spread(-7, 2) }),
  'truncated-normal'() {
    const std = spread(-4, 1)
    const mean = pick([0, 0, number(-3, 3)])
    const at = (z) => mean + z * std
    return pick([
      () => ({ kind: 'truncated-normal', mean, std, low: at(-2), high: at(2) }),
      () => ({ kind: 'truncated-normal', mean, std, low: at(number(-7, -3)), high: at(number(-2, 6)) }),
      () => ({ kind: 'truncated-normal', mean, std, low: at(number(3, 8)), high: at(number(8.1, 9)) }),
      () => ({ kind: 'truncated-normal', mean, std, low: at(number(-9, -8.1)), high: at(number(-8, -3)) }),
      () => ({ kind: 'truncated-normal', mean, std, low: at(number(-1, 1)), high: Number.POSITIVE_INFINITY }),
      () => ({ kind: 'truncated-normal', mean, std, low: Number.NEGATIVE_INFINITY, high: at(number(-3, 3)) }),
    ])()
  },
  sparse(_, lengths) {
    const [rows, columns] = lengths
    return { kind: 'sparse', std: spread(-3, 0), rows, columns, zeros: integer(0, rows - 1) }
  },
}

/** The distribution as it is in JSON and in the manifest: without infinities. */
const plain = (distribution) => JSON.parse(JSON.stringify(distribution))

async function bytesOf(parameter, initializer, options) {
  const model = defineModel({ parameters: [parameter] })
  const weights = await initializeModel(model, [{ match: '*', initializer }], { device: 'cpu', ...options })
  const manifest = weights.manifest()
  const bytes = await weights.readBytes(parameter.name)
  weights.destroy()
  return { bytes, manifest, ...manifest.parameters[0] }
}

/** Throws the error again, unless it says that the spec is not valid (overflow, a tail too narrow, a wrong dtype). */
function refused(error) {
  if (error.code !== 'INVALID_CONFIG' && error.code !== 'UNSUPPORTED_DTYPE') throw error
}

const distributionInitializer = (distribution) =>
  defineInitializer({ name: 'distribution', distribution: () => distribution })

/** One random spec: [seed, name, shape, distribution, dtype, start, stop, padding, sha256]. */
async function randomSpec() {
  const kind = pick([
    'constant',
    'uniform',
    'uniform',
    'uniform',
    'normal',
    'normal',
    'normal',
    'truncated-normal',
    'truncated-normal',
    'truncated-normal',
    'sparse',
    'eye',
    'dirac',
    'sinusoidal',
  ])
  const dtype =
    kind === 'constant' || kind === 'eye'
      ? pick(Object.keys(widths))
      : pick(['float32', 'float32', 'float16', 'bfloat16'])
  let lengths = shape()
  if (kind === 'sparse' || kind === 'eye') lengths = [integer(1, 60), integer(1, 50)]
  if (kind === 'dirac') lengths = Array.from({ length: integer(3, 5) }, () => integer(1, 6))
  if (kind === 'sinusoidal') lengths = [integer(1, 300), 2 * integer(2, 12)]
  const own = seed()
  const parameter = { name: name(), shape: lengths, dtype, role: 'weight' }
  if (lengths.length === 2 && kind !== 'constant' && random() < 0.1) {
    Object.assign(parameter, { role: 'embedding', paddingIndex: integer(0, lengths[0] - 1) })
  }
  const initializer =
    kind === 'eye' || kind === 'dirac'
      ? createInitializer(kind, {})
      : kind === 'sinusoidal'
        ? createInitializer(kind, { arrangement: pick(['halves', 'interleaved']) })
        : distributionInitializer(distributions[kind](dtype, lengths))
  const made = await bytesOf(parameter, initializer, { seed: own }).catch(refused)
  if (made === undefined) return randomSpec()
  const { bytes, distribution, padding } = made
  const count = size(lengths)
  const sliced = random() < 0.6
  const start = sliced ? integer(0, count) : null
  const stop = sliced ? integer(start, count) : null
  const width = widths[dtype]
  const part = sliced ? bytes.subarray(start * width, stop * width) : bytes
  return [String(own), parameter.name, lengths, plain(distribution), dtype, start, stop, padding ?? null, sha256(part)]
}

/** Elements far out in very large tensors: [seed, name, shape, distribution, dtype, start, stop, null, sha256]. */
async function farSpecs() {
  const rows = []
  for (const first of [2 ** 32 - 5, 2 ** 34 - 7, 2 ** 40 + 1, 2 ** 50 - 100]) {
    for (const kind of ['uniform', 'normal', 'truncated-normal']) {
      const drawn = distributions[kind]('float32')
      const parameter = { name: `far.${first}`, shape: [2 ** 50 + 8], role: 'weight' }
      const [start, stop] = [first, Math.min(first + 64, 2 ** 50 + 8)]
      const slice = { [parameter.name]: { start: [start], end: [stop] } }
      const { bytes, distribution } = await bytesOf(parameter, distributionInitializer(drawn), { seed: 11, slice })
      rows.push([
        '11',
        parameter.name,
        parameter.shape,
        plain(distribution),
        'float32',
        start,
        stop,
        null,
        sha256(bytes),
      ])
    }
  }
  return rows
}

/** Rectangular parts. Each is in a manifest with one parameter: { manifest, sha256 }. */
async function parts() {
  const rows = []
  while (rows.length < 40) {
    const kind = pick(['uniform', 'normal', 'truncated-normal', 'sparse', 'eye', 'dirac', 'sinusoidal', 'padded'])
    let lengths = Array.from({ length: integer(2, 4) }, () => integer(2, 12))
    if (kind === 'sparse' || kind === 'eye' || kind === 'padded') lengths = lengths.slice(0, 2)
    if (kind === 'sinusoidal') lengths = [lengths[0], 2 * lengths[1]]
    if (kind === 'dirac') lengths = [6, 6, 3, 3]
    const start = lengths.map((n) => integer(0, n - 1))
    const end = lengths.map((n, axis) => integer(start[axis] + 1, n))
    const parameter = { name: name(), shape: lengths, role: 'weight', dtype: pick(['float32', 'float16', 'bfloat16']) }
    if (kind === 'padded') Object.assign(parameter, { role: 'embedding', paddingIndex: integer(0, lengths[0] - 1) })
    const initializer = distributions[kind === 'padded' ? 'normal' : kind]
      ? distributionInitializer(distributions[kind === 'padded' ? 'normal' : kind](parameter.dtype, lengths))
      : createInitializer(kind, {})
    const slice = { [parameter.name]: { start, end } }
    const made = await bytesOf(parameter, initializer, { seed: rows.length, slice }).catch(refused)
    if (made !== undefined) rows.push({ manifest: made.manifest, sha256: sha256(made.bytes) })
  }
  return rows
}

/** Orthogonal distributions, compared within 2e-5: [seed, name, shape, distribution, base64 of the float32 values]. */
async function orthogonal() {
  const rows = []
  const cases = [
    [[6, 4], 'orthogonal', {}],
    [[4, 6], 'orthogonal', { gain: 1.5 }],
    [[9, 9], 'orthogonal', { gain: -0.25 }],
    [[8, 3, 3, 3], 'orthogonal', {}],
    [[3, 4, 2], 'orthogonal', {}, { batchAxes: 1 }],
    [[12, 5], 'orthogonal', {}, { blocks: 3 }],
    [[3, 3, 4, 6], 'orthogonal', {}, { layout: 'in-out' }],
    [[6, 4, 3, 3], 'delta_orthogonal', { gain: 2 }],
    [[5, 5, 4], 'delta_orthogonal', {}],
    [[3, 3, 4, 6], 'delta_orthogonal', {}, { layout: 'in-out' }],
    [[32, 20], 'orthogonal', {}],
    [[1, 7], 'orthogonal', {}],
  ]
  for (const [lengths, kind, config, more] of cases) {
    const parameter = { name: `o.${rows.length}`, shape: lengths, role: 'weight', ...more }
    const own = rows.length + 3
    const { bytes, distribution } = await bytesOf(parameter, createInitializer(kind, config), { seed: own })
    rows.push([String(own), parameter.name, lengths, plain(distribution), Buffer.from(bytes).toString('base64')])
  }
  return rows
}

/** Small models of real architectures: { config, manifest, plan (of three), tied, sha256: { name: ... } }. */
async function models() {
  const tiny = {
    gpt2: { n_embd: 16, n_head: 2, n_layer: 2, n_positions: 12, n_ctx: 12, vocab_size: 41 },
    'llama-3.2-1b': {
      hidden_size: 16,
      intermediate_size: 24,
      num_attention_heads: 4,
      num_hidden_layers: 1,
      num_key_value_heads: 2,
      vocab_size: 37,
      head_dim: 4,
    },
    'bert-base-uncased': {
      hidden_size: 16,
      intermediate_size: 24,
      num_attention_heads: 2,
      num_hidden_layers: 1,
      vocab_size: 37,
      max_position_embeddings: 12,
    },
    't5-small': { d_model: 16, d_ff: 24, d_kv: 4, num_heads: 4, num_layers: 1, num_decoder_layers: 1, vocab_size: 37 },
    'whisper-tiny': {
      d_model: 16,
      encoder_layers: 1,
      decoder_layers: 1,
      encoder_attention_heads: 2,
      decoder_attention_heads: 2,
      encoder_ffn_dim: 24,
      decoder_ffn_dim: 24,
      vocab_size: 37,
      max_source_positions: 20,
      max_target_positions: 10,
      num_mel_bins: 6,
      pad_token_id: 3,
      bos_token_id: 1,
      eos_token_id: 2,
      decoder_start_token_id: 1,
    },
    'vit-base-patch16-224': {
      hidden_size: 16,
      intermediate_size: 24,
      num_attention_heads: 2,
      num_hidden_layers: 1,
      image_size: 16,
      patch_size: 4,
    },
    'qwen3-0.6b': {
      hidden_size: 16,
      intermediate_size: 24,
      num_attention_heads: 2,
      num_hidden_layers: 1,
      num_key_value_heads: 1,
      vocab_size: 37,
      head_dim: 4,
    },
  }
  const rows = {}
  for (const [folder, smaller] of Object.entries(tiny)) {
    const text = readFileSync(new URL(`../examples/${folder}/config.json`, import.meta.url), 'utf8')
    const config = { ...JSON.parse(text), ...smaller }
    const { model, recipe, tied } = readHuggingFaceConfig(config)
    const weights = await initializeModel(model, recipe, { device: 'cpu', seed: 2026 })
    const hashes = {}
    for (const key of weights.parameters.keys()) hashes[key] = sha256(await weights.readBytes(key))
    // The output of `plan --json`, for a model with ties and two models with padding rows.
    const planned = ['gpt2', 'bert-base-uncased', 'whisper-tiny'].includes(folder)
    const plan = planned ? { plan: { model: folder, tied, ...planModel(model, recipe, { seed: 2026 }).toJSON() } } : {}
    rows[folder] = { config, manifest: weights.manifest(), ...plan, tied, sha256: hashes }
    weights.destroy()
  }
  return rows
}

/** The distributions of the golden hashes in contract_v1.json, by the part of the id before the dtype. */
function contractDistributions() {
  const known = {
    'uniform[0,1)': ['uniform', {}],
    'uniform[-0.3,7.7)': ['uniform', { a: -0.3, b: 7.7 }],
    'normal(0,1)': ['normal', {}],
    'normal(-3.25,0.37)': ['normal', { mean: -3.25, std: 0.37 }],
    xavierUniform: ['xavier_uniform', {}],
    xavierNormal: ['xavier_normal', {}],
    kaimingUniform: ['kaiming_uniform', {}],
    kaimingNormal: ['kaiming_normal', {}],
    'trunc_normal(0,1;-2,2)': ['trunc_normal', {}],
    'trunc_normal(0.5,0.3;0.4,100)': ['trunc_normal', { mean: 0.5, std: 0.3, a: 0.4, b: 100 }],
    'trunc_normal(0,1;7,8)': ['trunc_normal', { a: 7, b: 8 }],
    lecunNormal: ['lecun_normal', {}],
    'sparse(0.3)': ['sparse', { sparsity: 0.3 }],
    eye: ['eye', {}],
  }
  const model = { parameters: [{ name: 'layers.0.weight', shape: [1001, 37] }] }
  return Object.fromEntries(
    Object.entries(known).map(([id, [initializer, config]]) => [
      id,
      plain(planModel(model, initializer, config, { seed: 0 }).parameters[0].distribution),
    ]),
  )
}

const ids = new Set(Object.keys(contract.sha256).map((id) => id.split(' ').slice(0, -3).join(' ')))
const distributionsOfContract = contractDistributions()
for (const id of ids)
  if (distributionsOfContract[id] === undefined) throw new Error(`no distribution for the golden hash ${id}`)

const specs = []
while (specs.length < 1000) specs.push(await randomSpec())
const file = {
  _meta: {
    what:
      'SHA-256 of little-endian bytes from the CPU path. specs, far: [seed, name, shape, distribution, dtype, start, stop, ' +
      'padding, sha256]; orthogonal: [seed, name, shape, distribution, base64 of float32]',
    contract: 1,
    made: 'node scripts/make-python-vectors.mjs',
  },
  contractDistributions: distributionsOfContract,
  specs,
  far: await farSpecs(),
  parts: await parts(),
  orthogonal: await orthogonal(),
  models: await models(),
}
const lines = (value) => `[\n${value.map((row) => JSON.stringify(row)).join(',\n')}\n]`
const text = Object.entries(file).map(
  ([key, value]) => `${JSON.stringify(key)}: ${Array.isArray(value) ? lines(value) : JSON.stringify(value)}`,
)
writeFileSync(out, `{\n${text.join(',\n')}\n}\n`)
console.log(
  `${specs.length} specs, ${file.far.length} far, ${file.parts.length} parts, ${Object.keys(file.models).length} models`,
)
