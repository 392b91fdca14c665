import { refuse, show } from '../core/errors.js'
import { isInteger } from '../core/integers.js'
import type { GeneratorSourceOf, JaxKey } from '../ir/generator.js'
import { crc32, type JaxDistribution, jaxFoldIn, sampleJax } from './jax/jax.js'
import { checkJaxKey } from './jax/jax-api.js'
import type { GeneratorDefinition, GeneratorSampler } from './kind.js'

type JaxName = 'jax' | 'jax-legacy'

/**
 * jax.random in one of its two layouts. Every parameter has a key of its own: fold_in(key(seed), crc32(name)), or one that the
 * user gives. The arithmetic is in jax/jax.ts.
 */
const jaxDefinition = (name: JaxName, mostElements = Number.MAX_SAFE_INTEGER): GeneratorDefinition<JaxName> => ({
  settings: ['keys'],
  resolve({ keys: given = {} }) {
    if (typeof given !== 'object') {
      refuse('UNSUPPORTED_GENERATOR')(`generator ${name}: keys must map names to keys, but found ${show(given)}.`)
    }
    const keys: Record<string, JaxKey> = {}
    for (const [parameter, key] of Object.entries(given as object)) {
      keys[parameter] = checkJaxKey(key, `generator ${name}: keys[${show(parameter)}]`)
    }
    return { name, keys }
  },
  distributions: ['uniform', 'normal', 'truncated-normal', 'orthogonal'],
  assign({ keys }, seed) {
    const names = new Map<number, string>()
    return ({ name: parameter, elementCount: count, where }) => {
      const source = (key: JaxKey): GeneratorSourceOf<JaxName> => ({ generator: name, key, count })
      if (count > mostElements) {
        refuse('LIMIT_EXCEEDED')(
          `${where}: generator ${name} takes fewer than 2^32 - 1 elements, but found ${count}; use 'jax'.`,
        )
      }
      const given = Object.hasOwn(keys, parameter) ? keys[parameter] : undefined
      if (given !== undefined) return source(given)
      const id = crc32(parameter)
      const other = names.get(id)
      if (other !== undefined) {
        refuse('INVALID_MODEL')(
          `${where}: its name has the same CRC-32 as ${show(other)}, so both would get the same ${name} key; ` +
            `rename one, or give it a key: generator: { name: '${name}', keys: { ${show(parameter)}: [high, low] } }.`,
        )
      }
      names.set(id, parameter)
      return source(jaxFoldIn([0, Number(seed & 0xffff_ffffn)], id))
    }
  },
  mostElements,
  sourceFields: {
    key: (x) => Array.isArray(x) && x.length === 2 && x.every((word) => isInteger(word, 0, 2 ** 32 - 1)),
    count: (x, { elementCount }) => x === elementCount,
  },
})

/** jax_threefry_partitionable=True, the default since jax 0.5. */
export const jaxGenerator = /* @__PURE__ */ jaxDefinition('jax') as GeneratorDefinition<'jax'>
/** The layout before jax 0.5, in which the two words of a block are half an array apart. */
export const jaxLegacyGenerator = /* @__PURE__ */ jaxDefinition(
  'jax-legacy',
  2 ** 32 - 2,
) as GeneratorDefinition<'jax-legacy'>

/** The sampler of both layouts; the source says which one to use. */
export const jaxSampler: GeneratorSampler<JaxName> = {
  sample: (distribution: JaxDistribution, generatorSource, first, count) =>
    sampleJax({ distribution, generatorSource }, first, count),
  matrixSources: ({ batch, rows, columns }, source) =>
    Array.from({ length: batch }, (_, index) => ({
      ...source,
      key: batch === 1 ? source.key : jaxFoldIn(source.key, index),
      count: rows * columns,
    })),
  drawsWideTransposed: true,
}
