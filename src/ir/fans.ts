/** How many inputs reach one output (fanIn) and how many outputs one input reaches (fanOut). */
export interface Fans {
  readonly fanIn: number
  readonly fanOut: number
}

/** 'layout': right for the layer, from layout, groups, blocks and batch axes. 'torch': PyTorch's, from the shape alone. */
export type FanConvention = 'layout' | 'torch'

export const fanConventions: readonly FanConvention[] = ['layout', 'torch']
