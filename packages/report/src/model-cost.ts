import { microUsdOf, sumUsage, usdText, type RunView } from '@switchyard/protocol';
import { countText } from './quantities.ts';

/** What a run used of models, in a line; undefined: nothing. */
export function modelCost({ usage = [], budgetUsd }: RunView): string | undefined {
  if (usage.length === 0) return undefined;
  const { requests, inputTokens, cachedTokens, outputTokens, microUsd } = sumUsage(usage);
  const of = budgetUsd === undefined ? '' : ` of ${usdText(microUsdOf(budgetUsd))}`;
  const models = [...new Set(usage.map(({ model }) => model))].join(', ');
  const tokens = `tokens: ${inputTokens} read, ${cachedTokens} cached, ${outputTokens} written`;
  return `${usdText(microUsd)}${of} for ${countText(requests, 'request')} to ${models} (${tokens})`;
}
