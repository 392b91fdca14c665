// Cases of TensorFlow.js and jax-js for Node and for a page. The caller passes the modules. As in our own cases, every call
// ends when the values are on the GPU and the device has done its work, and the time includes freeing the results.

/** Mean and standard deviation, which show that the case has really made the values. */
export function moments(values) {
  let sum = 0
  let squares = 0
  for (const value of values) {
    sum += value
    squares += value * value
  }
  const mean = sum / values.length
  return { mean, std: Math.sqrt(squares / values.length - mean * mean) }
}

/** TensorFlow.js draws in a JavaScript loop, and then its backend uploads the values. `tfl` may be absent. */
export function tfjsCases(tf, tfl, elements) {
  const side = Math.sqrt(elements)
  const backend = tf.backend()
  const makers = {
    'tfjs.normal': ['tfjs.randomNormal', () => tf.randomNormal([elements], 0, 0.02, 'float32', 1)],
    'tfjs.uniform': ['tfjs.randomUniform', () => tf.randomUniform([elements], 0, 1, 'float32', 1)],
    'tfjs.truncated': ['tfjs.truncatedNormal', () => tf.truncatedNormal([elements], 0, 0.02, 'float32', 1)],
    ...(tfl === undefined
      ? {}
      : {
          'tfjs.glorot': ['tfjs glorotNormal', () => tfl.initializers.glorotNormal({ seed: 1 }).apply([side, side])],
        }),
  }
  return Object.entries(makers).map(([id, [name, make]]) => ({
    id,
    name,
    elements,
    // Only the normal is needed for a target. The others take long, so they get fewer rounds.
    ...(id === 'tfjs.normal' ? {} : { most: 2 }),
    async run() {
      const tensor = make()
      backend.uploadToGPU(tensor.dataId)
      // If the backend mapped its buffer, there is no command to submit.
      if (backend.commandEncoder) backend.submitQueue()
      await backend.device.queue.onSubmittedWorkDone()
      tensor.dispose()
    },
    async sample() {
      const tensor = make()
      const values = await tensor.data()
      tensor.dispose()
      return moments(values)
    },
  }))
}

/** jax-js draws on the GPU, with Threefry. Its normals are standard normals. */
export function jaxCases(jax, elements) {
  const { random } = jax
  const makers = {
    'jax.uniform': ['jax-js random.uniform', () => random.uniform(random.key(1), [elements])],
    'jax.normal': ['jax-js random.normal', () => random.normal(random.key(1), [elements])],
  }
  return Object.entries(makers).map(([id, [name, make]]) => ({
    id,
    name,
    elements,
    async run() {
      const array = make()
      await array.blockUntilReady()
      await jax.getWebGPUDevice().queue.onSubmittedWorkDone()
      array.dispose()
    },
    // data() consumes the array.
    sample: async () => moments(await make().data()),
  }))
}
