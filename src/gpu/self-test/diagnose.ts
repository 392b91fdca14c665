import { type FloatDType, floatFormats } from '../../core/dtype.js'
import { show, WeightInitError } from '../../core/errors.js'
import { blockSampler } from '../../cpu/samplers.js'
import type { FillJob } from '../../ir/job.js'
import { boxMuller, direction, radius } from '../../random/normal.js'
import { philox4x32 } from '../../random/philox.js'
import { adapterInfoOf } from '../device/adapter-info.js'
import { USAGE_COPY_DST, USAGE_COPY_SRC, USAGE_STORAGE, USAGE_UNIFORM } from '../device/constants.js'
import type { DeviceState } from '../device/device-state.js'
import { copyOut } from '../device/readback.js'
import { submit } from '../device/submit.js'
import { fillConstants, fillLayout, jobLayout } from '../fill/layouts.js'
import { packSource } from '../fill/pack-job.js'
import { bindGroup } from '../pipelines/bind-groups.js'
import { pipeline } from '../pipelines/pipelines.js'
import { roundSlots } from '../shaders/pipeline-key.js'

/** A shader function and its CPU reference, on four words. */
interface Probe {
  readonly name: string
  readonly file: string
  readonly module: string
  readonly slots?: Readonly<Record<string, string>>
  /** Replaces four words by the function's result. */
  readonly reference: (words: Uint32Array) => void
}

const WORDS = 4096
const LABEL = 'webgpu-init probe'

/**
 * Finds the cause of a failed self-test: runs the functions of the job's shader, the innermost first, and throws an error
 * that names the first function whose results differ from those of the CPU.
 * @throws WeightInitError `DEVICE_MISCOMPUTES`, always
 */
export async function diagnose(state: DeviceState, job: FillJob): Promise<never> {
  for (const probe of probesFor(job)) {
    const found = await runProbe(state, probe, job)
    if (found !== undefined) throw miscomputes(state, `${probe.name} (shaders/${probe.file}.wgsl)`, found)
  }
  const { source } = job
  if (source.kind === 'generator') {
    throw miscomputes(
      state,
      `generator ${source.generatorSource.generator} for ${job.dtype}`,
      "its first values are not the CPU's.",
    )
  }
  const entry = source.kind === 'constant' ? 'fill/constant' : job.part === undefined ? 'fill/fill' : 'fill/fill_part'
  throw miscomputes(
    state,
    `shaders/${entry}.wgsl for ${job.dtype}`,
    'its functions are right one by one, what is stored is not.',
  )
}

function miscomputes({ device }: DeviceState, what: string, found: string): WeightInitError {
  const { description, device: model, vendor } = adapterInfoOf(device) ?? {}
  return new WeightInitError(
    'DEVICE_MISCOMPUTES',
    `This device (${show(description || model || vendor || 'unnamed')}) computes ${what} wrong: ${found} ` +
      "Nothing was written: its weights would not be those of other devices. Update the driver, choose another adapter, or initialise with device: 'cpu'.",
  )
}

function probesFor({ source, dtype }: FillJob): Probe[] {
  if (source.kind !== 'sampler' || typeof source.sampler !== 'string') return []
  const probes = [philoxProbe('philox4x32', 'probe/philox4x32'), philoxProbe('philoxBlock', 'probe/philox_block')]
  if (source.sampler === 'normal' || source.sampler === 'sparse') probes.push(...normalProbes)
  const sample = blockSampler(source)
  const file = `distributions/${source.sampler}`
  probes.push({
    name: 'sample',
    file,
    module: 'probe/sample',
    slots: { sampler: file },
    reference: (w) => sample(w.slice(), 0, asFloats(w), 0),
  })
  const slots = roundSlots(dtype)
  // Random values are of floating dtypes only.
  const { encode } = floatFormats[dtype as FloatDType]
  probes.push({
    name: 'roundToDType',
    file: slots.round,
    module: 'probe/round_to_dtype',
    slots,
    reference: (w) => w.set(w.map(encode)),
  })
  return probes
}

const asFloats = (words: Uint32Array): Float32Array => new Float32Array(words.buffer, words.byteOffset, words.length)

const philoxProbe = (name: string, module: string): Probe => ({
  name,
  file: 'random/philox',
  module,
  reference: (w) => philox4x32(w, w[0]!, w[1]!, 0, 0, w[2]!, w[3]!),
})

const normalProbe = (name: string, module: string, reference: Probe['reference']): Probe => ({
  name,
  file: 'random/normal',
  module,
  reference,
})

const normalProbes: readonly Probe[] = [
  normalProbe('radius', 'probe/radius', (w) => asFloats(w).set([...w].map(radius))),
  normalProbe('direction', 'probe/direction', (w) => {
    const [x = 0, , z = 0] = w
    const floats = asFloats(w)
    direction(floats.subarray(0, 2), x)
    direction(floats.subarray(2, 4), z)
  }),
  normalProbe('boxMuller', 'probe/box_muller', (w) => {
    const [x = 0, y = 0, z = 0, last = 0] = w
    const floats = asFloats(w)
    boxMuller(floats.subarray(0, 2), x, y)
    boxMuller(floats.subarray(2, 4), z, last)
  }),
]

/** A description of the first difference, or undefined if there is none. */
async function runProbe(state: DeviceState, probe: Probe, job: FillJob): Promise<string | undefined> {
  const { device } = state
  const compute = await pipeline(state, {
    entry: 'probe/probe',
    slots: { probe: probe.module, ...probe.slots },
    layout: fillLayout,
    constants: fillConstants,
  })
  const input = probeWords(probe)
  const block = new DataView(new ArrayBuffer(jobLayout.byteLength))
  packSource({ view: block, at: 0 }, { job, start: 0, count: WORDS, firstWord: 0 })
  const usage = USAGE_STORAGE | USAGE_COPY_SRC | USAGE_COPY_DST
  const words = device.createBuffer({ label: LABEL, size: input.byteLength, usage })
  const uniform = device.createBuffer({
    label: `${LABEL} job`,
    size: jobLayout.byteLength,
    usage: USAGE_UNIFORM | USAGE_COPY_DST,
  })
  try {
    device.queue.writeBuffer(words, 0, input)
    device.queue.writeBuffer(uniform, 0, block.buffer)
    const group = bindGroup(state, LABEL, fillLayout, [{ buffer: words }, { buffer: uniform }])
    await submit(state, { label: LABEL, subject: `the probe of ${probe.name}` }, (pass) => {
      pass.setPipeline(compute)
      pass.setBindGroup(0, group, [0])
      pass.dispatchWorkgroups(16)
    })
    let found: string | undefined
    await copyOut(state, words, 0, input.byteLength, (bytes) => {
      found = firstDifference(probe, input, new Uint32Array(bytes.slice().buffer))
    })
    return found
  } finally {
    words.destroy()
    uniform.destroy()
  }
}

/** Arbitrary words; for functions of float32 finite values, of which two in four lie halfway between 16-bit values. */
function probeWords({ module }: Probe): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(WORDS)
  const four = new Uint32Array(4)
  for (let at = 0; at < WORDS; at += 4) {
    philox4x32(four, at, 0, 0, 0, 0x243f6a88, 0x85a308d3)
    words.set(four, at)
  }
  if (module !== 'probe/round_to_dtype') return words
  // Fraction bits that some dtype does not have.
  const drops = Object.values(floatFormats).flatMap(({ fractionBits }) =>
    fractionBits < 23 ? [23 - fractionBits] : [],
  )
  return words.map((word, index) => {
    const finite = (word & 0x7f800000) === 0x7f800000 ? word ^ 0x800000 : word
    const dropped = drops[(index >> 1) % drops.length]!
    return index % 2 === 0 ? finite : (((finite >>> dropped) << dropped) | (1 << (dropped - 1))) >>> 0
  })
}

function firstDifference(probe: Probe, input: Uint32Array, actual: Uint32Array): string | undefined {
  const hex = (words: Uint32Array): string => [...words].map((w) => `0x${w.toString(16).padStart(8, '0')}`).join(' ')
  for (let at = 0; at < WORDS; at += 4) {
    const expected = input.slice(at, at + 4)
    probe.reference(expected)
    const got = actual.subarray(at, at + 4)
    if (expected.some((word, i) => word !== got[i])) {
      return `of ${hex(input.subarray(at, at + 4))} it makes ${hex(got)}, not ${hex(expected)}.`
    }
  }
  return undefined
}
