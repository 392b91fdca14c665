import { readFileSync } from 'node:fs'
import { defineConfig, type Plugin } from 'vite'

/**
 * Comments, indentation and the spaces around operators are for the sources. Lines stay, so that a compiler's message still
 * points at the right one; its column then counts in the shortened line. Spaces around `<`, `>`, `-` and `&` stay: without them
 * WGSL may read a template, a decrement or an address.
 */
export function shortened(shader: string): string {
  return shader.replace(/^[ \t]+|[ \t]*\/\/(?!#import).*$/gm, '').replace(/^(?!\/\/#).*$/gm, (line) => {
    return line.replace(/ ?([=*,{}();:|^+]) ?/g, '$1')
  })
}

const shortShaders: Plugin = {
  name: 'short-shaders',
  enforce: 'pre',
  load(id) {
    if (!id.endsWith('.wgsl?raw')) return undefined
    return `export default ${JSON.stringify(shortened(readFileSync(id.replace('?raw', ''), 'utf8')))}`
  },
}

// Library build: ESM only, not minified (the consumer's bundler does that), shaders inlined as text.
export default defineConfig({
  plugins: [shortShaders],
  build: {
    target: 'es2022',
    minify: false,
    sourcemap: true,
    lib: {
      entry: {
        index: 'src/index.ts',
        node: 'src/node.ts',
        cli: 'src/cli.ts',
        'interop/onnx': 'src/interop/onnx.ts',
        'interop/tfjs': 'src/interop/tfjs.ts',
        'interop/onnxruntime': 'src/interop/onnxruntime.ts',
      },
      formats: ['es'],
    },
    rollupOptions: {
      external: [/^node:/, 'webgpu'],
      // The sources themselves are in the package.
      output: { chunkFileNames: 'shared/[name].js', sourcemapExcludeSources: true },
    },
  },
})
