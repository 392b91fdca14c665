// The globals that TensorFlow.js and jax-js expect in a page, made from Dawn in Node. Import this before either of them.
import { create, globals } from 'webgpu'

Object.assign(globalThis, globals)
/** Dawn's instance. It is stored here because Node crashes when it is garbage-collected. */
export const gpu = create([])
Object.defineProperty(globalThis, 'navigator', {
  value: { gpu, userAgent: 'Node.js', hardwareConcurrency: 2, language: 'en' },
  configurable: true,
})
