/** Figures to quote, to two places. */
export function percentile(values: number[], part: number): string {
  const sorted = [...values].sort((a, b) => a - b)
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0).toFixed(2)
}

export const median = (values: number[]) => percentile(values, 0.5)
