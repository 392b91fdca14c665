import { floatDTypes } from '../src/core/dtype.js'
import { generatorNames } from '../src/generators/registry.js'
import { fanConventions } from '../src/ir/fans.js'
import { type Config, configOf, initializers, type Knob, knobsOf, summaryOf } from './knobs.ts'
import { readModelFile } from './model-file.ts'
import { type Activation, activations, buildModel, type ModelSource } from './models.ts'
import type { Request } from './snippet.ts'

/** The form that describes what to initialise. */
export class RequestForm {
  readonly #form: HTMLFormElement
  readonly #knobs: HTMLElement
  readonly #onEdit: (request: Request) => void
  #file: ModelSource | undefined

  constructor(form: HTMLFormElement, onEdit: (request: Request) => void) {
    this.#form = form
    this.#knobs = form.querySelector<HTMLElement>('#knobs')!
    this.#onEdit = onEdit
    for (const name of Object.keys(activations)) this.#select('activation').append(new Option(name, name))
    for (const dtype of floatDTypes) this.#select('dtype').append(new Option(dtype, dtype))
    const recipe = new Option("the model's own recipe", 'recipe')
    const names = initializers.map((name) => {
      const option = new Option(name, name, name === 'kaiming', name === 'kaiming')
      option.title = summaryOf(name)
      return option
    })
    for (const name of generatorNames) this.#select('generator').append(new Option(name, name))
    for (const name of fanConventions) this.#select('fans').append(new Option(name, name))
    this.#select('initializer').append(recipe, ...names)
    form.addEventListener('input', ({ target }) => this.#edited(target as HTMLElement))
    this.#acceptFiles(form.querySelector<HTMLElement>('#drop')!, form.querySelector<HTMLInputElement>('#file')!)
    this.#drawKnobs()
    // This runs after the page's own script has finished.
    queueMicrotask(() => this.#edited(this.#select('model')))
  }

  onSubmit(run: (request: Request) => void): void {
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault()
      run(this.request())
    })
  }

  request(): Request {
    const data = new FormData(this.#form)
    const text = (name: string): string => String(data.get(name) ?? '')
    return {
      source: this.#source(),
      initializer: text('initializer'),
      config: this.#config(),
      seed: /^-?\d+$/.test(text('seed')) ? text('seed') : '0',
      dtype: text('dtype') as Request['dtype'],
      generator: text('generator') as Request['generator'],
      fans: text('fans') as Request['fans'],
    }
  }

  #select(name: string): HTMLSelectElement {
    return this.#form.elements.namedItem(name) as HTMLSelectElement
  }

  #source(): ModelSource {
    const kind = this.#select('model').value
    if (kind === 'file' && this.#file !== undefined) return this.#file
    if (kind === 'gpt2' || kind === 'resnet50') return { kind }
    const number = (name: string): number => Number((this.#form.elements.namedItem(name) as HTMLInputElement).value)
    return {
      kind: 'mlp',
      inputs: number('inputs'),
      width: number('width'),
      depth: number('depth'),
      outputs: number('outputs'),
      activation: this.#select('activation').value as Activation,
    }
  }

  #config(): Config {
    const fields = [...this.#knobs.querySelectorAll<HTMLInputElement | HTMLSelectElement>('[data-knob]')]
    const values = fields.map((field) => {
      const ticked = field instanceof HTMLInputElement && field.type === 'checkbox' ? field.checked : undefined
      return [field.dataset.knob!, ticked ?? field.value] as const
    })
    const name = this.#select('initializer').value
    return name === 'recipe' ? {} : configOf(name, new Map(values))
  }

  #edited(target: HTMLElement): void {
    if (target.id === 'file') return
    const model = this.#select('model')
    if (target === model) {
      // A model with rules of its own is initialised with these. An MLP has none.
      const initializer = this.#select('initializer')
      const hasRecipe = model.value !== 'mlp' && buildModel(this.#source()).recipe !== undefined
      initializer.options[0]!.disabled = !hasRecipe
      if (hasRecipe !== (initializer.value === 'recipe')) initializer.value = hasRecipe ? 'recipe' : 'kaiming'
      for (const part of this.#form.querySelectorAll<HTMLElement>('[data-for]')) {
        part.hidden = part.dataset.for !== model.value
        for (const field of part.querySelectorAll('input')) field.disabled = part.hidden
      }
      this.#drawKnobs()
    }
    if (target === this.#select('initializer')) this.#drawKnobs()
    if (this.#form.checkValidity()) this.#onEdit(this.request())
  }

  #drawKnobs(): void {
    const name = this.#select('initializer').value
    this.#knobs.replaceChildren(...(name === 'recipe' ? [] : knobsOf(name)).map(fieldOf))
  }

  #acceptFiles(drop: HTMLElement, input: HTMLInputElement): void {
    const take = async (file: File | undefined): Promise<void> => {
      if (file === undefined) return
      const error = document.getElementById('error')!
      try {
        this.#file = await readModelFile(file)
        const model = this.#select('model')
        const option = [...model.options].find(({ value }) => value === 'file')!
        option.disabled = false
        option.textContent = file.name
        model.value = 'file'
        this.#edited(model)
      } catch (problem) {
        error.textContent = `${file.name}: ${(problem as Error).message}`
      }
    }
    input.addEventListener('change', () => void take(input.files?.[0]))
    // The whole window accepts the file. Otherwise the browser would open a file that is dropped outside of the field.
    addEventListener('dragover', (event) => {
      event.preventDefault()
      drop.classList.add('over')
    })
    addEventListener('dragleave', ({ relatedTarget }) => {
      if (relatedTarget === null) drop.classList.remove('over')
    })
    addEventListener('drop', (event) => {
      event.preventDefault()
      drop.classList.remove('over')
      void take(event.dataTransfer?.files[0])
    })
  }
}

function fieldOf(knob: Knob): HTMLLabelElement {
  const label = document.createElement('label')
  label.title = knob.help
  if (knob.kind === 'choice') {
    const select = document.createElement('select')
    select.append(
      ...knob.choices.map((choice) => new Option(choice, choice, choice === knob.start, choice === knob.start)),
    )
    select.dataset.knob = knob.name
    label.append(knob.name, select)
    return label
  }
  const input = document.createElement('input')
  input.dataset.knob = knob.name
  if (knob.kind === 'flag') {
    label.className = 'check'
    input.type = 'checkbox'
    input.checked = knob.start === true
    label.append(input, knob.name)
    return label
  }
  input.type = 'number'
  input.required = !knob.optional
  input.step = 'any'
  input.value = String(knob.start)
  label.append(knob.name, input)
  return label
}
