import type { RunPhase, TaskPhase } from '@switchyard/protocol';

/** How a phase is shown everywhere: one tone, one sign, one word. */
export interface Look {
  readonly tone: Tone;
  readonly sign: string;
  readonly word: string;
}
export type Tone = 'idle' | 'active' | 'good' | 'bad' | 'dim' | 'person';

const active = (word: string): Look => ({ tone: 'active', sign: '▸', word });

export const taskLook: Readonly<Record<TaskPhase, Look>> = {
  pending: { tone: 'idle', sign: '·', word: 'pending' },
  ready: { tone: 'idle', sign: '·', word: 'ready' },
  leased: active('leased'),
  preparing: active('preparing'),
  running: active('running'),
  submitted: active('submitted'),
  reviewing: active('reviewing'),
  integrating: active('integrating'),
  verifying: active('verifying'),
  waiting: { tone: 'person', sign: '?', word: 'waiting' },
  completed: { tone: 'good', sign: '✓', word: 'completed' },
  failed: { tone: 'bad', sign: '✗', word: 'failed' },
  skipped: { tone: 'dim', sign: '–', word: 'skipped' },
  cancelled: { tone: 'dim', sign: '–', word: 'cancelled' },
  'rolled-back': { tone: 'person', sign: '↩', word: 'rolled back' },
};

export const runLook: Readonly<Record<RunPhase, Look>> = {
  planned: { tone: 'idle', sign: '·', word: 'Planned' },
  running: { tone: 'active', sign: '▸', word: 'Running' },
  completed: { tone: 'good', sign: '✓', word: 'Completed' },
  failed: { tone: 'bad', sign: '✗', word: 'Failed' },
  cancelled: { tone: 'dim', sign: '–', word: 'Cancelled' },
};
