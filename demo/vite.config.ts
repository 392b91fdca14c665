import { defineConfig } from 'vite'
import library from '../vite.config.ts'

// `npm run demo` serves it; `npm run demo:build` makes demo/dist, static files with relative paths for any file server.
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: library.plugins ?? [],
  worker: { format: 'es', plugins: () => library.plugins ?? [] },
  build: { target: 'es2022', outDir: 'dist', emptyOutDir: true, assetsInlineLimit: 0 },
  server: { fs: { allow: ['..'] } },
})
