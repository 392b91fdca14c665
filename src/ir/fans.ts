/** How many inputs one output is connected to (fanIn), and how many outputs one input is connected to (fanOut). */
export interface Fans {
  readonly fanIn: number
  readonly fanOut: number
}

/**
 * How fans are computed. 'layout' uses the layout, groups, blocks and batch axes, and gives the fans of the actual layer.
 * 'torch' computes them from the shape alone, as PyTorch does.
 */
export type FanConvention = 'layout' | 'torch'

export const fanConventions: readonly FanConvention[] = ['layout', 'torch']
