// What a call leaves behind in this process, measured so that neither the machine's load nor its memory enters: what is alive
// after a collection, never the size of the process. For suites that run in Node only.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

/** Wrappers of native objects go in two steps: the first collection finds them, the next turn lets go of what they hold. */
async function collectAll(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await new Promise((resolve) => setImmediate(resolve))
    collect()
  }
  await new Promise((resolve) => setImmediate(resolve))
}

/** Bytes that the host holds after a collection: the heap and the array buffers. */
export function hostBytes(): number {
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/**
 * How many bytes each cycle leaves: the median over blocks of cycles. A leak raises every block; a table of the engine's that
 * grows, or code that is compiled, raises one.
 */
export async function bytesLeftPerCycle(
  cycle: (index: number) => Promise<void>,
  { blocks, cyclesPerBlock }: { readonly blocks: number; readonly cyclesPerBlock: number },
): Promise<number> {
  const perCycle: number[] = []
  let index = 0
  let before = Number.NaN
  // The first block warms up.
  for (let block = 0; block <= blocks; block++) {
    for (let i = 0; i < cyclesPerBlock; i++) await cycle(index++)
    await collectAll()
    const after = hostBytes()
    if (block > 0) perCycle.push((after - before) / cyclesPerBlock)
    before = after
  }
  return perCycle.sort((a, b) => a - b)[Math.floor(blocks / 2)]!
}

/** The objects that methods of `owner` returned and that something still refers to, by method, after a collection. */
export interface ObjectWatch {
  readonly made: number
  alive(): Promise<Readonly<Record<string, number>>>
  stop(): void
}

/** Watches what methods of an object make, such as the bind groups and command encoders of a device. */
export function watchObjects<T extends object>(owner: T, methods: readonly (keyof T & string)[]): ObjectWatch {
  const references = new Map<string, WeakRef<object>[]>()
  const originals = methods.map((method) => [method, owner[method]] as const)
  let made = 0
  for (const [method, original] of originals) {
    const list: WeakRef<object>[] = []
    references.set(method, list)
    const note = (one: object): void => {
      made++
      list.push(new WeakRef(one))
    }
    owner[method] = ((...args: unknown[]) => {
      const result = (original as (...args: unknown[]) => object).apply(owner, args)
      if (result instanceof Promise) result.then(note, () => undefined)
      else note(result)
      return result
    }) as never
  }
  return {
    get made() {
      return made
    },
    async alive() {
      const counts: Record<string, number> = {}
      await collectAll()
      for (const [method, list] of references) {
        counts[method] = list.filter((reference) => reference.deref() !== undefined).length
      }
      return counts
    },
    stop() {
      for (const [method, original] of originals) owner[method] = original
    },
  }
}
