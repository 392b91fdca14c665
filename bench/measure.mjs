// Measures one group on the adapter of the environment, and prints one JSON line.
//   node bench/measure.mjs GROUP [--rounds N] [--seconds N] [--elements N] [--tfjs-side N] [--no-peers]
import { parseArgs } from 'node:util'
import { requestNodeDevice } from '../dist/node.js'
import { groups } from './groups.mjs'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  allowNegative: true,
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '60' },
    elements: { type: 'string' },
    'tfjs-side': { type: 'string', default: '256' },
    peers: { type: 'boolean', default: true },
  },
})
const group = positionals[0]
const device = group === 'cpu' ? 'cpu' : await requestNodeDevice()
const result = await groups[group]({
  device,
  ...(values.elements === undefined ? {} : { elements: Number(values.elements) }),
  limits: { rounds: Number(values.rounds), seconds: Number(values.seconds) },
  withPeers: values.peers,
  tfjsSide: Number(values['tfjs-side']),
})
const adapter =
  device === 'cpu'
    ? `CPU, one thread, Node ${process.version}`
    : device.adapterInfo.description || device.adapterInfo.device || device.adapterInfo.architecture
console.log(JSON.stringify({ group, adapter, ...result }))
process.exit(0)
