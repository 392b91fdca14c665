const units = ['', 'k', 'M', 'G', 'T'] as const

/** Formats 1234567 as '1.23 M', in steps of a thousand. */
export function compact(value: number): string {
  const step = Math.max(0, Math.min(units.length - 1, Math.floor(Math.log10(Math.abs(value) || 1) / 3)))
  const scaled = value / 1000 ** step
  return `${step === 0 ? Math.round(scaled) : scaled.toPrecision(3)} ${units[step]}`.trim()
}

export const bytes = (value: number): string => {
  const text = compact(value)
  return /[kMGT]$/.test(text) ? `${text}B` : `${text} B`
}

export const integer = (value: number): string => value.toLocaleString('en')

/** Five significant digits, zero as 0. */
export const significant = (value: number): string =>
  value === 0 ? '0' : Math.abs(value) >= 1e-4 && Math.abs(value) < 1e6 ? value.toPrecision(5) : value.toExponential(3)

export const seconds = (milliseconds: number): string =>
  milliseconds < 1000 ? `${milliseconds.toFixed(0)} ms` : `${(milliseconds / 1000).toFixed(2)} s`
