// The peers in Node. Each loader throws where its package is not installed: `npm ci` in bench/ (npm run bench does it).
import './peer-globals.mjs'

export async function loadTfjs(backend = 'webgpu') {
  const tf = await import('@tensorflow/tfjs-core')
  const tfl = await import('@tensorflow/tfjs-layers')
  await import('@tensorflow/tfjs-backend-cpu')
  if (backend === 'webgpu') await import('@tensorflow/tfjs-backend-webgpu')
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js has no ${backend} backend here`)
  await tf.ready()
  return { tf, tfl }
}

export async function loadJax() {
  const jax = await import('@jax-js/jax')
  const devices = await jax.init('webgpu')
  if (!devices.includes('webgpu')) throw new Error('jax-js has no webgpu device here')
  jax.defaultDevice('webgpu')
  return jax
}

/** @stdlib fills an array of JavaScript's memory with its improved Ziggurat. */
export async function stdlibCase(elements) {
  const { default: randomNormal } = await import('@stdlib/random-array-normal')
  const draw = randomNormal.factory(0, 0.02, { dtype: 'float32', seed: 1 })
  return {
    id: 'stdlib.normal',
    name: '@stdlib/random-array-normal (CPU)',
    elements,
    run: async () => void draw(elements),
    sample: async () => {
      const { moments } = await import('./peer-cases.mjs')
      return moments(draw(elements))
    },
  }
}
