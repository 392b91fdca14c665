import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const repository = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Suites of test/gpu that need a device and nothing else, in Deno, whose WebGPU is wgpu: the same cases and golden hashes
 * as in Node, whose WebGPU is Dawn, against the built package.
 *   node scripts/test.mjs --suites deno
 */
const suites = ['families', 'model', 'orthogonal-model']

export default defineConfig({
  root: repository,
  plugins: [
    {
      // Vitest itself runs in Deno; a run of this file in Node would prove nothing.
      name: 'only-in-deno',
      configResolved() {
        if (!('Deno' in globalThis)) throw new Error('These suites run in Deno: npm run test:deno')
      },
    },
    {
      name: 'built-package',
      enforce: 'pre',
      resolveId: (source) => (/^(\.\.\/)+src\/index\.js$/.test(source) ? `${repository}dist/index.js` : undefined),
    },
  ],
  resolve: { alias: { webgpu: fileURLToPath(new URL('../browser/dawn-in-page.ts', import.meta.url)) } },
  test: {
    name: 'deno',
    include: suites.map((name) => `test/gpu/${name}.test.ts`),
    // 40 million elements: Dawn's run of it is enough for every run of npm test.
    testNamePattern: /^(?!.*larger than the binding limit)/,
    testTimeout: 300_000,
    hookTimeout: 120_000,
    pool: 'forks',
    fileParallelism: false,
  },
})
