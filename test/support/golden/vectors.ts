// Through Vite, not node:fs: the GPU suites run in Chromium too.
const files = import.meta.glob<string>('./*.json', {
  base: '../../vectors',
  query: '?raw',
  import: 'default',
  eager: true,
})

/** A file of test/vectors. */
export function loadVectors<T>(name: string): T {
  return JSON.parse(files[`./${name}`]!) as T
}

/** The names of the files of test/vectors that hold values. */
export function vectorFiles(): string[] {
  return Object.keys(files)
    .map((path) => path.replace(/.*\//, ''))
    .sort()
}

/** '6627e8d5e169c58d' -> [0x6627e8d5, 0xe169c58d]: eight hex digits a word. */
export function hexWords(hex: string): number[] {
  return (hex.match(/.{8}/g) ?? []).map((word) => Number.parseInt(word, 16))
}

/** A float32's bits as eight hex digits. */
export function hexOf(value: number): string {
  return new Uint32Array(new Float32Array([value]).buffer)[0]!.toString(16).padStart(8, '0')
}

/** key(seed) with an offset, as torch_stateless_ref.json names its rows. */
export interface StatelessRow {
  readonly key: bigint
  readonly counter: bigint
  readonly splits: readonly { readonly key: bigint; readonly counter: bigint }[]
  readonly foldIn7: { readonly key: bigint; readonly counter: bigint }
  readonly bits: readonly number[]
  readonly uniform: readonly number[]
  readonly uniform007: readonly number[]
  readonly normal: readonly number[]
}

/** torch_stateless_ref.json, parsed. */
export function statelessRows(): [name: string, row: StatelessRow][] {
  const { keys } = loadVectors<{ keys: Record<string, Record<string, unknown>> }>('torch_stateless_ref.json')
  const stream = (pair: unknown): { key: bigint; counter: bigint } => {
    const [seed = '', offset = ''] = pair as string[]
    return { key: BigInt(seed), counter: BigInt(offset) }
  }
  return Object.entries(keys).map(([name, row]) => {
    const [, seed = '', offset = ''] = /^seed=(\d+) offset=(\d+)$/.exec(name) ?? []
    return [
      name,
      {
        ...stream([seed, offset]),
        splits: (row['split(4) [seed,offset] as decimal strings'] as unknown[]).map(stream),
        foldIn7: stream(row['fold_in(7)']),
        bits: hexWords(row['bits 19'] as string),
        uniform: hexWords(row['uniform 19'] as string),
        uniform007: hexWords(row['uniform(-0.07,0.07) 19 (fma)'] as string),
        normal: hexWords(row['normal 19'] as string),
      },
    ]
  })
}

/** Bits of float32 values. */
export function bitsOf(values: Float32Array): number[] {
  return [...new Uint32Array(values.buffer, values.byteOffset, values.length)]
}

/** The float32 with these bits. */
export function floatOf(bits: number): number {
  return new Float32Array(new Uint32Array([bits]).buffer)[0]!
}
