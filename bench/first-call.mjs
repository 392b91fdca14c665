// Measures, in one process, the first and later calls on a new device: GPT-2, into existing memory. Prints one JSON line.
//   node bench/first-call.mjs
import { initializeModel } from '../dist/index.js'
import { requestNodeDevice } from '../dist/node.js'
import { gpt2, writtenMemory } from './models.mjs'

const { model, initializer } = gpt2()
const device = await requestNodeDevice()
const into = writtenMemory(device, model)
await device.queue.onSubmittedWorkDone()
const times = []
for (let call = 0; call < 3; call++) {
  const began = performance.now()
  await initializeModel(model, initializer, { device, seed: 1, into })
  times.push(performance.now() - began)
}
console.log(JSON.stringify(times))
process.exit(0)
