/** Whether an unknown value is an integer that float64 holds exactly, and least <= value <= most. */
export const isInteger = (value: unknown, least: number, most: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most
