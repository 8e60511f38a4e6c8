import { slugOf } from '@switchyard/protocol';
import { stringify } from 'yaml';
import { readPackage } from './manifest.ts';
import { checkScripts, packageManagerOf } from './package-manager.ts';
import type { Project, RepositoryFiles } from './project.ts';
import { readProjects } from './read-projects.ts';

export interface DraftOptions {
  readonly goal: string;
  readonly files: RepositoryFiles;
  /** Who works on the tasks, as a plan file says it. */
  readonly executor: Readonly<Record<string, unknown>>;
}

/**
 * Drafts a plan from what the repository is made of, with no model: one task a project, each with a workspace of its own,
 * after the projects it builds on, checked by its own scripts, and the whole by those of the root. The answer is YAML.
 */
export function draftPlan({ goal, files, executor }: DraftOptions): string {
  const { kind, projects, notes } = readProjects(files);
  const { chosen, why } = chooseProjects(goal, projects);
  const { edges, dropped } = withoutCircles(throughOthers(chosen, projects));
  const names = new Map(chosen.map((project) => [project.name, idOf(project, chosen)]));
  const verify = checkScripts(readPackage(files, 'package.json')?.scripts).map((script) =>
    packageManagerOf(files).root(script),
  );
  const tasks = chosen.map((project) => {
    const dependsOn = (edges.get(project.name) ?? []).map((name) => names.get(name) ?? name);
    return {
      id: names.get(project.name),
      instructions: instructionsOf(goal, project, chosen),
      workspace: project.workspace.length === 1 ? project.workspace[0] : project.workspace,
      ...(dependsOn.length > 0 && { dependsOn }),
      ...(project.checks.length > 0 && { acceptance: project.checks.map((run) => ({ run })) }),
    };
  });
  const plan = {
    version: 1,
    name: slugOf(goal.slice(0, 60)),
    defaults: { executor },
    ...(verify.length > 0 && { verify: { run: verify, when: 'end' } }),
    tasks,
  };
  const head = [
    `Drafted from the ${kindText[kind]} of the repository, without a model.`,
    'A task that has nothing to change fails: remove those that the goal does not need, and say more to the others.',
    ...[...why, ...notes, ...dropped].map((note) => `Note: ${note}.`),
  ];
  return `${head.map((line) => `# ${line}\n`).join('')}${stringify(plan, { lineWidth: 100 })}`;
}

const kindText = { nx: 'Nx projects', workspaces: 'workspaces', folders: 'folders' } as const;

/** Only the projects that the goal names, if it names some. */
function chooseProjects(
  goal: string,
  projects: readonly Project[],
): { chosen: readonly Project[]; why: readonly string[] } {
  const words = new Set(wordsOf(goal));
  const named = projects.filter((project) => {
    const own = wordsOf(shortName(project.name));
    return own.some(isTelling) && own.every((word) => words.has(word));
  });
  if (named.length === 0 || named.length === projects.length) return { chosen: projects, why: [] };
  return {
    chosen: named,
    why: [`the goal names ${named.map(({ name }) => name).join(', ')}: only these are in it`],
  };
}

/** Words that a goal has without meaning a project of that name. */
const common = new Set('an and as at be by do for in is it of on or the to with all add new use'.split(' '));

function isTelling(word: string): boolean {
  return word.length > 1 && !common.has(word);
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
}

function shortName(name: string): string {
  return name.split('/').at(-1) ?? name;
}

function idOf(project: Project, all: readonly Project[]): string {
  const short = shortName(project.name);
  return all.filter(({ name }) => shortName(name) === short).length === 1 ? short : project.root;
}

type Edges = ReadonlyMap<string, readonly string[]>;

/** What each chosen project builds on among the chosen, also where that goes through others. */
function throughOthers(chosen: readonly Project[], all: readonly Project[]): Edges {
  const known = new Map(all.map((project) => [project.name, project]));
  const isChosen = new Set(chosen.map(({ name }) => name));
  return new Map(
    chosen.map(({ name, dependsOn }) => {
      const found = new Set<string>();
      const seen = new Set([name]);
      const open = [...dependsOn];
      for (let next = open.pop(); next !== undefined; next = open.pop()) {
        if (seen.has(next)) continue;
        seen.add(next);
        if (isChosen.has(next)) found.add(next);
        else open.push(...(known.get(next)?.dependsOn ?? []));
      }
      return [name, [...found].toSorted()];
    }),
  );
}

/** Leaves out the dependencies that would close a circle; each is told. */
function withoutCircles(edges: Edges): { edges: Edges; dropped: string[] } {
  const kept = new Map<string, string[]>();
  const dropped: string[] = [];
  for (const [name, needs] of edges) {
    for (const need of needs) {
      if (reaches(kept, need, name))
        dropped.push(`${name} and ${need} need each other: ${name} does not wait for ${need}`);
      else kept.set(name, [...(kept.get(name) ?? []), need]);
    }
  }
  return { edges: kept, dropped };
}

function reaches(edges: ReadonlyMap<string, readonly string[]>, from: string, to: string): boolean {
  const seen = new Set<string>();
  const open = [from];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next === to) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    open.push(...(edges.get(next) ?? []));
  }
  return false;
}

function instructionsOf(goal: string, project: Project, all: readonly Project[]): string {
  const others = all.filter((other) => other !== project).map(({ name }) => name);
  const users = all.filter(({ dependsOn }) => dependsOn.includes(project.name)).map(({ name }) => name);
  return [
    goal.trim(),
    '',
    `Your part is ${project.root === '.' ? 'the whole repository' : project.name}: do what the goal needs there.`,
    ...(others.length > 0 ? [`Other workers do the rest: ${listed(others)}.`] : []),
    ...(users.length > 0 ? [`These build on it, so keep what they use: ${listed(users)}.`] : []),
    ...(project.dependsOn.length > 0 ? [`It builds on ${listed(project.dependsOn)}.`] : []),
    'Write or mend its tests, and follow the conventions of the code around.',
  ].join('\n');
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 20).join(', ');
  return names.length > 20 ? `${shown} and ${names.length - 20} more` : shown;
}
