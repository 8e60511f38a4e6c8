import type { BenchSize } from './bench-size.ts';
import { runGuardFuzz } from './guard-fuzz.ts';

/** The path guard against its model, as lines; the first difference with its seed and its shrunk case. Throws for one. */
export async function reportGuardFuzz({ fuzzCases }: BenchSize): Promise<readonly string[]> {
  const startedAt = performance.now();
  const { cases, operations, done, difference } = await runGuardFuzz(fuzzCases);
  if (difference !== undefined) throw new Error(`The guard and its model differ.\n${difference}`);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  return [
    `trees ${cases}, operations ${operations}, of which done ${done}, refused ${operations - done}; ${seconds} s`,
    'differences from the model 0',
  ];
}
