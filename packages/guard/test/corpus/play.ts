/** Plays one case against the guard and says everything that went wrong. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import * as adapter from '../attack-adapter.ts';
import type { Case, End, Step, Tool } from './case.ts';
import { fill, makeWorld, removeWorld, runOnHost, standing, type World } from './world.ts';

type Guard = Awaited<ReturnType<typeof adapter.openGuard>>;

interface Stage {
  readonly world: World;
  readonly guard: Guard;
  readonly seen: Seen;
}

interface Seen {
  text: string;
  readonly events: string[];
  readonly ends: string[];
  error?: unknown;
  /** Index of the step that threw. */
  stopped?: number;
}

const denyRead = ['.env', 'secrets/**', '**/*.pem'];

/** The reasons why the case failed; none when it ended as it must. */
export async function play(row: Case): Promise<string[]> {
  const world = makeWorld(row.before);
  const seen: Seen = { text: '', events: [], ends: [] };
  try {
    const guard = await adapter.openGuard({
      root: world.workspace,
      read: [world.names['RO'] ?? ''],
      denyRead,
    });
    try {
      await perform(row.steps, { world, guard, seen });
      return [...always(world, seen), ...judge(row, { world, seen })];
    } finally {
      guard.close();
    }
  } finally {
    removeWorld(world);
  }
}

async function perform(steps: readonly Step[], stage: Stage): Promise<void> {
  const { seen } = stage;
  for (const [index, [tool, ...args]] of steps.entries()) {
    try {
      const answer = await tools[tool](stage, fill(args, stage.world.names) as Arguments);
      seen.text += `${textOf(answer)}\n`;
    } catch (error) {
      seen.error = error;
      seen.stopped = index;
      return;
    }
  }
}

function textOf(answer: unknown): string {
  if (answer === undefined) return '';
  if (Array.isArray(answer)) return answer.map(textOf).join('\n');
  return typeof answer === 'string' ? answer : JSON.stringify(answer);
}

/** They come from tables, and some of them are wrong on purpose: the guard is to notice. */
type Arguments = readonly [never, never, never];

const tools: Readonly<Record<Tool, (stage: Stage, args: Arguments) => unknown>> = {
  read: ({ guard }, [path]) => guard.readFile(path),
  write: ({ guard }, [path, content]) => guard.writeFile(path, content),
  insert: ({ guard }, [path, line, content]) => guard.insertContent(path, line, content),
  diff: ({ guard }, [path, diff]) => guard.applyDiff(path, diff),
  list: ({ guard }, [path, recursive]) => guard.listFiles(path, recursive),
  search: ({ guard }, [path, pattern]) => guard.searchFiles(path, pattern),
  stat: ({ guard }, [path]) => guard.stat(path),
  move: ({ guard }, [from, to]) => guard.move(from, to),
  remove: ({ guard }, [path]) => guard.remove(path),
  mkdir: ({ guard }, [path]) => guard.makeDirectory(path),
  git: async ({ guard }, args) => (await guard.git([...args])).output,
  audit: async ({ guard, seen }) => {
    seen.events.push(...(await guard.auditNow()).map(({ type }) => type));
  },
  run: async ({ guard, seen }, [command, cwd, timeoutMs]) => {
    const given = Object.entries({ cwd, timeoutMs }).filter(([, value]) => value !== undefined);
    const request = { command, ...Object.fromEntries(given) };
    const { output, timedOut, truncated, events } = await guard.execute(request);
    seen.events.push(...events.map(({ type }) => type));
    if (timedOut) seen.ends.push('timed-out');
    if (truncated) seen.ends.push('truncated');
    return output;
  },
  open: async ({ world }, [root]) => {
    const other = await adapter.openGuard({ root, read: [world.names['RO'] ?? ''], denyRead });
    other.close();
  },
  lexical: (_, [path, platform, root]) => adapter.checkLexical(path, { platform, root }),
  host: ({ world }, [line]) => {
    runOnHost(world, line);
    world.outside = standing(world);
  },
};

/** What must hold in every case. */
function always(world: World, seen: Seen): string[] {
  const after = standing(world);
  const names = new Set([...world.outside.keys(), ...after.keys()]);
  const changed = [...names].filter((name) => world.outside.get(name) !== after.get(name));
  const reasons = changed.map((name) => `changed outside the workspace: ${name}`);
  const { error } = seen;
  const message = error instanceof Error ? error.message : '';
  if (`${seen.text}${message}`.includes(world.secret)) reasons.push('the secret leaked');
  if (error !== undefined && !isRefusal(error)) reasons.push(`no refusal but ${inspect(error)}`);
  if (
    codeOf(error) === 'E_OUTSIDE_WORKSPACE' &&
    !message.includes(world.workspace) &&
    !/[A-Z]:\\/.test(message)
  )
    reasons.push(`a refusal without the roots: ${message}`);
  return [...reasons, ...leftOvers(world)];
}

/** Temporary files are gone whatever happened. */
function leftOvers({ workspace }: World): string[] {
  if (!existsSync(workspace)) return [];
  const names = readdirSync(workspace).filter((name) => /^\.switchyard-[0-9a-f]{24}$/.test(name));
  return names.map((name) => `left behind: ${name}`);
}

function isRefusal(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && error.name === 'GuardError' && codeOf(error) !== undefined;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function judge(row: Case, { world, seen }: { readonly world: World; readonly seen: Seen }): string[] {
  const { end, steps } = row;
  const reasons: string[] = [];
  const code = codeOf(seen.error);
  const message = seen.error instanceof Error ? seen.error.message : '';
  if (seen.stopped !== undefined && seen.stopped < steps.length - 1)
    reasons.push(`step ${seen.stopped + 1} of ${steps.length} stopped it: ${message}`);
  const codes: readonly string[] = end.refused === undefined ? [] : [end.refused].flat();
  const mayPass = end.either === true || (row.rootMay === true && process.getuid?.() === 0);
  if (code === undefined && codes.length > 0 && !mayPass) reasons.push('it was not refused');
  if (code !== undefined && codes.length === 0 && end.either !== true)
    reasons.push(`it was refused: ${message}`);
  if (code !== undefined && codes.length > 0 && !codes.includes(code))
    reasons.push(`refused with ${code}, not with ${codes.join(' or ')}`);
  return [...reasons, ...judgeDetails(end, { world, seen })];
}

function judgeDetails(end: End, { world, seen }: { readonly world: World; readonly seen: Seen }): string[] {
  const reasons: string[] = [];
  const words = (text: string | undefined): string => String(fill(text ?? '', world.names));
  const got = JSON.stringify(seen.text.slice(0, 200));
  if (end.shows !== undefined && seen.error === undefined && !seen.text.includes(words(end.shows)))
    reasons.push(`does not show ${end.shows}, but ${got}`);
  if (end.hides !== undefined && seen.text.includes(words(end.hides)))
    reasons.push(`shows ${end.hides}: ${got}`);
  if (end.event !== undefined && !seen.events.includes(end.event))
    reasons.push(`no event ${end.event}, but ${seen.events.join() || 'none'}`);
  if (end.noEvent === true && seen.events.length > 0) reasons.push(`events: ${seen.events.join()}`);
  if (end.ended !== undefined && !seen.ends.includes(end.ended))
    reasons.push(`it is not said to be ${end.ended}`);
  if (end.gone !== undefined && existsSync(join(world.workspace, end.gone)))
    reasons.push(`${end.gone} is there`);
  const [, name, content] = /^(.*?)=([\s\S]*)$/.exec(end.holds ?? '') ?? [];
  if (name !== undefined) {
    const path = join(world.workspace, name);
    const found = existsSync(path) ? readFileSync(path, 'utf8') : '(nothing)';
    if (found !== words(content)) reasons.push(`${name} holds ${JSON.stringify(found.slice(0, 200))}`);
  }
  return reasons;
}
