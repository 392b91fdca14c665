// Compares our normal kernel with the same kernel on the builtin functions log, sqrt, sin and cos. Both run through
// submitFills, so that host code, workgroups and stores are the same. They differ only in shaders/random/normal.wgsl.
import { readFileSync } from 'node:fs'
import { requestNodeDevice } from '../dist/node.js'
import { writtenBuffer } from './fills.mjs'
import { moments } from './peer-cases.mjs'
import { openSources } from './sources.mjs'

export async function exactCases(elements) {
  const sources = await openSources()
  const { deviceState } = await sources.load('/src/gpu/device/device-state.ts')
  const { pipeline } = await sources.load('/src/gpu/pipelines/pipelines.ts')
  const { storeSlots } = await sources.load('/src/gpu/shaders/pipeline-key.ts')
  const { fillConstants, fillLayout } = await sources.load('/src/gpu/fill/layouts.ts')
  const { submitFills } = await sources.load('/src/gpu/fill/submit-fills.ts')
  const { copyOut } = await sources.load('/src/gpu/device/readback.ts')
  const { fillJob } = await sources.load('/src/fill/make-job.ts')
  const { planModel } = await sources.load('/src/plan/plan.ts')
  const model = { parameters: [{ name: 'w', shape: [elements], role: 'weight' }] }
  const job = fillJob(planModel(model, 'normal', { std: 1 }, { seed: 1 }).parameters[0])
  const slots = { sampler: 'distributions/normal', ...storeSlots('float32', true) }
  const native = readFileSync(new URL('native_normal.wgsl', import.meta.url), 'utf8')

  async function one(id, name, modules) {
    // Each case needs a device of its own, because pipelines are cached per device.
    const device = await requestNodeDevice()
    const state = deviceState(device)
    state.modules = { ...state.modules, ...modules }
    const compiled = await pipeline(state, {
      entry: 'fill/fill',
      slots,
      layout: fillLayout,
      constants: fillConstants,
    })
    const buffer = writtenBuffer(device, 4 * elements)
    const work = [{ job, pipeline: compiled, pipelineId: 'fill', patchPipeline: () => compiled, buffer, byteOffset: 0 }]
    return {
      id,
      name,
      elements,
      run: () => submitFills(state, work),
      async sample() {
        await submitFills(state, work)
        let found
        await copyOut(state, buffer, 0, 2 ** 22, (bytes) => {
          found = moments(new Float32Array(bytes.slice().buffer))
        })
        return found
      },
    }
  }
  const cases = [
    await one('exact', 'exact normal kernel', {}),
    await one('native', 'the same with native log, sqrt, sin, cos', { 'random/normal': native }),
  ]
  return { cases, close: sources.close }
}
