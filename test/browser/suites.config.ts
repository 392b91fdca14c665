import { fileURLToPath } from 'node:url'
import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { chromiumLaunchOptions } from '../support/package/browser.js'

/** Suites of test/gpu that need a device and nothing of Node's: the same cases and golden hashes, in a page. */
const suites = ['functions', 'parity', 'families', 'model', 'orthogonal-model', 'tfjs', 'onnxruntime']

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  define: { 'process.env.WEBGPU_INIT_ADAPTER': JSON.stringify('Chromium, SwiftShader') },
  resolve: { alias: { webgpu: fileURLToPath(new URL('./dawn-in-page.ts', import.meta.url)) } },
  optimizeDeps: {
    include: [
      '@noble/hashes/sha2',
      '@noble/hashes/utils',
      ...['core', 'layers', 'backend-cpu', 'backend-webgpu'].map((name) => `@tensorflow/tfjs-${name}`),
    ],
    // It finds its WebAssembly beside its own module.
    exclude: ['onnxruntime-web'],
  },
  test: {
    name: 'chromium',
    include: suites.map((name) => `test/gpu/${name}.test.ts`),
    testTimeout: 300_000,
    hookTimeout: 120_000,
    fileParallelism: false,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: await chromiumLaunchOptions() }),
      instances: [{ browser: 'chromium' }],
    },
  },
})
