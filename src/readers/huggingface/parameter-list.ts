import type { FloatDType } from '../../core/dtype.js'
import type { ParameterSpec } from '../../ir/parameter.js'

type Facts = Omit<ParameterSpec, 'name' | 'shape' | 'dtype'>

/** Collects a model's parameters in the order of PyTorch's named_parameters(). */
export class ParameterList {
  readonly specs: ParameterSpec[] = []
  readonly tied: Record<string, string> = {}
  readonly dtype: FloatDType

  constructor(dtype: FloatDType) {
    this.dtype = dtype
  }

  add(name: string, shape: readonly number[], facts: Facts): void {
    this.specs.push({ name, shape, dtype: this.dtype, ...facts })
  }

  /** nn.Embedding: weight [rows, width]; the padding row stays 0. */
  embedding(name: string, rows: number, width: number, paddingIndex?: number): void {
    this.add(`${name}.weight`, [rows, width], {
      role: 'embedding',
      ...(paddingIndex === undefined ? {} : { paddingIndex }),
    })
  }

  /** nn.Linear: weight [outputs, inputs], bias [outputs]. */
  linear(name: string, inputs: number, outputs: number, bias = true): void {
    this.add(`${name}.weight`, [outputs, inputs], { role: 'weight' })
    if (bias) this.add(`${name}.bias`, [outputs], { role: 'bias' })
  }

  /** nn.Conv1d and nn.Conv2d without groups: weight [outputs, inputs, ...kernel], bias [outputs]. */
  convolution(name: string, inputs: number, outputs: number, kernel: readonly number[], bias = true): void {
    this.add(`${name}.weight`, [outputs, inputs, ...kernel], { role: 'weight' })
    if (bias) this.add(`${name}.bias`, [outputs], { role: 'bias' })
  }

  /** nn.LayerNorm: weight and bias [width]. */
  layerNorm(name: string, width: number): void {
    this.scale(name, width)
    this.add(`${name}.bias`, [width], { role: 'norm-bias' })
  }

  /** RMSNorm: weight [width]. */
  scale(name: string, width: number): void {
    this.add(`${name}.weight`, [width], { role: 'norm-scale' })
  }

  /** `name` shares the memory of `target`: neither listed nor stored. */
  tie(name: string, target: string): void {
    this.tied[name] = target
  }
}
