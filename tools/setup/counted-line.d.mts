export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}
export function countedLine(counts: Counts): string;
export function fromReport(text: string | undefined, exitCode: number): Counts;
