import type { RunView } from '@switchyard/protocol';
import { oneLine } from './plain-text.ts';
import { taskLook, type Tone } from './phase-look.ts';

/** Above this a drawing helps nobody and takes minutes. */
const tasksMax = 300;
const arrowsMax = 2_000;

/** Colours of a drawing that stands alone; inside the page its style sheet takes over by class. */
const paint: Readonly<Record<Tone, { fill: string; line: string }>> = {
  idle: { fill: '#f3f4f6', line: '#6b7280' },
  active: { fill: '#dbeafe', line: '#2563eb' },
  good: { fill: '#dcfce7', line: '#15803d' },
  bad: { fill: '#fee2e2', line: '#b91c1c' },
  dim: { fill: '#e5e7eb', line: '#9ca3af' },
  person: { fill: '#fef3c7', line: '#b45309' },
};
const shapes = { implement: 'box', review: 'ellipse', verify: 'hexagon', manual: 'diamond' } as const;

/** The run's tasks as Graphviz DOT, coloured by phase; undefined when there are too many to draw. */
export function graphDot(view: RunView): string | undefined {
  const numbers = new Map(view.tasks.map((task, index) => [task.id, index]));
  const nodes = view.tasks.map((task, index) => {
    const { tone, sign } = taskLook[task.phase];
    const { fill, line } = paint[tone];
    const label = quoted(`${sign} ${oneLine(task.id, 40)}`);
    return `  t${index} [label=${label}, class="tone-${tone}", shape=${shapes[task.kind]}, fillcolor="${fill}", color="${line}"];`;
  });
  const arrows = view.tasks.flatMap((task, to) =>
    task.dependsOn.flatMap((id) => {
      const from = numbers.get(id);
      return from === undefined ? [] : [`  t${from} -> t${to};`];
    }),
  );
  if (nodes.length > tasksMax || arrows.length > arrowsMax) return undefined;
  return [
    'digraph run {',
    '  rankdir=LR; bgcolor="transparent"; nodesep=0.18; ranksep=0.55; pad=0.05;',
    '  node [style="filled,rounded", fontname="Helvetica", fontsize=11, margin="0.14,0.07", height=0.32];',
    '  edge [color="#6b7280", arrowsize=0.6, class="arrow"];',
    ...nodes,
    ...arrows,
    '}',
  ].join('\n');
}

/** Graphviz reads backslash escapes in labels; a doubled one is a backslash. */
function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
