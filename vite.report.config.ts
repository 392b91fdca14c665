import { copyFileSync } from 'node:fs'
import { defineConfig } from 'vite'

/** ISC asks for its notice in every copy; the page is in every report. */
const notice = `/*! With Observable Plot (ISC, Copyright 2020-2023 Observable, Inc.), D3 (ISC, Copyright 2010-2023 Mike Bostock), \
interval-tree-1d and binary-search-bounds (MIT, Copyright 2013-2015 Mikola Lysenko), isoformat (ISC, Copyright Observable, Inc.). */`

// The script of the HTML report, one file that the command line puts into every page: dist/report/page.js, and its style.
export default defineConfig({
  publicDir: false,
  build: {
    target: 'es2022',
    outDir: 'dist/report',
    emptyOutDir: true,
    minify: true,
    lib: { entry: 'report/page.ts', formats: ['iife'], name: 'webgpuInitReport', fileName: () => 'page.js' },
    rollupOptions: { output: { banner: notice } },
  },
  plugins: [{ name: 'copy-style', closeBundle: () => copyFileSync('report/page.css', 'dist/report/page.css') }],
})
