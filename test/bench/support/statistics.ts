/** Statistics of measurements. */

/**
 * Returns the quantile of a share: the smallest value such that this share of all values is not greater. Returns 0
 * without values.
 */
export function quantile(values: number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
}

export const median = (values: number[]) => quantile(values, 0.5)

/** Returns the average difference between two successive values, computed as the slope of the least-squares line. */
export function slope(values: number[]): number {
  const middle = (values.length - 1) / 2
  const ofValues = values.reduce((sum, value, i) => sum + (i - middle) * value, 0)
  return ofValues / values.reduce((sum, _, i) => sum + (i - middle) ** 2, 0)
}

/** Returns the lowest and the highest value as text, rounded. */
export function spread(values: number[]): string {
  const short = (value: number) => (value >= 100 ? String(Math.round(value)) : value.toPrecision(2))
  return `(${short(Math.min(...values))} to ${short(Math.max(...values))})`
}
