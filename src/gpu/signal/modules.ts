import { modulesByPath } from '../shaders/modules-by-path.js'

/** The .wgsl files under shaders/signal. Only a bundle with `propagateSignal` has them, so they are not in `shaderModules`. */
export const signalModules: Readonly<Record<string, string>> = /* @__PURE__ */ modulesByPath(
  import.meta.glob<string>('./signal/*.wgsl', {
    base: '../../../shaders',
    query: '?raw',
    import: 'default',
    eager: true,
  }),
)
