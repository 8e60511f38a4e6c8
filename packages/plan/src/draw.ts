import type { Plan, PlanTask, TaskPhase } from '@switchyard/protocol';

/** Phases of tasks to colour a drawing by. */
export type DrawnStates = ReadonlyMap<string, TaskPhase>;

type Colour = 'idle' | 'active' | 'good' | 'bad' | 'dim' | 'person';

const colourOf: Readonly<Record<TaskPhase, Colour>> = {
  pending: 'idle',
  ready: 'idle',
  leased: 'active',
  preparing: 'active',
  running: 'active',
  submitted: 'active',
  reviewing: 'active',
  integrating: 'active',
  verifying: 'active',
  waiting: 'person',
  completed: 'good',
  failed: 'bad',
  skipped: 'dim',
  cancelled: 'dim',
  'rolled-back': 'dim',
};

const paint: Readonly<Record<Colour, { fill: string; line: string; text: string }>> = {
  idle: { fill: '#f3f4f6', line: '#6b7280', text: '#111827' },
  active: { fill: '#dbeafe', line: '#2563eb', text: '#1e3a8a' },
  good: { fill: '#dcfce7', line: '#15803d', text: '#14532d' },
  bad: { fill: '#fee2e2', line: '#b91c1c', text: '#7f1d1d' },
  dim: { fill: '#e5e7eb', line: '#9ca3af', text: '#6b7280' },
  person: { fill: '#fef3c7', line: '#b45309', text: '#78350f' },
};

/** The graph as Mermaid text: an arrow from what comes first to what waits for it. */
export function toMermaid(plan: Plan, states: DrawnStates = new Map()): string {
  const nodes = plan.tasks.map(
    (task, number) => `  ${mermaidNode(task, number)}:::${colourName(task, states)}`,
  );
  const arrows = arrowsOf(plan).map(([from, to]) => `  t${from} --> t${to}`);
  const used = [...new Set(plan.tasks.map((task) => colourName(task, states)))].toSorted();
  const classes = used.map(
    (name) =>
      `  classDef ${name} fill:${paint[name].fill},stroke:${paint[name].line},color:${paint[name].text}`,
  );
  return `${['flowchart LR', ...nodes, ...arrows, ...classes].join('\n')}\n`;
}

/** Review tasks are rounded, gates are diamonds, verification is a hexagon. */
function mermaidNode(task: PlanTask, number: number): string {
  const label = `"${mermaidText(task.id)}"`;
  switch (task.kind) {
    case 'implement':
      return `t${number}[${label}]`;
    case 'review':
      return `t${number}(${label})`;
    case 'verify':
      return `t${number}{{${label}}}`;
    case 'manual':
      return `t${number}{${label}}`;
  }
}

/** Mermaid knows `#name;` and `#number;` for characters that it would read as its own. */
function mermaidText(text: string): string {
  return text.replace(/[^\p{L}\p{N} ._:/-]/gu, (character) => `#${character.codePointAt(0) ?? 0};`);
}

/** The graph as Graphviz DOT, for `dotToSvg` or any Graphviz. */
export function toDot(plan: Plan, states: DrawnStates = new Map()): string {
  const shapes = { implement: 'box', review: 'ellipse', verify: 'hexagon', manual: 'diamond' } as const;
  const nodes = plan.tasks.map((task, number) => {
    const { fill, line, text } = paint[colourName(task, states)];
    return `  t${number} [label=${dotText(task.id)}, shape=${shapes[task.kind]}, fillcolor="${fill}", color="${line}", fontcolor="${text}"];`;
  });
  const arrows = arrowsOf(plan).map(([from, to]) => `  t${from} -> t${to};`);
  const head = [
    `digraph ${dotText(plan.name)} {`,
    '  rankdir=LR;',
    '  bgcolor="transparent";',
    '  node [style="filled,rounded", fontname="Helvetica", fontsize=11];',
    '  edge [color="#6b7280", arrowsize=0.7];',
  ];
  return `${[...head, ...nodes, ...arrows, '}'].join('\n')}\n`;
}

function dotText(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', ' ')}"`;
}

function colourName(task: PlanTask, states: DrawnStates): Colour {
  return colourOf[states.get(task.id) ?? 'pending'];
}

function arrowsOf(plan: Plan): [number, number][] {
  const numbers = new Map<string, number>(plan.tasks.map((task, number) => [task.id, number]));
  return plan.tasks.flatMap((task, to) =>
    task.dependsOn.flatMap((id): [number, number][] => {
      const from = numbers.get(id);
      return from === undefined ? [] : [[from, to]];
    }),
  );
}
