import { AppError, nearest, type RunId } from '@switchyard/protocol';

/** The run that a person means by its whole name or by a beginning that no other has. Throws AppError E_RUN_UNKNOWN. */
export function matchRun(names: readonly string[], text: string): RunId {
  if (names.includes(text)) return text as RunId;
  // All begin with nothing, as of a variable that is not set.
  if (text === '')
    throw new AppError('E_RUN_UNKNOWN', 'the name of the run is empty; `switchyard runs` lists them');
  const matching = names.filter((name) => name.startsWith(text));
  const [only] = matching;
  if (only !== undefined && matching.length === 1) return only as RunId;
  const why =
    matching.length > 1
      ? `${matching.length} runs begin with ${text}: ${matching.join(', ')}`
      : `there is no run ${text}; ${nearText(names, text)}\`switchyard runs\` lists them`;
  throw new AppError('E_RUN_UNKNOWN', why);
}

/** People type the name of the plan, and not the letters behind it; of several runs of one plan the last began last. */
function nearText(names: readonly string[], text: string): string {
  const runs = new Map(
    names.flatMap((name) => [[name, name] as const, [name.replace(/-[^-]*$/, ''), name] as const]),
  );
  const meant = runs.get(nearest(text, runs.keys()) ?? '');
  return meant === undefined ? '' : `did you mean ${meant}? `;
}
