// Runs in the page: fills, together with TensorFlow.js and jax-js, as in groups.mjs. Bundled by browser.mjs.
import * as jax from '@jax-js/jax'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-webgpu'
import { intoCase, normal, ones, truncated, uniform } from './fills.mjs'
import { jaxCases, tfjsCases } from './peer-cases.mjs'
import { interleave, messageOf } from './rounds.mjs'

window.measure = async ({ elements, limits, withPeers }) => {
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' })
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits
  const device = await adapter.requestDevice({ requiredLimits: { maxBufferSize, maxStorageBufferBindingSize } })
  const cases = [
    intoCase(device, 'constant', 'constant', ones, elements),
    intoCase(device, 'uniform', 'uniform', uniform, elements),
    intoCase(device, 'normal', 'normal', normal, elements),
    intoCase(device, 'truncated', 'truncated normal', truncated, elements),
  ]
  const samples = {}
  const peer = async (id, name, load) => {
    try {
      for (const one of await load()) {
        samples[one.name] = await one.sample()
        cases.push(one)
      }
    } catch (error) {
      cases.push({ id, name, elements, run: () => Promise.reject(new Error(messageOf(error))) })
    }
  }
  if (withPeers) {
    await peer('tfjs.normal', 'tfjs.randomNormal', async () => {
      if (!(await tf.setBackend('webgpu'))) throw new Error('TensorFlow.js has no webgpu backend here')
      return tfjsCases(tf, undefined, elements)
    })
    await peer('jax.normal', 'jax-js random.normal', async () => {
      await jax.init('webgpu')
      jax.defaultDevice('webgpu')
      return jaxCases(jax, elements)
    })
  }
  const { description, architecture, vendor } = adapter.info
  return { adapter: description || `${vendor} ${architecture}`, rows: await interleave(cases, limits), samples }
}
