// The peers in Node. Each loader throws if its package is not installed. `npm run bench` installs them (`npm ci` in bench/).
import './peer-globals.mjs'

export async function loadTfjs(backend = 'webgpu') {
  const tf = await import('@tensorflow/tfjs-core')
  const tfl = await import('@tensorflow/tfjs-layers')
  await import('@tensorflow/tfjs-backend-cpu')
  addMethods(tf)
  if (backend === 'webgpu') await import('@tensorflow/tfjs-backend-webgpu')
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js has no ${backend} backend here`)
  await tf.ready()
  return { tf, tfl }
}

/** The orthogonal initializer calls operations as methods of tensors. In Node, the core package does not add these methods. */
function addMethods(tf) {
  const methods = tf.Tensor.prototype
  for (const [name, operation] of Object.entries(tf)) {
    if (typeof operation !== 'function' || !/^[a-z]/.test(name) || name in methods) continue
    methods[name] = function (...rest) {
      return operation(this, ...rest)
    }
  }
  methods.flatten ??= function () {
    return tf.reshape(this, [this.size])
  }
  methods.as2D ??= function (rows, columns) {
    return tf.reshape(this, [rows, columns])
  }
}

export async function loadJax() {
  const jax = await import('@jax-js/jax')
  const devices = await jax.init('webgpu')
  if (!devices.includes('webgpu')) throw new Error('jax-js has no webgpu device here')
  jax.defaultDevice('webgpu')
  return jax
}

/** @stdlib fills an array in JavaScript's memory, with an improved Ziggurat method. */
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
