import type { TaskPhase } from '@switchyard/protocol';

/** The sign and colour of a phase. */
export type Look = readonly [
  glyph: string,
  colour: 'green' | 'red' | 'yellow' | 'cyan' | 'magenta' | 'gray' | 'white',
];

const looks: Readonly<Record<TaskPhase, Look>> = {
  pending: ['·', 'gray'],
  ready: ['○', 'white'],
  leased: ['▶', 'cyan'],
  preparing: ['▶', 'cyan'],
  running: ['▶', 'cyan'],
  submitted: ['◆', 'cyan'],
  reviewing: ['◎', 'magenta'],
  integrating: ['⇢', 'magenta'],
  verifying: ['⇢', 'magenta'],
  waiting: ['?', 'yellow'],
  completed: ['✔', 'green'],
  failed: ['✖', 'red'],
  skipped: ['⊘', 'gray'],
  cancelled: ['⊘', 'gray'],
  'rolled-back': ['↩', 'yellow'],
};

/** How a phase looks on a screen. */
export function lookOf(phase: TaskPhase): Look {
  return looks[phase];
}

/** A sign and the space behind it. */
export const glyphColumns = 2;

/** A row of a table, of one line or several, behind its sign. */
export function glyphRow(glyph: string, row: string): string {
  return `${glyph} ${row.replaceAll('\n', `\n${' '.repeat(glyphColumns)}`)}`;
}
