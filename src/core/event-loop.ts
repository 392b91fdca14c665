/**
 * Lets timers, messages and a page's drawing have their turn. Not by setTimeout, which waits for a millisecond in Node and
 * for four in a page: as long as a chunk takes.
 */
export function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') {
      setImmediate(resolve)
      return
    }
    const { port1, port2 } = new MessageChannel()
    port1.addEventListener('message', () => {
      port1.close()
      resolve()
    })
    port1.start()
    port2.postMessage(undefined)
  })
}
