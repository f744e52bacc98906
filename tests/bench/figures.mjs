// What is said about repeated measurements.

export function figures(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const round = (value) => Math.round(value * 10) / 10;
  const middle = sorted.length / 2;
  const median = sorted.length % 2 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median: round(median), lowest: round(sorted[0]), highest: round(sorted.at(-1)), runs: sorted.length };
}
