// Installs a Vulkan device from npm alone.
//
// @sparticuz/chromium carries SwiftShader (a CPU Vulkan driver), a Vulkan loader and the nss libraries
// as brotli tars. Unpacked and named in LD_LIBRARY_PATH and VK_DRIVER_FILES, they give Dawn, wgpu and
// Chromium a WebGPU adapter on any Linux x64 machine: no GPU, no root, no system package.
import { spawnSync } from 'node:child_process'
import { createReadStream, createWriteStream, existsSync, readFileSync } from 'node:fs'
import { chmod, copyFile, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { createBrotliDecompress } from 'node:zlib'
import { extract } from 'tar-fs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const require = createRequire(import.meta.url)

export const softwareGpuSupported = platform() === 'linux' && arch() === 'x64'

/** Absolute folder of the brotli tars inside @sparticuz/chromium. */
function archiveFolder() {
  return join(dirname(require.resolve('@sparticuz/chromium')), '..', '..', 'bin')
}

function cacheFolder() {
  const { version } = JSON.parse(
    // The package does not export its package.json, so it is read by path.
    readFileSync(join(archiveFolder(), '..', 'package.json'), 'utf8'),
  )
  return join(root, 'node_modules', '.cache', `software-gpu-${version}`)
}

async function unpackTar(archive, folder) {
  await pipeline(createReadStream(join(archiveFolder(), archive)), createBrotliDecompress(), extract(folder))
}

/**
 * Unpacks once and returns the folder. Two processes may call it at the same time. Each unpacks into a folder of its own and
 * the first one to rename it succeeds, so that nobody ever sees an incomplete driver.
 */
async function unpackOnce(name, unpack) {
  const folder = join(cacheFolder(), name)
  if (existsSync(folder)) return folder
  await mkdir(cacheFolder(), { recursive: true })
  const scratch = await mkdtemp(join(cacheFolder(), `${name}.`))
  await unpack(scratch)
  try {
    await rename(scratch, folder)
  } catch (error) {
    await rm(scratch, { recursive: true, force: true })
    if (!existsSync(folder)) throw error
  }
  return folder
}

/** Folder with libvk_swiftshader.so, its ICD json, libvulkan.so.1 and the nss libraries. */
export function unpackSwiftShader() {
  return unpackOnce('swiftshader', async (folder) => {
    await unpackTar('swiftshader.tar.br', folder)
    await unpackTar('al2023.tar.br', folder)
  })
}

/** Path of the headless Chromium binary. */
export async function unpackChromium() {
  const swiftShader = await unpackSwiftShader()
  const folder = await unpackOnce('chromium', async (scratch) => {
    const binary = join(scratch, 'chromium')
    await pipeline(
      createReadStream(join(archiveFolder(), 'chromium.br')),
      createBrotliDecompress(),
      createWriteStream(binary),
    )
    await chmod(binary, 0o755)
    // Chromium looks for SwiftShader in the folder of its own binary.
    for (const file of await readdir(swiftShader)) {
      if (/swiftshader|libvulkan|libEGL|libGLESv2/.test(file))
        await copyFile(join(swiftShader, file), join(scratch, file))
    }
  })
  return join(folder, 'chromium')
}

/** The options with which Playwright starts that Chromium with WebGPU on its SwiftShader, whatever the environment contains. */
export async function chromiumOnSwiftShader() {
  const libraries = await unpackSwiftShader()
  const { VK_DRIVER_FILES: _, ...environment } = process.env
  return {
    executablePath: await unpackChromium(),
    args: ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
    env: { ...environment, LD_LIBRARY_PATH: `${libraries}:${join(libraries, 'lib')}` },
  }
}

/** The path of lavapipe's driver description on Debian, Fedora and Arch. Undefined if it is not installed. */
export function findLavapipe() {
  const folders = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d', '/usr/local/share/vulkan/icd.d']
  const names = ['lvp_icd.json', 'lvp_icd.x86_64.json', 'lvp_icd.aarch64.json']
  for (const folder of folders) for (const name of names) if (existsSync(join(folder, name))) return join(folder, name)
  return undefined
}

/** The environment for a child process that uses the device `adapter` ('swiftshader' | 'lavapipe' | 'system'). */
export async function gpuEnvironment(adapter) {
  if (adapter === 'system') return {}
  const folder = await unpackSwiftShader()
  const libraries = [folder, join(folder, 'lib'), process.env.LD_LIBRARY_PATH].filter(Boolean).join(':')
  if (adapter === 'swiftshader') {
    return { LD_LIBRARY_PATH: libraries, VK_DRIVER_FILES: join(folder, 'vk_swiftshader_icd.json') }
  }
  const lavapipe = findLavapipe()
  if (lavapipe === undefined) {
    throw new Error('lavapipe is not installed (Debian: mesa-vulkan-drivers 25 or newer from backports)')
  }
  return { LD_LIBRARY_PATH: libraries, VK_DRIVER_FILES: lavapipe }
}

/** Whether Dawn finds an adapter in a child process with this environment. */
export function hasAdapter(environment) {
  const probe = `
    const { create } = await import('webgpu')
    const gpu = create([])
    process.exit((await gpu.requestAdapter()) === null ? 1 : 0)`
  const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', probe], {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: 'ignore',
  })
  return status === 0
}

/** The environment for the machine's own device, or for SwiftShader if it has none. */
export async function bestGpuEnvironment() {
  if (hasAdapter({}) || !softwareGpuSupported) return {}
  return gpuEnvironment('swiftshader')
}
