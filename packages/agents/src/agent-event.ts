/** What an agent says and does while it works, as every executor tells it: shown, logged and kept as a transcript. */
export type AgentEvent =
  | { readonly kind: 'message' | 'thought' | 'note'; readonly text: string }
  /** What the agent was told. */
  | { readonly kind: 'prompt'; readonly text: string }
  | { readonly kind: 'plan'; readonly entries: readonly PlanEntry[] }
  | {
      readonly kind: 'tool-call';
      /** Unique within the attempt; later events of one call carry the same. */
      readonly id: string;
      readonly title: string;
      readonly status: ToolCallStatus;
      readonly input?: unknown;
      readonly output?: string;
    }
  | { readonly kind: 'diff'; readonly path: string; readonly before?: string; readonly after: string }
  | {
      readonly kind: 'permission';
      readonly title: string;
      readonly decision: 'allowed' | 'refused';
      readonly reason: string;
    }
  /** What it asked for and did not get: the guard's answer. */
  | { readonly kind: 'denied'; readonly what: string; readonly code: string; readonly reason: string }
  | { readonly kind: 'question'; readonly text: string }
  /** A line of its standard error, or one of its output that is no event. */
  | { readonly kind: 'output'; readonly text: string };

export interface PlanEntry {
  readonly text: string;
  readonly status: 'pending' | 'in-progress' | 'completed';
}

export const toolCallStatuses = ['pending', 'running', 'completed', 'failed'] as const;
export type ToolCallStatus = (typeof toolCallStatuses)[number];

/** One line for people; nothing where there is nothing to say. */
export function eventLine(event: AgentEvent): string {
  switch (event.kind) {
    case 'message':
    case 'note':
    case 'output':
      return lastLine(event.text);
    case 'thought':
    case 'prompt':
      return '';
    case 'question':
      return `asks: ${lastLine(event.text)}`;
    case 'plan': {
      const done = event.entries.filter(({ status }) => status === 'completed').length;
      const now = event.entries.find(({ status }) => status === 'in-progress');
      return `plan ${done}/${event.entries.length}${now === undefined ? '' : `: ${now.text}`}`;
    }
    case 'tool-call':
      return event.status === 'pending' ? '' : `${event.title} (${event.status})`;
    case 'diff':
      return `changes ${event.path}`;
    case 'permission':
      return `${event.decision}: ${event.title} (${event.reason})`;
    case 'denied':
      return `refused: ${event.what} (${event.code}: ${event.reason})`;
  }
}

function lastLine(text: string): string {
  return (
    text
      .trimEnd()
      .split(/[\r\n]+/)
      .at(-1)
      ?.trim() ?? ''
  );
}
