import { enableTorchPrograms } from '../generators/torch/program/engine.js'
import type { BackendOf, DeviceOption } from '../ir/device.js'
import { planFromManifest } from '../plan/manifest/read.js'
import { resolveOptions } from '../plan/options.js'
import { InitializedModel, type InitializedModelOf, type RematerializeOptions } from './initialized-model.js'
import { materialize } from './materialize.js'

/**
 * Makes the weights of a manifest again, bit for bit, on any device: after a device was lost, in another process, years
 * later. The manifest alone is enough, and may come from anywhere: it is checked like a file from a stranger.
 *
 * @param manifest what `weights.manifest()` gave, parsed or as JSON text
 * @param device a GPUDevice, 'cpu' or 'auto'
 * @param options where and how: into, buffers, segments, usage, signal, onProgress
 * @throws WeightInitError `INVALID_FILE` for a manifest that is none, and what `initializeModel` throws
 */
export async function rematerialize<Device extends DeviceOption = 'auto'>(
  manifest: unknown,
  device: Device = 'auto' as Device,
  options: RematerializeOptions = {},
): Promise<InitializedModelOf<BackendOf<Device>>> {
  enableTorchPrograms()
  const plan = planFromManifest(manifest)
  const resolved = resolveOptions({ ...options, device, seed: plan.seed })
  return InitializedModel.of(plan, await materialize(plan, resolved)) as InitializedModelOf<BackendOf<Device>>
}
