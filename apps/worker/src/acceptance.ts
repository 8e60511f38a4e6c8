import { isPassed, type AcceptanceItem, type Receipt } from '@switchyard/protocol';

/** The criterion as the plan states it; the command itself where it has no other text. */
export function criterionOf(item: AcceptanceItem): string {
  return item.kind === 'text' ? item.text : (item.text ?? item.run).slice(0, 4000);
}

/** Criterion → met. Texts are for the agent and the reviewer; here they hold when all commands do. */
export function criteriaMet(
  items: readonly AcceptanceItem[],
  receipts: readonly Receipt[],
): Record<string, boolean> {
  const all = receipts.every(isPassed);
  const met = items.map((item): [string, boolean] => {
    if (item.kind === 'text') return [item.text, all];
    return [criterionOf(item), receipts.some((receipt) => receipt.command === item.run && isPassed(receipt))];
  });
  return Object.fromEntries(met);
}
