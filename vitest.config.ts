import { defineConfig } from 'vitest/config'

// unit: no GPU, done in seconds. unit-slow: the rest that needs no GPU: statistics over many seeds, whole models, fuzzing.
// gpu: whatever device the process environment offers (scripts/test.mjs runs it once per adapter).
// package: the built tarball, the CLI and the README. browser: Chromium from npm. python: what needs a Python.
export default defineConfig({
  test: {
    projects: [
      // Files share what they import: it saves half a minute, and the library keeps nothing between calls but caches.
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          exclude: ['test/unit/**/*.slow.test.ts'],
          testTimeout: 60_000,
          isolate: false,
        },
      },
      {
        test: {
          name: 'unit-slow',
          include: ['test/unit/**/*.slow.test.ts'],
          testTimeout: 300_000,
          isolate: false,
          // Vitest leaves a core to itself, which is half of two.
          maxWorkers: '100%',
        },
      },
      {
        test: {
          name: 'gpu',
          include: ['test/gpu/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 120_000,
          pool: 'forks',
          // One device at a time: two software devices on two cores only slow each other down.
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'package',
          include: ['test/package/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'python',
          include: ['test/python/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
