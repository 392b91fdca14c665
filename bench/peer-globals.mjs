// What TensorFlow.js and jax-js look for in a page, made of Dawn in Node. Import before either.
import { create, globals } from 'webgpu'

Object.assign(globalThis, globals)
/** Dawn's instance: without a reference Node crashes when it is collected. */
export const gpu = create([])
Object.defineProperty(globalThis, 'navigator', {
  value: { gpu, userAgent: 'Node.js', hardwareConcurrency: 2, language: 'en' },
  configurable: true,
})
