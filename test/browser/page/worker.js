import * as library from '/dist/index.js'
import { runCase } from '/page/run-case.js'

addEventListener('message', async ({ data }) => {
  postMessage(await runCase(library, data).catch((error) => ({ error: String(error) })))
})
