// The module's exports. Its memory is one page of 16,384 words, which are drawn, turned into values and rounded in place.

export { float32ToBfloat16, float32ToFloat16 } from './random/half'
export { normal } from './random/normal'
export { philox4x32 } from './random/philox'
export { truncatedNormal } from './random/truncated-normal'
export { uniform } from './random/uniform'
