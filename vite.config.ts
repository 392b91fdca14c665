import { defineConfig } from 'vite'

// Library build: ESM only, not minified (the consumer's bundler does that), shaders inlined as text.
export default defineConfig({
  build: {
    target: 'es2022',
    minify: false,
    sourcemap: true,
    lib: {
      entry: { index: 'src/index.ts', node: 'src/node.ts', cli: 'src/cli.ts' },
      formats: ['es'],
    },
    rollupOptions: {
      external: [/^node:/, 'webgpu'],
      output: { chunkFileNames: 'shared/[name].js' },
    },
  },
})
