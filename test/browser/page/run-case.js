// Runs in the page, in a worker and in Node: makes what a case describes and tells what it made.

/** @param {Uint8Array} bytes */
export async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/**
 * @param {typeof import('../../../src/index.js')} library
 * @param {{ parameters: object[], initializer: string, config?: object, options: object }} description
 */
export async function runCase(library, { parameters, initializer, config = {}, options }) {
  const weights = await library.initializeModel({ parameters }, initializer, config, options)
  try {
    const { ok, complete, comparedCount, mismatchCount } = await weights.verify({ elements: 'all' })
    const hashes = {}
    for (const name of weights.parameters.keys()) hashes[name] = await sha256(await weights.readBytes(name))
    let nonFiniteCount = 0
    for (const statistics of (await weights.statistics()).values()) nonFiniteCount += statistics.nonFiniteCount
    return { backend: weights.backend, ok, complete, comparedCount, mismatchCount, nonFiniteCount, hashes }
  } finally {
    weights.destroy()
  }
}
