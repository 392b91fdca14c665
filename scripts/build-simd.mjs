// Compiles assembly/ (AssemblyScript) to src/cpu/simd-module.ts. That file is in the repository, so that a clone can run it.
//   node scripts/build-simd.mjs
// test/unit/cpu/simd-module.slow.test.ts compiles it again and compares the two.
import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import asc from 'assemblyscript/asc'

const options = [
  ...['--optimizeLevel', '3', '--shrinkLevel', '0'],
  ...['--enable', 'simd'],
  // No heap, no checks and no imports: the functions work on one page of memory.
  ...['--runtime', 'stub', '--noAssert', '--memoryBase', '0', '--initialMemory', '1', '--maximumMemory', '1'],
]

/** The text of src/cpu/simd-module.ts. */
export async function compileSimd() {
  const root = new URL('..', import.meta.url)
  const written = new Map()
  const { error, stderr } = await asc.main(['assembly/index.ts', '--outFile', 'simd.wasm', ...options], {
    readFile(name, base) {
      try {
        return readFileSync(new URL(name, base === '.' ? root : pathToFileURL(`${base}/`)), 'utf8')
      } catch {
        return null
      }
    },
    writeFile: (name, contents) => void written.set(name, contents),
    listFiles: () => [],
  })
  if (error) throw new Error(`assembly/ does not compile: ${stderr}`, { cause: error })
  const binary = Buffer.from(written.get('simd.wasm'))
  return `// Written by node scripts/build-simd.mjs from assembly/: ${binary.length} bytes of WebAssembly. In hexadecimal, which
// gzip makes a third smaller than it makes base64.
export const simdModule: string =
  '${binary.toString('hex')}'
`
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(new URL('../src/cpu/simd-module.ts', import.meta.url), await compileSimd())
}
