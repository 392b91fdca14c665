import { initializeModel, initializerNames, linear, type Model, relu, sequential } from '../src/index.js'

const form = document.querySelector<HTMLFormElement>('#form')!
const status = document.querySelector<HTMLElement>('#status')!
const table = document.querySelector<HTMLTableElement>('#table')!

// Those that take a matrix of any shape without further settings.
const usable = initializerNames.filter((name) => !['dirac', 'sparse', 'delta_orthogonal'].includes(name))
const select = form.elements.namedItem('initializer') as HTMLSelectElement
select.append(...usable.map((name) => new Option(name, name, name === 'kaiming', name === 'kaiming')))

function network(widths: string): Model {
  const sizes = widths.split(',').map(Number)
  const layers = sizes.slice(1).flatMap((width, index) => [linear(sizes[index]!, width), relu()])
  return sequential(...layers.slice(0, -1))
}

async function run(): Promise<void> {
  const data = new FormData(form)
  const field = (name: string): string => String(data.get(name))
  status.textContent = 'Initialising ...'
  const started = performance.now()
  const weights = await initializeModel(
    network(field('widths')),
    field('initializer'),
    {},
    {
      seed: BigInt(field('seed')),
      dtype: field('dtype') as 'float32',
    },
  )
  const milliseconds = performance.now() - started
  try {
    const statistics = await weights.statistics()
    const { parameters, ok } = await weights.verify()
    const rows = parameters.map(({ name, elementCount, mismatchCount, orthogonalityDefect }) => {
      const { mean, std, expected } = statistics.get(name)!
      const row = document.createElement('tr')
      const parity =
        orthogonalityDefect === undefined ? mismatchCount : `|QᵀQ − I| ${orthogonalityDefect.toExponential(1)}`
      for (const cell of [
        name,
        elementCount.toLocaleString(),
        mean.toFixed(5),
        std.toFixed(5),
        expected.std.toFixed(5),
        parity,
      ]) {
        row.insertCell().textContent = String(cell)
      }
      return row
    })
    table.tBodies[0]!.replaceChildren(...rows)
    table.hidden = false
    const { elementCount, byteLength } = weights.plan.totals
    const place = weights.backend === 'webgpu' ? 'the GPU' : 'the CPU: this browser has no WebGPU'
    status.textContent =
      `${elementCount.toLocaleString()} elements, ${(byteLength / 1e6).toFixed(1)} MB, in ${milliseconds.toFixed(0)} ms on ${place}. ` +
      (ok ? 'Checked against the CPU.' : 'The check FAILED.')
  } finally {
    weights.destroy()
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault()
  run().catch((error: unknown) => {
    status.textContent = (error as Error).message
  })
})
