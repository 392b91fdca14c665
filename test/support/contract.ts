import { floatDTypes } from '../../src/core/dtype.js'
import {
  eye,
  type FloatDType,
  type Initializer,
  initializeModel,
  kaimingNormal,
  kaimingUniform,
  lecunNormal,
  NormalInitializer,
  normal,
  SparseInitializer,
  TruncatedNormalInitializer,
  truncNormal,
  UniformInitializer,
  uniform,
  xavierNormal,
  xavierUniform,
} from '../../src/index.js'
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
    floatDTypes.flatMap((dtype) =>
      [0, 42, 0xdeadbeefcafebaben].map((seed) => ({ id: `${name} ${dtype} seed ${seed}`, initializer, dtype, seed })),
    ),
)

export const contractModel = { parameters: [{ name: contractName, shape: [...contractShape] }] }

/** SHA-256 of a case's little-endian bytes, from the CPU. */
export async function contractHash({ initializer, dtype, seed }: ContractCase): Promise<string> {
  using weights = await initializeModel(contractModel, initializer, { device: 'cpu', dtype, seed })
  return sha256(await weights.readBytes(contractName))
}
