import { lstat, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { AnalysisRequest, BaseTree } from '../engine.ts';
import { fitsGlob } from './path-glob.ts';
import type { CommandTool } from './review-policy.ts';

/** A file that a tool goes by and that is not as it was before the change. */
export interface ChangedRule {
  readonly path: string;
  readonly change: 'added' | 'modified' | 'deleted';
  /** What it was; undefined: it was not there. */
  readonly before: Uint8Array | undefined;
  /** Neither the tool's line nor the policy names it: tools look for it by themselves. */
  readonly isGuessed: boolean;
}

/** Files over this are compared by their size alone. */
const ruleBytesMax = 32 * 1024 * 1024;

/** What known tools look for in a tree by themselves. */
const known =
  /(^|\/)(\.semgrep(ignore|\.ya?ml|\/.+)|\.gitleaks(\.toml|ignore)|\.trivyignore(\.ya?ml)?|trivy\.ya?ml|\.bandit|\.checkov\.ya?ml|\.hadolint\.ya?ml|\.golangci\.(ya?ml|toml|json)|\.oxlintrc\.json|\.eslintignore|\.eslintrc(\.\w+)?|eslint\.config\.\w+|biome\.jsonc?|sgconfig\.yml|\.?ruff\.toml|\.pylintrc|\.rubocop\.yml|qlpack\.yml|\.snyk)$|^\.github\/codeql\//;
const ofRules = /^-(c|r|-[\w-]*(config|rule|polic|pack|quer|suite|ignore)[\w-]*)$/;

/**
 * What a change did to the files that a tool goes by: those that its line names, with the folders that it names as its
 * rules, those that the policy says, and those that tools find by themselves. `request`: with every file of the change,
 * since a rule must not hide behind a limit.
 */
export async function changedRules(tool: CommandTool, request: AnalysisRequest): Promise<ChangedRule[]> {
  const base = request.policy ?? request.base;
  if (base === undefined) return [];
  const { files, globs } = namedBy(tool);
  const isNamed = (path: string): boolean => files.has(path) || fitsGlob(path, globs);
  const touched = new Set(request.files.map(({ path }) => path));
  const candidates = new Set([...files, ...[...touched].filter((path) => isNamed(path) || known.test(path))]);
  const changed: ChangedRule[] = [];
  for (const path of [...candidates].sort()) {
    const before = await bytesBefore(base, path);
    // What is installed or built stands in no change, and may be named all the same.
    if (before === undefined && !touched.has(path)) continue;
    const now = await bytesNow(request.root, path);
    if (now === undefined ? before === undefined : before !== undefined && now.equals(before)) continue;
    const change = before === undefined ? 'added' : now === undefined ? 'deleted' : 'modified';
    changed.push({ path, change, before, isGuessed: !isNamed(path) });
  }
  return changed;
}

/** The words of a line that may be paths, and what stands where rules are named. */
function namedBy({ run, rules }: CommandTool): { files: ReadonlySet<string>; globs: readonly string[] } {
  const words = run.split(/[\s=;|&<>()'"]+/).map((word) => word.replace(/^\.\//, '').replace(/\/$/, ''));
  const files = new Set(words.filter((word) => /^[\w@][\w./@-]*$|^\.[\w][\w./@-]*$/.test(word)));
  for (const word of files)
    if (word.split('/').some((part) => part === '..' || part === '')) files.delete(word);
  const folders = words.filter((word, at) => files.has(word) && ofRules.test(words[at - 1] ?? ''));
  return { files, globs: [...rules, ...folders] };
}

/** What stands at a path, a link as where it leads; undefined: nothing that could be read as a file. */
async function bytesNow(root: string, path: string): Promise<Buffer | undefined> {
  const place = join(root, path);
  try {
    const stat = await lstat(place);
    if (stat.isSymbolicLink()) return Buffer.from(await readlink(place));
    if (!stat.isFile()) return undefined;
    return stat.size > ruleBytesMax ? Buffer.from(`${stat.size} bytes`) : await readFile(place);
  } catch (error) {
    // A word of the line that names no file, or a folder that is gone.
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return undefined;
    throw error;
  }
}

async function bytesBefore(base: BaseTree, path: string): Promise<Uint8Array | undefined> {
  if (base.bytes !== undefined) return base.bytes(path);
  const text = await base.read(path);
  return text === undefined ? undefined : Buffer.from(text);
}
