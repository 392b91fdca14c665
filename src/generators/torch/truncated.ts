// PyTorch's trunc_normal_ (torch/nn/init.py), whose bounds are absolute. From 2.13 on it uses rejection, on the CPU and on CUDA;
// up to 2.12 it uses inversion. It is made on the host, because only making it tells how many words it takes.
import { WeightInitError } from '../../core/errors.js'
import type { DistributionOf } from '../../ir/distribution.js'
import type { SimpleDistribution } from '../../ir/generator.js'
import { inverseErf } from '../../random/libraries/inverse-erf.js'
import { erf } from '../erf.js'
import { nextCall, sampleCall, type TorchCall } from './calls.js'
import { TORCH_BLOCK } from './cpu.js'

type TruncatedDistribution = DistributionOf<'truncated-normal'>
const fround = Math.fround

/** If the interval's probability is above this, PyTorch proposes normals; otherwise it proposes uniforms. */
const NORMALS_ABOVE = 0.3
/**
 * The smallest acceptance rate that is allowed. With a lower rate it would take too long, because PyTorch draws the whole tensor
 * again until every element is accepted.
 */
const LEAST_ACCEPTANCE = 0.01
/**
 * The largest distance of a normal value from its mean, in std: sqrt(-2 ln u) for the smallest u, which is 2^-24 in float32,
 * 2^-53 in float64 and 2^-33 on CUDA.
 */
const maxAbsOf = ({ generatorSource }: TorchCall): number =>
  generatorSource.generator === 'torch-cuda' ? 6.77 : generatorSource.count < TORCH_BLOCK ? 8.58 : 5.77

const normalCdf = (x: number): number => (1 + erf(x / Math.SQRT2)) / 2

/** The probability of [low, high], as PyTorch computes it. */
const probability = ({ mean, std, low, high }: TruncatedDistribution): number =>
  normalCdf((high - mean) / std) - normalCdf((low - mean) / std)

const logPeak = ({ mean, std, low, high }: TruncatedDistribution): number =>
  -0.5 * ((Math.max(low, Math.min(mean, high)) - mean) / std) ** 2

/** @throws WeightInitError `INVALID_CONFIG` if PyTorch would take extremely long, because it would reject nearly everything */
export function checkTorchTruncated(distribution: TruncatedDistribution, where: string): void {
  const p = probability(distribution)
  if (p > NORMALS_ABOVE) return
  const { mean, std, low, high } = distribution
  const acceptance = (p * Math.sqrt(2 * Math.PI) * std * Math.exp(-logPeak(distribution))) / (high - low)
  // Far from the mean both factors leave the range of float64. There the distribution is close to an exponential one with rate
  // distance / std^2.
  const distance = Math.max(low - mean, mean - high)
  const estimate = p > 1e-13 ? acceptance : (std * std) / (distance * (high - low))
  if (estimate >= LEAST_ACCEPTANCE) return
  throw new WeightInitError(
    'INVALID_CONFIG',
    `${where}: PyTorch's trunc_normal_ proposes uniforms in [${low}, ${high}] and would accept fewer than one in ` +
      `${1 / LEAST_ACCEPTANCE} with mean ${mean} and std ${std}. Narrow the interval, or use the default generator.`,
  )
}

/** Whether no normal value can lie outside the bounds, so that trunc_normal_ equals normal_. */
export function isUntruncated({ mean, std, low, high }: TruncatedDistribution, call: TorchCall): boolean {
  const maxAbs = maxAbsOf(call) * std
  return fround(low) <= mean - maxAbs && fround(high) >= mean + maxAbs
}

/** Elements [first, first + count) of trunc_normal_ as float32, in a new array. */
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

/** How many elements are examined at a time: a multiple of 16, with 16 MiB of values. */
const CHUNK = 2 ** 22

/**
 * The call after a trunc_normal_ with rejection. Unless nothing can be rejected, all values are drawn to find out how many
 * rounds PyTorch needs.
 */
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

/** Runs of neighbouring elements, in ascending order. */
type Runs = readonly { readonly first: number; readonly count: number }[]
/** Draws one round of proposals: the values of the elements in the runs, and which of them are rejected. */
type Proposal = (call: TorchCall, runs: Runs) => { values: Float32Array; refused: boolean[] }

/** The elements of several runs of one call, read in ascending order, because going back in a stream costs milliseconds. */
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
    // PyTorch draws the whole tensor again. Only the blocks that contain a rejected element are needed here.
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

/** The blocks of 16 that contain these elements, clipped to [begin, end). */
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

/** Proposes uniforms and accepts x with probability density(x) / largest density: it is rejected if ln u exceeds its log. */
function uniformProposal(distribution: TruncatedDistribution): Proposal {
  const mean = fround(distribution.mean)
  const std = fround(distribution.std)
  const peak = fround(logPeak(distribution))
  return (call, runs) => {
    const values = sampleRuns({ kind: 'uniform', low: distribution.low, high: distribution.high }, call, runs)
    const units = sampleRuns({ kind: 'uniform', low: 0, high: 1 }, nextCall(call, 'uniform'), runs)
    const refused = Array.from(values, (x, i) => {
      const z = fround(fround(x - mean) / std)
      // PyTorch uses the logarithm of a vector library, which may differ from this one by one ulp: see docs/compatibility.md.
      return fround(Math.log(units[i]!)) > fround(fround(fround(z * z) * -0.5) - peak)
    })
    return { values, refused }
  }
}

/** The uniform distribution to which erf^-1 is applied, and the factor on the result; in float64, as PyTorch computes them. */
export function inversionDistribution({ mean, std, low, high }: TruncatedDistribution): {
  uniform: SimpleDistribution
  scale: number
} {
  const place = (x: number): number => 2 * normalCdf((x - mean) / std) - 1
  return { uniform: { kind: 'uniform', low: place(low), high: place(high) }, scale: std * Math.SQRT2 }
}

/** sqrt(2) std erf^-1(u) + mean for a uniform u, clamped to [low, high]. */
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
