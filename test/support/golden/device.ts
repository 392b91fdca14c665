import { runJobs } from '../../../src/gpu/run-jobs.js'
import { mapOnGpu, readBuffer, type useDevice } from '../gpu.js'
import type { GoldenTarget } from './rows.js'

/** Makes golden rows on a device: all jobs into one buffer, in one call, read back once. */
export function deviceTarget({ device, state }: ReturnType<typeof useDevice>): GoldenTarget {
  return {
    device,
    async fill(jobs) {
      if (jobs.length === 0) return []
      let end = 0
      const places = jobs.map(({ elementCount }) => {
        const byteOffset = end
        end += Math.ceil((4 * elementCount) / 16) * 16
        return byteOffset
      })
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST
      const buffer = device.createBuffer({ size: end, usage })
      const targets = jobs.map((job, i) => ({ job, buffer, byteOffset: places[i]! }))
      await runJobs(state, targets)
      const { buffer: bytes } = await readBuffer(device, buffer)
      buffer.destroy()
      return jobs.map(({ elementCount }, i) => new Float32Array(bytes, places[i]!, elementCount))
    },
    map: ({ imports, body, slots }, source) => mapOnGpu(device, imports, body, source, slots),
  }
}
