/**
 * The system part of the file system, the same for each command: computed once. Each mount costs a command a tenth of
 * a millisecond and more (bwrap reads the growing table of mounts at each), so the small files of /etc are copied, as
 * they were when the sandbox was opened, and a link into /usr stays one.
 */
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { isBelow, systemFolders, type Toolchain } from './toolchains.ts';

/** What every command sees of /etc: what programs need to start, nothing that names a person or a secret. */
const etcEntries = [
  'alternatives',
  'ld.so.cache',
  'ssl/certs',
  'ssl/openssl.cnf',
  'pki/tls/certs',
  'pki/ca-trust/extracted',
  'ca-certificates/extracted',
  'crypto-policies',
  'localtime',
  'mime.types',
  'protocols',
  'services',
  'fonts',
  'perl',
] as const;

/** What is copied: a file of at most so many bytes, a folder of at most so many files in all. */
const copyBytesMax = 256 * 1024;
const copyFilesMax = 4;

/** The home folder inside; in memory, gone with the command. */
export const homeInside = '/home/agent';

export type EtcPath = `/etc/${string}`;

export interface SystemPart {
  /** Arguments for bwrap. */
  readonly mounts: readonly string[];
  /** Files that are ours inside, with what is in them. */
  readonly copies: Readonly<Record<EtcPath, Uint8Array>>;
}

export function systemPart(): SystemPart {
  const mounts = systemFolders.flatMap(systemFolder);
  const copies: Record<EtcPath, Uint8Array> = {};
  for (const name of [...etcEntries, ...versionedEtc()]) {
    const path: EtcPath = `/etc/${name}`;
    const copied = copyOf(path);
    if (copied !== undefined) Object.assign(copies, copied);
    else mounts.push(...(isLinkIntoSystem(path) ? ['--symlink', realpathSync(path), path] : readOnly(path)));
  }
  return { mounts, copies };
}

/** The files at a path with their content; undefined where they are too much, or not plain files. */
function copyOf(path: EtcPath): Record<EtcPath, Uint8Array> | undefined {
  if (!existsSync(path) || isLinkIntoSystem(path)) return undefined;
  const paths = statSync(path).isDirectory() ? filesBelow(path) : [path];
  if (paths === undefined) return undefined;
  const small = paths.every((each) => statSync(each).isFile() && statSync(each).size <= copyBytesMax);
  if (!small) return undefined;
  try {
    return Object.fromEntries(paths.map((each) => [each, readFileSync(each)]));
  } catch {
    return undefined; // not ours to read: bound, it stays what it is for whoever looks inside
  }
}

/** All files of a small tree of folders; undefined where there is anything else in it, more of them, or none. */
function filesBelow(folder: EtcPath): EtcPath[] | undefined {
  const files: EtcPath[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path: EtcPath = `${folder}/${entry.name}`;
    const found = entry.isDirectory() ? filesBelow(path) : entry.isFile() ? [path] : undefined;
    if (found === undefined) return undefined;
    files.push(...found);
  }
  return files.length > 0 && files.length <= copyFilesMax ? files : undefined;
}

/** /usr is there inside; a name that leads into it (the time zone) tells programs more than its content. */
function isLinkIntoSystem(path: string): boolean {
  return existsSync(path) && lstatSync(path).isSymbolicLink() && isBelow(realpathSync(path), '/usr');
}

/** What a command sees of the toolchains. */
export interface ToolPart {
  /** Arguments for bwrap. They may lie below the private folders (a user named agent), so they come after these. */
  readonly mounts: readonly string[];
  /** Small settings (which version holds), copied as they are when a command starts: a copy costs less than a mount. */
  readonly files: readonly string[];
}

/** Splits the visible toolchains into what is mounted and what is copied. */
export function toolPart(found: readonly Toolchain[]): ToolPart {
  const visible = found.filter((tool) => tool.visible);
  const [folders, files] = [visible.flatMap((tool) => tool.folders), visible.flatMap((tool) => tool.files)];
  const copied = [...new Set(files)].filter(isCopiedSetting);
  const mounted = [...folders, ...files].filter((place) => !copied.includes(place));
  return { mounts: [...new Set(mounted)].flatMap(readOnly), files: copied };
}

/** Bytes of a setting that is copied. */
const settingBytesMax = 64 * 1024;

/** A program is mounted, as is what lies in a private folder: there a copy could be written. */
function isCopiedSetting(path: string): boolean {
  if ([homeInside, '/tmp'].some((folder) => isBelow(path, folder))) return false;
  const stat = statSync(path);
  return stat.isFile() && stat.size <= settingBytesMax && (stat.mode & 0o111) === 0;
}

/** /usr is mounted; where /bin is a link into it, so it is inside. */
function systemFolder(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return lstatSync(folder).isSymbolicLink()
    ? ['--symlink', readlinkSync(folder), folder]
    : ['--ro-bind', folder, folder];
}

function readOnly(path: string): string[] {
  return existsSync(path) ? ['--ro-bind', path, path] : [];
}

/** Settings that a packaged Java or Python keeps in /etc and links to from /usr. */
function versionedEtc(): string[] {
  return readdirSync('/etc').filter((name) => /^(?:java|python)[-\d.]/.test(name));
}
