// Loaded before the command line (node --import): the process sends itself a signal at a known point of its work, so that a
// test need not come in time. INTERRUPT_SIGNAL is the signal; INTERRUPT_AT is 'first-line', when it has printed its first
// line, or 'second-write', when it has made its second write to a file. The names in its folder go to the parent.
import { readdirSync } from 'node:fs'
import { open } from 'node:fs/promises'

function interrupt() {
  process.send({ files: readdirSync('.') })
  process.kill(process.pid, process.env.INTERRUPT_SIGNAL)
}

if (process.env.INTERRUPT_AT === 'first-line') {
  const { write } = process.stdout
  process.stdout.write = function (text, ...rest) {
    const result = write.call(this, text, ...rest)
    if (String(text).includes('\n')) {
      process.stdout.write = write
      interrupt()
    }
    return result
  }
} else {
  const handle = await open(process.execPath)
  const prototype = Object.getPrototypeOf(handle)
  await handle.close()
  const { write } = prototype
  let writes = 0
  prototype.write = async function (...args) {
    const result = await write.apply(this, args)
    if (++writes === 2) interrupt()
    return result
  }
}
