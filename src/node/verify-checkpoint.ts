import { Comparison } from '../core/comparison.js'
import { refuse, show, showPath } from '../core/errors.js'
import { CpuMeasurer } from '../cpu/measure.js'
import { CpuStore } from '../cpu/store.js'
import { deviceState } from '../gpu/device/device-state.js'
import { GpuStore } from '../gpu/gpu-store.js'
import { GpuMeasurer } from '../gpu/statistics/measure.js'
import type { Model } from '../ir/parameter.js'
import type { InitializationPlan, PlannedParameter } from '../ir/plan.js'
import { assemblePlan } from '../plan/assemble.js'
import { resolveOptions } from '../plan/options.js'
import type { SignalOptions, SignalReport } from '../signal/types.js'
import { type MeasuredTensor, measuredTensorsOf } from '../statistics/measured-tensor.js'
import type { Measurement } from '../statistics/measurement.js'
import { noRepeats } from '../statistics/repeats.js'
import type { WeightStore } from '../store/weight-store.js'
import { type CheckedMeasurement, type CheckReport, checkMeasured } from '../weights/check.js'
import { exactTests } from '../weights/distribution-tests.js'
import { InitializedModel } from '../weights/initialized-model.js'
import { materialize } from '../weights/materialize.js'
import { propagateSignal } from '../weights/propagate-signal.js'
import {
  comparedBitByBit,
  type ParameterVerification,
  type VerificationReport,
  verificationReport,
} from '../weights/verification.js'
import { verifyStore } from '../weights/verify.js'
import type { CheckpointReader } from './checkpoint-reader.js'

/** The parameters that are made, compared and measured together have at most this many bytes, or are a single larger one. */
const GROUP_BYTES = 64 * 2 ** 20
/** The number of bytes that are read at a time: a multiple of every element's and every word's length. */
const CHUNK_BYTES = 2 ** 24

export interface CheckpointVerification {
  /** True if every bit equals the manifest's, no test failed, and the signal is healthy or was not measured. */
  readonly ok: boolean
  readonly parity: VerificationReport
  readonly check: CheckReport
  /** Tensors that the manifest does not list, such as those that were copied from another checkpoint. */
  readonly uncovered: readonly string[]
  /** Only if it was requested. */
  readonly signal?: SignalReport
}

export interface CheckpointOptions {
  readonly device: GPUDevice | 'cpu'
  readonly falseAlarmRate: number
  /** A model with layers on the plan's parameters, to measure the signal. This needs all weights of the file at once. */
  readonly propagate?: { readonly model: Model; readonly options: SignalOptions }
  readonly signal?: AbortSignal
  readonly onProgress?: (bytesDone: number, bytesTotal: number) => void
}

/**
 * Refuses a checkpoint that cannot be what the plan makes: tensors that are missing, other shapes or dtypes.
 * @throws WeightInitError `INVALID_FILE` naming up to five of each
 */
export function matchCheckpoint(checkpoint: CheckpointReader, plan: InitializationPlan): PlannedParameter[] {
  const parameters = plan.parameters.filter(({ action }) => action === 'initialize')
  const list = (names: readonly string[]): string =>
    `${names.slice(0, 5).map(show).join(', ')}${names.length > 5 ? `, ... (${names.length})` : ''}`
  const fail = refuse('INVALID_FILE', `${showPath(checkpoint.path)} does not match the manifest: `)
  const missing = parameters.filter(({ name }) => !checkpoint.tensors.has(name)).map(({ name }) => name)
  if (missing.length > 0) fail(`it lacks ${list(missing)}.`)
  for (const { name, shape, dtype } of parameters) {
    const tensor = checkpoint.tensors.get(name)!
    if (tensor.shape.length !== shape.length || tensor.shape.some((length, axis) => length !== shape[axis])) {
      fail(`tensor ${show(name)} has shape ${show(tensor.shape)}, but the manifest says ${show(shape)}.`)
    }
    if (tensor.dtype !== dtype) {
      fail(`tensor ${show(name)} has dtype ${tensor.storedDType}, but the manifest says ${dtype}.`)
    }
  }
  return parameters
}

/**
 * Compares a checkpoint with its plan bit by bit, and tests it against the plan's distributions. One group of parameters after
 * another is made, compared with the file while it is read, measured, and freed. The whole model is therefore in memory only
 * if the signal is to be measured.
 */
export async function verifyCheckpoint(
  checkpoint: CheckpointReader,
  plan: InitializationPlan,
  { device, falseAlarmRate, propagate, signal, onProgress }: CheckpointOptions,
): Promise<CheckpointVerification> {
  const tensors = measuredTensorsOf(matchCheckpoint(checkpoint, plan))
  const options = signal === undefined ? {} : { signal }
  const anchored = tensors.filter((tensor) => tensor.anchored)
  const onCpu = new CpuMeasurer(tensors, { repeats: true, ...options })
  const onGpu =
    device === 'cpu'
      ? undefined
      : new GpuMeasurer(
          deviceState(device),
          anchored.reduce((sum, { parameter }) => sum + parameter.elementCount, 0),
        )
  const measured: CheckedMeasurement[] = []
  const parity: ParameterVerification[] = []
  let propagated: SignalReport | undefined
  let bytesDone = 0
  try {
    for (const group of propagate === undefined ? groupsOf(tensors) : [tensors]) {
      signal?.throwIfAborted()
      const parameters = group.map(({ parameter }) => parameter)
      const made = assemblePlan(plan, parameters)
      const store = await materialize(made, resolveOptions({ device, seed: plan.seed, segments: true, ...options }))
      try {
        for (const parameter of parameters) {
          parity.push(await compare(store, parameter, checkpoint, signal))
          bytesDone += parameter.byteLength
          onProgress?.(bytesDone, plan.totals.byteLength)
        }
        const measurements: Measurement[][] = []
        if (store instanceof GpuStore) {
          const located = group.map((tensor) => ({
            tensor,
            segments: store.segmentsOf(tensor.parameter),
          }))
          measurements.push(...(await onGpu!.measure(located, signal)))
        } else {
          for (const tensor of group) {
            const { name } = tensor.parameter
            measurements.push(await onCpu.measure(tensor, (start, length) => checkpoint.read(name, start, length)))
          }
        }
        // By now the store has the values of the file.
        if (propagate !== undefined) {
          const weights = InitializedModel.of(made, store)
          propagated = await propagateSignal(propagate.model, weights, { ...propagate.options, ...options })
        }
        for (const [index, tensor] of group.entries()) {
          const exact = await exactTests(store, tensor.parameter, signal)
          measured.push({ tensor, measurements: measurements[index]!, exact })
        }
        for (const [index, parameter] of parameters.entries()) {
          if (parameter.distribution.kind !== 'orthogonal') continue
          const [verified] = (await verifyStore(store, [parameter], options)).parameters
          parity[parity.length - parameters.length + index] = verified!
        }
      } finally {
        store.destroy()
      }
    }
    const repeats = onGpu === undefined ? onCpu.result().repeats : await onGpu.repeats()
    const check = checkMeasured(measured, repeats ?? noRepeats, falseAlarmRate)
    const report = verificationReport(parity)
    const known = new Set(plan.parameters.map(({ name }) => name))
    return {
      ok: report.ok && check.ok && (propagated?.verdict ?? 'healthy') === 'healthy',
      parity: report,
      check,
      uncovered: [...checkpoint.tensors.keys()].filter((name) => !known.has(name)),
      ...(propagated === undefined ? {} : { signal: propagated }),
    }
  } finally {
    onGpu?.destroy()
  }
}

/** Compares a parameter with the file's tensor. If they differ, the file's bytes replace those in the store. */
async function compare(
  store: WeightStore,
  parameter: PlannedParameter,
  checkpoint: CheckpointReader,
  signal: AbortSignal | undefined,
): Promise<ParameterVerification> {
  const { name, dtype, elementCount, byteLength } = parameter
  const comparison = new Comparison(dtype)
  const width = byteLength / elementCount
  for (let start = 0; start < byteLength; start += CHUNK_BYTES) {
    signal?.throwIfAborted()
    const length = Math.min(CHUNK_BYTES, byteLength - start)
    const [actual, expected] = await Promise.all([
      checkpoint.read(name, start, length),
      store.readRange(parameter, start, length),
    ])
    const before = comparison.result().mismatchCount
    comparison.add(actual, expected, start / width)
    if (comparison.result().mismatchCount > before) await overwrite(store, parameter, start, actual)
  }
  return comparedBitByBit(parameter, comparison)
}

async function overwrite(
  store: WeightStore,
  parameter: PlannedParameter,
  start: number,
  bytes: Uint8Array,
): Promise<void> {
  if (store instanceof GpuStore) {
    await store.write(parameter, start, bytes)
  } else if (store instanceof CpuStore) {
    const { buffer, byteOffset } = store.region(parameter.name)
    new Uint8Array(buffer, byteOffset + start, bytes.length).set(bytes)
  }
}

function* groupsOf(tensors: readonly MeasuredTensor[]): Generator<MeasuredTensor[]> {
  let group: MeasuredTensor[] = []
  let bytes = 0
  for (const tensor of tensors) {
    const { byteLength } = tensor.parameter
    if (group.length > 0 && bytes + byteLength > GROUP_BYTES) {
      yield group
      group = []
      bytes = 0
    }
    group.push(tensor)
    bytes += byteLength
  }
  if (group.length > 0) yield group
}
