import { AppError, type RunId } from '@switchyard/protocol';

/** The run that a person means by its whole name or by a beginning that no other has. Throws AppError E_RUN_UNKNOWN. */
export function matchRun(names: readonly string[], text: string): RunId {
  if (names.includes(text)) return text as RunId;
  const matching = names.filter((name) => name.startsWith(text));
  const [only] = matching;
  if (only !== undefined && matching.length === 1) return only as RunId;
  const why =
    matching.length > 1
      ? `${matching.length} runs begin with ${text}: ${matching.join(', ')}`
      : `there is no run ${text}; \`switchyard runs\` lists them`;
  throw new AppError('E_RUN_UNKNOWN', why);
}
