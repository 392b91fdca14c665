// The engine of the page. Every computation runs in this worker, on the GPU or on the CPU, so that the page stays responsive.
import { expose } from 'comlink'
import {
  activationGain,
  type InitializationManifest,
  type InitializedModel,
  initializeModel,
  KaimingInitializer,
  type ParameterStatistics,
  propagateSignal,
  type VerificationReport,
  XavierInitializer,
} from '../src/index.js'
import type { DepthCurves, DepthRequest, Place, Run } from './messages.ts'
import { type Activation, mlp } from './models.ts'
import { saveSafetensors } from './safetensors.ts'
import { argumentsOf, type Request } from './snippet.ts'

type Progress = (done: number, total: number, what: string) => void

class Engine {
  #device: GPUDevice | undefined
  #weights: InitializedModel | undefined
  #request: Request | undefined
  #abort = new AbortController()

  /** The device for the weights. Requests it once, and again after it is lost. */
  async place(): Promise<Place> {
    const gpu = (navigator as { gpu?: GPU }).gpu
    if (gpu === undefined) return { backend: 'cpu', text: 'This browser has no WebGPU' }
    try {
      const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' })
      if (adapter === null) return { backend: 'cpu', text: 'This browser has WebGPU, but no adapter for it' }
      if (this.#device === undefined) {
        const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits
        const device = await adapter.requestDevice({ requiredLimits: { maxBufferSize, maxStorageBufferBindingSize } })
        device.lost.then(() => {
          if (this.#device === device) this.#device = undefined
        })
        this.#device = device
      }
      const { description, vendor, architecture } = this.#device.adapterInfo
      return { backend: 'webgpu', text: description || `${vendor} ${architecture}`.trim() || 'a GPU without a name' }
    } catch (error) {
      return { backend: 'cpu', text: `WebGPU gave no device (${(error as Error).message})` }
    }
  }

  /** Makes the weights again. Frees those of the previous run first. */
  async initialize(request: Request, onProgress: Progress): Promise<Run> {
    this.cancel()
    const { signal } = this.#abort
    this.#weights?.destroy()
    this.#weights = undefined
    const place = await this.place()
    const { model, initializer, config, options } = argumentsOf(request)
    const started = performance.now()
    const weights = await initializeModel(model, initializer, config, {
      ...options,
      device: place.backend === 'cpu' ? 'cpu' : this.#device!,
      signal,
      onProgress: ({ bytesDone, bytesTotal, parameter }) => onProgress(bytesDone, bytesTotal, parameter),
    })
    const milliseconds = performance.now() - started
    if (signal.aborted) {
      weights.destroy()
      signal.throwIfAborted()
    }
    this.#weights = weights
    this.#request = request
    const { elementCount, byteLength } = weights.plan.totals
    return { place, milliseconds, elementCount, byteLength }
  }

  /** Cancels the current work. */
  cancel(): void {
    this.#abort.abort()
    this.#abort = new AbortController()
  }

  async statistics(): Promise<ParameterStatistics[]> {
    return [...(await this.#made().statistics()).values()]
  }

  /** The statistics of one parameter, from values that are made on the CPU alone. */
  async statisticsOnCpu(name: string): Promise<ParameterStatistics | undefined> {
    this.#made()
    const { model, initializer, config, options } = argumentsOf(this.#request!)
    const skip = (parameter: { readonly name: string }): boolean => parameter.name !== name
    const weights = await initializeModel(model, initializer, config, { ...options, device: 'cpu', skip })
    return (await weights.statistics()).get(name)
  }

  async verify(elements: 'all' | number, onProgress: Progress): Promise<VerificationReport> {
    const { signal } = this.#abort
    return this.#made().verify({
      elements,
      signal,
      onProgress: ({ elementsDone, elementsTotal, parameter }) => onProgress(elementsDone, elementsTotal, parameter),
    })
  }

  manifest(): InitializationManifest {
    return this.#made().manifest()
  }

  /** Streams a .safetensors file into `file`. Without `file`, returns it as a Blob. */
  async save(file: FileSystemFileHandle | undefined, onProgress: Progress): Promise<Blob | undefined> {
    const { signal } = this.#abort
    return saveSafetensors(this.#made(), file, signal, (done, total) => onProgress(done, total, ''))
  }

  /** Compares Xavier and Kaiming in a deep network, with real weights, on the device that has the weights. */
  async propagate({ layers, width, gain, activation }: DepthRequest): Promise<DepthCurves[]> {
    const place = await this.place()
    const device = place.backend === 'cpu' ? 'cpu' : this.#device!
    const model = mlp({ inputs: width, width, depth: layers, outputs: width, activation })
    const own = gainOf(activation)
    const initializers = [
      { name: 'Xavier', initializer: new XavierInitializer({ gain, distribution: 'normal' }) },
      { name: 'Kaiming', initializer: new KaimingInitializer({ gain: gain * own, distribution: 'normal' }) },
    ]
    const curves: DepthCurves[] = []
    for (const { name, initializer } of initializers) {
      const weights = await initializeModel(model, initializer, { device, seed: 1 })
      try {
        const { layers: all, verdict, advice } = await propagateSignal(model, weights, { batch: 64, seed: 1 })
        const weighted = all.filter(({ measured }) => measured)
        curves.push({
          initializer: name,
          forward: weighted.map(({ activations }) => activations.log10MeanSquare),
          backward: weighted.map(({ gradients }) => gradients.log10MeanSquare),
          verdict,
          advice,
        })
      } finally {
        weights.destroy()
      }
    }
    return curves
  }

  #made(): InitializedModel {
    if (this.#weights === undefined) throw new Error('There are no weights yet: press Initialize.')
    return this.#weights
  }
}

/** The gain that keeps a signal's mean square through the activation. For relu it is the number in PyTorch's table. */
const gainOf = (activation: Activation): number =>
  activation === 'none' ? 1 : activationGain(activation.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`))

export type { Engine }

expose(new Engine())
