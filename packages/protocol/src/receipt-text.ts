import type { Receipt } from './evidence.ts';

/** Whether the command of a receipt ended well. */
export function isPassed(receipt: Receipt): boolean {
  return receipt.ended === 'exited' && receipt.exitCode === 0;
}

/** The first receipt of a verification that does not pass. Throws where all passed, which is a bug. */
export function failedReceipt(receipts: readonly Receipt[]): Receipt {
  const failed = receipts.find((receipt) => !isPassed(receipt));
  if (failed === undefined) throw new Error('a verification that does not pass has no command that failed');
  return failed;
}

/** How a command of a verification ended, in words. */
export function howItEnded(receipt: Receipt): string {
  const how = receipt.ended === 'exited' ? `ended with ${receipt.exitCode}` : `was ${receipt.ended}`;
  return `\`${receipt.command.slice(0, 300)}\` ${how}`;
}
