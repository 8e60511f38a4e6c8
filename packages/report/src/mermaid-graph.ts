import type { RunView } from '@switchyard/protocol';
import { taskLook, type Tone } from './phase-look.ts';
import { oneLine } from './plain-text.ts';

/** Renderers refuse larger ones. */
const tasksMax = 200;

const classes: Readonly<Record<Tone, string>> = {
  idle: 'fill:#f3f4f6,stroke:#6b7280,color:#111827',
  active: 'fill:#dbeafe,stroke:#2563eb,color:#1e3a8a',
  good: 'fill:#dcfce7,stroke:#15803d,color:#14532d',
  bad: 'fill:#fee2e2,stroke:#b91c1c,color:#7f1d1d',
  dim: 'fill:#e5e7eb,stroke:#9ca3af,color:#6b7280',
  person: 'fill:#fef3c7,stroke:#b45309,color:#78350f',
};

/** The run's tasks as a Mermaid flowchart, coloured by phase; undefined when there are too many. */
export function mermaidGraph(view: RunView): string | undefined {
  if (view.tasks.length > tasksMax) return undefined;
  const numbers = new Map(view.tasks.map((task, index) => [task.id, index]));
  const nodes = view.tasks.map(
    (task, index) => `  t${index}["${mermaidText(oneLine(task.id, 60))}"]:::${taskLook[task.phase].tone}`,
  );
  const arrows = view.tasks.flatMap((task, to) =>
    task.dependsOn.flatMap((id) => {
      const from = numbers.get(id);
      return from === undefined ? [] : [`  t${from} --> t${to}`];
    }),
  );
  const used = [...new Set(view.tasks.map((task) => taskLook[task.phase].tone))].sort();
  const styles = used.map((tone) => `  classDef ${tone} ${classes[tone]}`);
  return ['flowchart LR', ...nodes, ...arrows, ...styles].join('\n');
}

/** Mermaid knows `#number;` for characters that it would read as its own. */
function mermaidText(text: string): string {
  return text.replace(/[^\p{L}\p{N} ._:/-]/gu, (found) => `#${found.codePointAt(0) ?? 0};`);
}
