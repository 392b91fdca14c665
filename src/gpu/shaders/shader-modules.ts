import { modulesByPath } from './modules-by-path.js'

/** Every .wgsl file under shaders/ but those of signal/, by the path that an import directive names. */
export const shaderModules: Readonly<Record<string, string>> = /* @__PURE__ */ modulesByPath(
  import.meta.glob<string>(['./**/*.wgsl', '!./signal/**'], {
    base: '../../../shaders',
    query: '?raw',
    import: 'default',
    eager: true,
  }),
)
