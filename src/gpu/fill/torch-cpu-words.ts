import { TORCH_BLOCK } from '../../generators/torch/cpu.js'
import type { RandomDistribution, TorchCpuSource } from '../../ir/generator.js'
import { mersenneStream } from '../../random/libraries/mt19937.js'

/** What the host makes for a run of elements of a draw. */
export interface HostWords {
  readonly words: Uint32Array<ArrayBuffer>
  /** The integers for the shader's field distribution.c. */
  readonly extra: readonly number[]
}

/**
 * The words of PyTorch's CPU stream that one call of uniform_ or normal_ needs for elements [first, first + count), in the
 * order in which shaders/generators/torch_cpu_*.wgsl read them.
 *
 * PyTorch draws the last 16 normals of a tensor again if its length is not a multiple of 16. For normals, `extra` is
 * therefore the start of this redone block, the index of its first own word, and the distance from the first word to the
 * first element.
 */
export function torchCpuWords(
  { kind }: RandomDistribution,
  { seed, position, count: total }: TorchCpuSource,
  first: number,
  count: number,
): HostWords {
  const stream = mersenneStream(seed)
  if (kind === 'uniform') {
    const words = new Uint32Array(count)
    stream.read(position + first, words)
    return { words, extra: [0, 0, 0] }
  }
  // If only the redone block is wanted, the upload starts one block earlier, so that it contains the block's start.
  const block = first - (first % TORCH_BLOCK)
  const begin = Math.max(0, block > total - TORCH_BLOCK ? block - TORCH_BLOCK : block)
  const shift = first - begin
  const end = Math.min(Math.ceil((first + count) / TORCH_BLOCK) * TORCH_BLOCK, total)
  const tail = total - TORCH_BLOCK
  const redone = total % TORCH_BLOCK !== 0 && first + count > tail
  const body = end - begin
  const words = new Uint32Array(body + (redone ? TORCH_BLOCK : 0))
  stream.read(position + begin, words.subarray(0, body))
  if (!redone) return { words, extra: [0xffffffff, 0, shift] }
  stream.read(position + total, words.subarray(body))
  return { words, extra: [tail - begin, body, shift] }
}
