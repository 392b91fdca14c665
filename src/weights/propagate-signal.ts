import { show, WeightInitError } from '../core/errors.js'
import { CpuSignalKernels } from '../cpu/signal.js'
import type { GpuStore } from '../gpu/gpu-store.js'
import { GpuSignalKernels } from '../gpu/signal/kernels.js'
import { checkSignalLimits } from '../gpu/signal/limits.js'
import type { Model } from '../ir/parameter.js'
import type { PlannedParameter } from '../ir/plan.js'
import type { SignalKernels } from '../signal/kernels.js'
import { resolveSignalOptions } from '../signal/options.js'
import { signalReport } from '../signal/report.js'
import { SignalRun } from '../signal/run.js'
import { signalSteps } from '../signal/steps.js'
import type { SignalOptions, SignalReport } from '../signal/types.js'
import type { InitializedModel } from './initialized-model.js'

/**
 * Sends a random batch forward and a random cotangent backward through a model with its real weights, where they are, and
 * says what becomes of the signal: per layer the mean square and variance of activations and gradients and the share of
 * dead units; for the whole network whether it vanishes or explodes, and which gain would centre it.
 *
 * Input x and cotangent c are N(0, 1), from the streams 'signal.input' and 'signal.cotangent' of the seed. Gradients are
 * those of <c, network(x)>. dropout is left out, batchNorm uses the batch's own statistics.
 *
 * A measurement, not a weight: sums are float32 on the GPU, in a fixed order, and float64 on the CPU, so the two agree to
 * about 1e-4 relative. Signals far beyond float32's range are measured right; the logarithms then say more than the numbers.
 *
 * Sources: Glorot and Bengio 2010; He et al. 2015; Schoenholz, Gilmer, Ganguli, Sohl-Dickstein, "Deep information
 * propagation", ICLR 2017.
 *
 * @param model a sequential of linear, conv1d/2d/3d, layerNorm, batchNorm, activations, flatten, residual
 * @param weights what `initializeModel` made for that model
 * @example
 * const { verdict, forward, advice } = await propagateSignal(model, weights, { batch: 64 })
 * @throws WeightInitError `INVALID_MODEL` for a model without layers or with a layer that is not supported, `INVALID_SHAPE`,
 *   `INVALID_ARGUMENT`, `UNKNOWN_PARAMETER`, `LIMIT_EXCEEDED`, all before any GPU work; DeviceLostError, OutOfMemoryError;
 *   the signal's reason. Everything made on the GPU is freed.
 */
export async function propagateSignal(
  model: Model,
  weights: InitializedModel,
  options: SignalOptions = {},
): Promise<SignalReport> {
  if (typeof weights?.held !== 'function') {
    throw new WeightInitError(
      'INVALID_ARGUMENT',
      `propagateSignal: weights must be what initializeModel gave, but found ${show(weights)}.`,
    )
  }
  const { batch, seed, inputShape, healthyFactor, signal } = resolveSignalOptions(options)
  const held = (name: string): PlannedParameter => weights.held(name)
  const steps = signalSteps(model, held, inputShape)
  const { store } = weights
  signal?.throwIfAborted()
  const first = steps[0]!
  const run = async <T>(kernels: SignalKernels<T>): Promise<SignalReport> => {
    try {
      const pass = new SignalRun(kernels, batch, () => signal?.throwIfAborted())
      const input = await kernels.random('signal.input', batch * first.inputCount)
      const cotangent = await kernels.random('signal.cotangent', batch * steps.at(-1)!.count)
      const ends = await pass.run(steps, input, cotangent)
      signal?.throwIfAborted()
      const head = { backend: store.backend, batch, seed, inputShape: first.inputShape, healthyFactor }
      return signalReport(pass.records, ends.input, head)
    } finally {
      kernels.destroy()
    }
  }
  if (store.backend === 'cpu') return run(new CpuSignalKernels(store, held, { batch, seed }))
  const gpuStore = store as GpuStore
  const { state } = gpuStore
  checkSignalLimits(state, steps, batch)
  const located = { parameter: held, segmentsOf: (parameter: PlannedParameter) => gpuStore.segmentsOf(parameter) }
  return run(new GpuSignalKernels(state, located, { batch, seed, signal }))
}
