import type { ErrorCode, FailureClass } from '@switchyard/protocol';
import type { AgentProcessEnd, ExecutorOutcome } from './executor.ts';
import { failure } from './failure-of.ts';

/** What an agent's error says about trying again: what the model's side has in its words, not what the agent did. */
const classWords: readonly (readonly [FailureClass, RegExp])[] = [
  ['throttled', /\b(?:429|529)\b|rate.?limit|overloaded|too many requests/i],
  [
    'io',
    /\b50[0234]\b|stream disconnected|connection (?:error|reset|refused)|ECONN|ETIMEDOUT|fetch failed|network error|timed? ?out/i,
  ],
];

/** The class of an error that an agent reports; else trying again would end the same way. */
export function agentErrorClass(text: string): FailureClass {
  return classWords.find(([, words]) => words.test(text))?.[0] ?? 'logic';
}

export interface AgentFailureFacts {
  readonly agent: string;
  readonly outputTail: string;
}

export function agentFailed(
  code: ErrorCode,
  text: string,
  { agent, outputTail }: AgentFailureFacts,
  failureClass?: FailureClass,
): ExecutorOutcome {
  return {
    kind: 'failed',
    failure: failure(code, `${agent} ${text}`, {
      outputTail,
      ...(failureClass !== undefined && { class: failureClass }),
    }),
  };
}

/** `logic`, as for commands: what used up its limit would use it up again. */
export function agentTooLate(facts: AgentFailureFacts & { readonly timeoutMs: number }): ExecutorOutcome {
  const text = `worked longer than the task's ${facts.timeoutMs / 1000} s and was killed with all its children`;
  return agentFailed('E_AGENT_TIMEOUT', text, facts);
}

/** The failure that the end of its process means by itself; nothing for one that ended with code 0. */
export function failureOfEnd(
  end: AgentProcessEnd,
  facts: AgentFailureFacts & { readonly timeoutMs: number },
): ExecutorOutcome | undefined {
  switch (end.ended) {
    case 'timed-out':
      return agentTooLate(facts);
    case 'killed':
      return agentFailed('E_AGENT_FAILED', `was killed: ${end.reason ?? 'no reason is known'}`, facts);
    case 'exited':
      if (end.exitCode === 0) return undefined;
      return agentFailed(
        'E_AGENT_FAILED',
        `ended with exit code ${end.exitCode}`,
        facts,
        agentErrorClass(facts.outputTail) === 'logic' ? 'system' : agentErrorClass(facts.outputTail),
      );
  }
}
