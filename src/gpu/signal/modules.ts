import { modulesByPath } from '../shaders/modules-by-path.js'

/** The .wgsl files under shaders/signal, likewise. Apart from `shaderModules`, so that a bundle without `propagateSignal` has none of them. */
export const signalModules: Readonly<Record<string, string>> = /* @__PURE__ */ modulesByPath(
  import.meta.glob<string>('./signal/*.wgsl', {
    base: '../../../shaders',
    query: '?raw',
    import: 'default',
    eager: true,
  }),
)
