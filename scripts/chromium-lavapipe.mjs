// Runs Chromium's WebGPU on Mesa's lavapipe, for the portability table. chromium-lavapipe.c describes how, and what changes.
// It needs lavapipe and a C compiler, so no test and no package depends on it.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { link, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromiumOnSwiftShader, findLavapipe } from './software-gpu.mjs'

const source = fileURLToPath(new URL('chromium-lavapipe.c', import.meta.url))

/** The reason why Chromium cannot run on lavapipe here. Undefined if it can. */
export function lacksForChromiumOnLavapipe() {
  if (findLavapipe() === undefined) return 'lavapipe is not installed'
  if (spawnSync('cc', ['--version']).status !== 0) return 'there is no C compiler (cc)'
  return undefined
}

/** lavapipe's description for the Vulkan loader, with a path to its library that is valid in any folder. */
function readDriver() {
  const path = findLavapipe()
  const { ICD } = JSON.parse(readFileSync(path, 'utf8'))
  // The linker finds a bare name. Any other path is relative to the description.
  const library = ICD.library_path.includes('/') ? resolve(dirname(path), ICD.library_path) : ICD.library_path
  return { library, apiVersion: ICD.api_version }
}

function compile(library, output) {
  const args = ['-O1', '-shared', '-fPIC', `-DLAVAPIPE_DRIVER=${JSON.stringify(library)}`, '-o', output, source, '-ldl']
  const { status, stderr } = spawnSync('cc', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`cc ${args.join(' ')} failed:\n${stderr}`)
}

/** Calls `use` with the options with which Playwright starts that Chromium. Its folder exists until `use` is done. */
export async function withChromiumOnLavapipe(use) {
  const options = await chromiumOnSwiftShader()
  const from = dirname(options.executablePath)
  const { library, apiVersion } = readDriver()
  // Chromium prefers the driver in the folder of its binary. So the binary gets a folder of its own and a hard link, because a
  // symbolic link would lead back to the original. The folder is beside the original, because it must be on the same disk.
  const folder = await mkdtemp(`${from}-lavapipe.`)
  try {
    for (const file of await readdir(from, { withFileTypes: true })) {
      if (file.isFile() && !/swiftshader/.test(file.name)) await link(join(from, file.name), join(folder, file.name))
    }
    const driver = join(folder, 'libvk_swiftshader.so')
    compile(library, driver)
    // SwiftShader's own description says Vulkan 1.0, and the loader would then request only that version of lavapipe.
    const description = {
      file_format_version: '1.0.0',
      ICD: { library_path: `./${basename(driver)}`, api_version: apiVersion },
    }
    await writeFile(join(folder, 'vk_swiftshader_icd.json'), JSON.stringify(description))
    return await use({ ...options, executablePath: join(folder, basename(options.executablePath)) })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
