// PyTorch's trunc_normal_ (torch/nn/init.py): bounds are absolute. Made on the host: how many words it takes is known only
// when it is done. From 2.13 on by rejection, on the CPU and on CUDA; up to 2.12 by inversion.
import { WeightInitError } from '../../core/errors.js'
import type { DistributionOf } from '../../ir/distribution.js'
import type { SimpleDistribution } from '../../ir/generator.js'
import { inverseErf } from '../../random/libraries/inverse-erf.js'
import { erf } from '../erf.js'
import { nextCall, sampleCall, type TorchCall } from './calls.js'
import { TORCH_BLOCK } from './cpu.js'

type TruncatedDistribution = DistributionOf<'truncated-normal'>
const fround = Math.fround

/** Above this probability of the interval, PyTorch redraws normals; below, it thins uniforms. */
const NORMALS_ABOVE = 0.3
/** Fewest of 100 proposals that must be taken: PyTorch draws the whole tensor again for the last element that is left. */
const LEAST_ACCEPTANCE = 0.01
/** No normal is further from its mean, in std: sqrt(-2 ln u) for the smallest u, 2^-24, 2^-53 or (CUDA) 2^-33. */
const reachOf = ({ generatorSource }: TorchCall): number =>
  generatorSource.generator === 'torch-cuda' ? 6.77 : generatorSource.count < TORCH_BLOCK ? 8.58 : 5.77

const normalCdf = (x: number): number => (1 + erf(x / Math.SQRT2)) / 2

/** Probability of [low, high], as PyTorch computes it. */
const probability = ({ mean, std, low, high }: TruncatedDistribution): number =>
  normalCdf((high - mean) / std) - normalCdf((low - mean) / std)

const logPeak = ({ mean, std, low, high }: TruncatedDistribution): number =>
  -0.5 * ((Math.max(low, Math.min(mean, high)) - mean) / std) ** 2

/** @throws WeightInitError `INVALID_CONFIG` where PyTorch would hardly ever end */
export function checkTorchTruncated(distribution: TruncatedDistribution, where: string): void {
  const p = probability(distribution)
  if (p > NORMALS_ABOVE) return
  const { mean, std, low, high } = distribution
  const acceptance = (p * Math.sqrt(2 * Math.PI) * std * Math.exp(-logPeak(distribution))) / (high - low)
  // Far out both factors leave the range of float64; there the distribution is exponential, of rate distance / std^2.
  const distance = Math.max(low - mean, mean - high)
  const estimate = p > 1e-13 ? acceptance : (std * std) / (distance * (high - low))
  if (estimate >= LEAST_ACCEPTANCE) return
  throw new WeightInitError(
    'INVALID_CONFIG',
    `${where}: PyTorch's trunc_normal_ proposes uniforms in [${low}, ${high}] and would take fewer than one in ` +
      `${1 / LEAST_ACCEPTANCE} with mean ${mean} and std ${std}. Narrow the interval, or use the default generator.`,
  )
}

/** Whether no normal can lie outside: then trunc_normal_ is normal_. */
export function isUntruncated({ mean, std, low, high }: TruncatedDistribution, call: TorchCall): boolean {
  const reach = reachOf(call) * std
  return fround(low) <= mean - reach && fround(high) >= mean + reach
}

/** Elements [first, first + count) of trunc_normal_, float32, in a new array. */
export function sampleTruncated(
  distribution: TruncatedDistribution,
  call: TorchCall,
  first: number,
  count: number,
): Float32Array {
  if ('truncation' in call.generatorSource && call.generatorSource.truncation === 'inversion')
    return inverted(distribution, call, first, count)
  return rejected(distribution, call, first, count).values
}

/** Elements that are looked at at a time: a multiple of 16, and 16 MiB of values. */
const CHUNK = 2 ** 22

/** Where the call after a trunc_normal_ by rejection begins: found by drawing it, unless nothing can be rejected. */
export function afterTruncated<Call extends TorchCall>(
  distribution: TruncatedDistribution,
  call: Call,
  elementCount: number,
): Call {
  const byNormals = probability(distribution) > NORMALS_ABOVE
  let rounds = 1
  if (!(byNormals && isUntruncated(distribution, call))) {
    for (let first = 0; first < elementCount; first += CHUNK) {
      rounds = Math.max(rounds, rejected(distribution, call, first, Math.min(CHUNK, elementCount - first)).rounds)
    }
  }
  let after: TorchCall = call
  for (let round = 0; round < rounds; round++) {
    after = nextRound(after, byNormals)
  }
  return after as Call
}

const nextRound = (call: TorchCall, byNormals: boolean): TorchCall =>
  byNormals ? nextCall(call, 'normal') : nextCall(nextCall(call, 'uniform'), 'uniform')

/** Runs of neighbouring elements, in order. */
type Runs = readonly { readonly first: number; readonly count: number }[]
/** One round of proposals: the values of some elements, run after run, and which of them are refused. */
type Proposal = (call: TorchCall, runs: Runs) => { values: Float32Array; refused: boolean[] }

/** Elements of several runs of one call: in one pass, since going back in a stream costs milliseconds. */
function sampleRuns(distribution: SimpleDistribution, call: TorchCall, runs: Runs): Float32Array {
  const out = new Float32Array(runs.reduce((sum, { count }) => sum + count, 0))
  let at = 0
  for (const { first, count } of runs) {
    out.set(sampleCall(distribution, call, first, count), at)
    at += count
  }
  return out
}

function rejected(
  distribution: TruncatedDistribution,
  start: TorchCall,
  first: number,
  count: number,
): { values: Float32Array; rounds: number } {
  const byNormals = probability(distribution) > NORMALS_ABOVE
  const propose = byNormals ? normalProposal(distribution) : uniformProposal(distribution)
  let call = start
  const { values, refused } = propose(call, [{ first, count }])
  let pending: number[] = []
  for (let i = 0; i < count; i++) if (refused[i]) pending.push(first + i)
  let rounds = 1
  for (; pending.length > 0; rounds++) {
    call = nextRound(call, byNormals)
    // PyTorch draws the whole tensor again; only the blocks with something to replace are looked at.
    const blocks = blocksOf(pending, first, first + count)
    const again = propose(call, blocks)
    const left: number[] = []
    let block = 0
    let before = 0
    for (const element of pending) {
      for (; element >= blocks[block]!.first + blocks[block]!.count; block++) before += blocks[block]!.count
      const from = before + element - blocks[block]!.first
      values[element - first] = again.values[from]!
      if (again.refused[from]) left.push(element)
    }
    pending = left
  }
  return { values, rounds }
}

/** The blocks of 16 that hold these elements, cut to [begin, end). */
function blocksOf(elements: readonly number[], begin: number, end: number): Runs {
  const runs: { first: number; count: number }[] = []
  let covered = begin
  for (const element of elements) {
    if (element < covered) continue
    const start = Math.floor(element / TORCH_BLOCK) * TORCH_BLOCK
    const first = Math.max(begin, start)
    covered = Math.min(end, start + TORCH_BLOCK)
    runs.push({ first, count: covered - first })
  }
  return runs
}

function normalProposal({ mean, std, low, high }: TruncatedDistribution): Proposal {
  const distribution: SimpleDistribution = { kind: 'normal', mean, std }
  const lowest = fround(low)
  const highest = fround(high)
  return (call, runs) => {
    const values = sampleRuns(distribution, call, runs)
    return { values, refused: Array.from(values, (x) => x < lowest || x > highest) }
  }
}

/** Uniforms, each taken with the probability density / largest density: u is refused where ln u > ln density. */
function uniformProposal(distribution: TruncatedDistribution): Proposal {
  const mean = fround(distribution.mean)
  const std = fround(distribution.std)
  const peak = fround(logPeak(distribution))
  return (call, runs) => {
    const values = sampleRuns({ kind: 'uniform', low: distribution.low, high: distribution.high }, call, runs)
    const units = sampleRuns({ kind: 'uniform', low: 0, high: 1 }, nextCall(call, 'uniform'), runs)
    const refused = Array.from(values, (x, i) => {
      const z = fround(fround(x - mean) / std)
      // The logarithm is PyTorch's vector library's, up to one ulp from this one: see docs/compatibility.md.
      return fround(Math.log(units[i]!)) > fround(fround(fround(z * z) * -0.5) - peak)
    })
    return { values, refused }
  }
}

/** The distribution of the uniform that is inverted, and what erf^-1 of it is multiplied by; float64, as PyTorch computes them. */
export function inversionDistribution({ mean, std, low, high }: TruncatedDistribution): {
  uniform: SimpleDistribution
  scale: number
} {
  const place = (x: number): number => 2 * normalCdf((x - mean) / std) - 1
  return { uniform: { kind: 'uniform', low: place(low), high: place(high) }, scale: std * Math.SQRT2 }
}

/** sqrt(2) std erf^-1(u) + mean, u uniform between the bounds' places; then cut to [low, high]. */
function inverted(distribution: TruncatedDistribution, call: TorchCall, first: number, count: number): Float32Array {
  const { mean, low, high } = distribution
  const { uniform, scale: factor } = inversionDistribution(distribution)
  const values = sampleCall(uniform, call, first, count)
  const scale = fround(factor)
  const centre = fround(mean)
  const [lowest, highest] = [fround(low), fround(high)]
  for (let i = 0; i < count; i++) {
    const value = fround(fround(fround(inverseErf(values[i]!)) * scale) + centre)
    values[i] = Math.min(Math.max(value, lowest), highest)
  }
  return values
}
