import { show, WeightInitError } from '../core/errors.js'
import type { Model } from '../ir/parameter.js'
import { sequential } from './sequential.js'

/**
 * A residual block: y = shortcut(x) + body(x) or, without a shortcut, y = x + body(x). Its parameters are called 'body.name'
 * and 'shortcut.name'. He, Zhang, Ren, Sun, "Deep residual learning for image recognition", CVPR 2016.
 *
 * @example
 * const block = residual(sequential(layerNorm(64), linear(64, 256), gelu(), linear(256, 64)))
 * @throws WeightInitError `INVALID_MODEL` unless body and shortcut are models
 */
export function residual(body: Model, shortcut?: Model): Model {
  for (const [name, model] of Object.entries({ body, ...(shortcut === undefined ? {} : { shortcut }) })) {
    if (typeof model !== 'object' || model === null || !Array.isArray(model.parameters)) {
      throw new WeightInitError(
        'INVALID_MODEL',
        `residual: ${name} is not a model but ${show(model)}; use a layer function such as sequential(linear(64, 64), relu()).`,
      )
    }
  }
  const children = sequential(shortcut === undefined ? { body } : { body, shortcut })
  return { ...children, layer: { kind: 'residual' } }
}
