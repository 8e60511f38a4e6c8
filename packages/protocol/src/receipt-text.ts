import type { Receipt } from './evidence.ts';

/** How a command of a verification ended, in words. */
export function howItEnded(receipt: Receipt): string {
  const how = receipt.ended === 'exited' ? `ended with ${receipt.exitCode}` : `was ${receipt.ended}`;
  return `\`${receipt.command.slice(0, 300)}\` ${how}`;
}
