import type { ExportFact } from '../code/file-facts.ts';
import type { PlacedFinding } from '../engine.ts';
import { isOfKind, languageOf } from '../path-kind.ts';
import { someOf, type ChangeCheck } from './change-check.ts';
import type { ChangeView } from './change-view.ts';
import { takersOf, type Taker } from './module-graph.ts';

/** A break of what others may rely on. */
interface Break {
  readonly name: string;
  readonly rule: string;
  readonly line?: number;
  readonly description: string;
  readonly suggestion: string;
}

/** What a module offered before the change, it offers after it: names, parameters, fields, values. */
export const contracts: ChangeCheck = {
  specializations: ['integration'],
  async find(view) {
    if (!view.hasBase) return [];
    const found: PlacedFinding[] = [];
    for (const { path } of view.present.filter((file) => isModule(file.path) && file.change !== 'added')) {
      const before = (await view.factsBefore(path)).exports;
      const breaks = breaksBetween(before, (await view.factsAfter(path)).exports);
      if (breaks.length > 0) found.push(...(await judge(view, path, breaks)));
    }
    for (const { path } of view.deleted.filter((file) => isModule(file.path)))
      found.push(...(await deletedModule(view, path)));
    return found;
  },
};

function isModule(path: string): boolean {
  return languageOf(path) !== undefined && !isOfKind(path, 'tests') && !/\.config\.[cm]?[jt]s$/.test(path);
}

/** Who takes the name and was not changed along with it decides how bad it is; nobody: others may, outside. */
async function judge(view: ChangeView, path: string, breaks: readonly Break[]): Promise<PlacedFinding[]> {
  const takers = await takersOf(view, path);
  return breaks.flatMap(({ name, description, line, ...words }): PlacedFinding[] => {
    const mine = takers.filter(({ names }) => names.includes(name));
    const left = mine.filter((taker) => view.changedFile(taker.path) === undefined);
    // Everybody in this tree who used it was changed too.
    if (mine.length > 0 && left.length === 0 && !isRemoval(words.rule)) return [];
    const broken = isRemoval(words.rule) ? mine : left;
    if (isRemoval(words.rule) && broken.length === 0 && takers.length > 0 && !isEntry(path)) return [];
    const who = broken.length === 0 ? '' : ` Still used in ${placesOf(broken)}.`;
    return [
      {
        severity: broken.length > 0 ? 'major' : 'minor',
        category: 'integration',
        file: path,
        ...(line !== undefined && { line, caused: true }),
        description: `${description}${who}`.slice(0, 4000),
        references: [],
        ...words,
      },
    ];
  });
}

function isRemoval(rule: string): boolean {
  return rule === 'change/export-removed';
}

function isEntry(path: string): boolean {
  return /(^|\/)(index|main|mod)\.[cm]?[jt]sx?$/.test(path);
}

function placesOf(takers: readonly Taker[]): string {
  return someOf(takers.map(({ path, line }) => `${path}:${line}`));
}

async function deletedModule(view: ChangeView, path: string): Promise<PlacedFinding[]> {
  const takers = await takersOf(view, path);
  return takers.map((taker) => ({
    severity: 'major',
    category: 'integration',
    file: taker.path,
    line: taker.line,
    caused: true,
    description: `Imports ${path}, which this change deletes.`,
    suggestion: 'Keep the module, or change who imports it in the same change.',
    references: [],
    rule: 'change/imports-deleted-module',
  }));
}

function breaksBetween(before: readonly ExportFact[], after: readonly ExportFact[]): Break[] {
  return before.flatMap((old) => {
    const now = after.find((one) => one.name === old.name);
    if (now !== undefined)
      return [...signatureBreaks(old, now), ...memberBreaks(old, now), ...valueBreaks(old, now)];
    return [
      {
        name: old.name,
        rule: 'change/export-removed',
        description: `The module does not offer ${old.name} any more.`,
        suggestion: 'Keep the name, if only passing on to the new one, until nobody uses it.',
      },
    ];
  });
}

function signatureBreaks(old: ExportFact, now: ExportFact): Break[] {
  if (old.kind !== 'function' || now.kind !== 'function') return [];
  const [needed = 0, needs = 0] = [old.required, now.required];
  const [took = 0, takes = 0] = [old.parameters, now.parameters];
  const base = { name: now.name, line: now.line };
  if (needs > needed)
    return [
      {
        ...base,
        rule: 'change/parameter-added',
        description: `${now.name} has to be given ${needs} arguments, before the change ${needed}.`,
        suggestion: 'Give the new parameter a default, and put it at the end.',
      },
    ];
  if (takes >= took) return [];
  return [
    {
      ...base,
      rule: 'change/parameter-removed',
      description: `${now.name} takes ${takes} arguments, before the change ${took}; what callers give beyond is lost.`,
      suggestion: 'Keep taking it, or change every caller.',
    },
  ];
}

function memberBreaks(old: ExportFact, now: ExportFact): Break[] {
  return (old.members ?? []).flatMap((member) => {
    const same = now.members?.find(({ name }) => name === member.name);
    if (now.members === undefined) return [];
    const base = { name: now.name, line: now.line };
    if (same === undefined)
      return [
        {
          ...base,
          rule: 'change/field-removed',
          description: `${now.name} has no ${member.name} any more.`,
          suggestion: 'Keep it, optional if need be, until nobody reads it.',
        },
      ];
    if (!member.isOptional || same.isOptional) return [];
    return [
      {
        ...base,
        rule: 'change/field-required',
        description: `${now.name}.${member.name} was optional and has to be given now; who made one without it breaks.`,
        suggestion: 'Leave it optional, or give it a default where it is read.',
      },
    ];
  });
}

function valueBreaks(old: ExportFact, now: ExportFact): Break[] {
  if (now.values === undefined) return [];
  const kept = new Set(now.values);
  const gone = (old.values ?? []).filter((value) => !kept.has(value));
  if (gone.length === 0) return [];
  return [
    {
      name: now.name,
      line: now.line,
      rule: 'change/value-removed',
      description: `${now.name} does not have ${someOf(gone)} any more; kept data and other programs may hold it.`,
      suggestion: 'Keep reading the old value, even if nobody writes it.',
    },
  ];
}
