import type { BenchSize } from './bench-size.ts';
import { runSandboxStart } from './sandbox-start.ts';

/** A command in the sandbox and in a bare bwrap over a plain spawn, by turns, as the lines of a table; milliseconds. */
export async function compareSandboxStart({ rounds }: BenchSize): Promise<readonly string[]> {
  const { plainMs, limitToDeathMs, ...others } = await runSandboxStart(20 * rounds, 5 * rounds);
  const at = (list: readonly number[], part: number): number =>
    list[Math.min(list.length - 1, Math.floor(list.length * part))] ?? Number.NaN;
  const line = (name: string, part: number): string => {
    const plain = at(plainMs, part);
    const over = (list: readonly number[]): string =>
      `${at(list, part).toFixed(1)} (over plain ${(at(list, part) - plain).toFixed(1)})`;
    const { bareMs, firstMs, announcedMs, sandboxMs } = others;
    const sandbox = `not announced ${over(firstMs)}, announced ${over(announcedMs)}, in a row ${over(sandboxMs)}`;
    return `${name}  plain ${plain.toFixed(1)}, bare bwrap ${over(bareMs)}, sandbox ${sandbox}`;
  };
  return [
    line('start, least  ', 0),
    line('start, median ', 0.5),
    `limit to the death of the tree, ms   median ${at(limitToDeathMs, 0.5).toFixed(1)}, most ${at(limitToDeathMs, 1).toFixed(1)}`,
  ];
}
