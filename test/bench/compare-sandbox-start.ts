import type { BenchSize } from './bench-size.ts';
import { runSandboxStart } from './sandbox-start.ts';

/** A command in the sandbox and in a bare bwrap over a plain spawn, by turns, as the lines of a table; milliseconds. */
export async function compareSandboxStart({ rounds }: BenchSize): Promise<readonly string[]> {
  const { plainMs, bareMs, sandboxMs, limitToDeathMs } = await runSandboxStart(20 * rounds, 5 * rounds);
  const at = (list: readonly number[], part: number): number =>
    list[Math.min(list.length - 1, Math.floor(list.length * part))] ?? Number.NaN;
  const line = (name: string, part: number): string => {
    const [plain, bare, held] = [at(plainMs, part), at(bareMs, part), at(sandboxMs, part)];
    const over = (value: number): string => `${value.toFixed(1)} (over plain ${(value - plain).toFixed(1)})`;
    return `${name}  plain ${plain.toFixed(1)}, bare bwrap ${over(bare)}, sandbox ${over(held)}`;
  };
  return [
    line('start, least  ', 0),
    line('start, median ', 0.5),
    `limit to the death of the tree, ms   median ${at(limitToDeathMs, 0.5).toFixed(1)}, most ${at(limitToDeathMs, 1).toFixed(1)}`,
  ];
}
