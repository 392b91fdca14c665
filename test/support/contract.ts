import { fillBytes } from '../../src/cpu/fill.js'
import type { FloatDType } from '../../src/dtype.js'
import { eye } from '../../src/initializers/identity.js'
import { kaimingNormal, kaimingUniform } from '../../src/initializers/kaiming.js'
import { NormalInitializer, normal } from '../../src/initializers/normal.js'
import { SparseInitializer } from '../../src/initializers/sparse.js'
import { TruncatedNormalInitializer, truncNormal } from '../../src/initializers/truncated-normal.js'
import type { Initializer } from '../../src/initializers/types.js'
import { UniformInitializer, uniform } from '../../src/initializers/uniform.js'
import { lecunNormal } from '../../src/initializers/variance-scaling.js'
import { xavierNormal, xavierUniform } from '../../src/initializers/xavier.js'
import { fillJob } from '../../src/jobs.js'
import { planModel } from '../../src/plan.js'
import { sha256 } from './bits.js'

/** What the golden hashes of the value contract cover: one parameter of odd length per initializer, dtype and seed. */
export interface ContractCase {
  readonly id: string
  readonly initializer: Initializer
  readonly dtype: FloatDType
  readonly seed: number | bigint
}

export const contractShape = [1001, 37] as const
export const contractName = 'layers.0.weight'

/** Later additions; the ones above came with the first version. */
const families: Readonly<Record<string, Initializer>> = {
  'trunc_normal(0,1;-2,2)': truncNormal,
  'trunc_normal(0.5,0.3;0.4,100)': new TruncatedNormalInitializer({ mean: 0.5, std: 0.3, a: 0.4, b: 100 }),
  'trunc_normal(0,1;7,8)': new TruncatedNormalInitializer({ a: 7, b: 8 }),
  lecunNormal,
  'sparse(0.3)': new SparseInitializer({ sparsity: 0.3 }),
  eye,
}

const initializers: Readonly<Record<string, Initializer>> = {
  'uniform[0,1)': uniform,
  'uniform[-0.3,7.7)': new UniformInitializer({ a: -0.3, b: 7.7 }),
  'normal(0,1)': normal,
  'normal(-3.25,0.37)': new NormalInitializer({ mean: -3.25, std: 0.37 }),
  xavierUniform,
  xavierNormal,
  kaimingUniform,
  kaimingNormal,
}

export const contractCases: readonly ContractCase[] = Object.entries({ ...initializers, ...families }).flatMap(
  ([name, initializer]) =>
    (['float32', 'float16', 'bfloat16'] as const).flatMap((dtype) =>
      [0, 42, 0xdeadbeefcafebaben].map((seed) => ({ id: `${name} ${dtype} seed ${seed}`, initializer, dtype, seed })),
    ),
)

export const contractModel = { parameters: [{ name: contractName, shape: [...contractShape] }] }

/** SHA-256 of a case's little-endian bytes, from the CPU. */
export function contractHash({ initializer, dtype, seed }: ContractCase): string {
  const plan = planModel(contractModel, initializer, { dtype, seed })
  const [parameter] = plan.parameters
  return sha256(fillBytes(fillJob(parameter!), 0, parameter!.elementCount))
}
