// Cases of TensorFlow.js and jax-js, the same in Node and in a page: the modules come from the caller.
// Every call ends with its values on the GPU and the device's work done; what it made is freed within the time, like ours.

/** Mean and standard deviation, so that nobody is timed for doing nothing. */
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

/** TensorFlow.js draws in a loop of JavaScript; its backend then uploads. `tfl` may be absent. */
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
    // A target asks for the normal; the others take long.
    ...(id === 'tfjs.normal' ? {} : { most: 2 }),
    async run() {
      const tensor = make()
      backend.uploadToGPU(tensor.dataId)
      // Where it mapped its buffer there is no command to submit.
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

/** jax-js draws on the GPU, with Threefry; its values are the standard normal's. */
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
    // data() gives the array up.
    sample: async () => moments(await make().data()),
  }))
}
