import { existsSync, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { systemFolders, type Toolchain } from './toolchains.ts';

/** What every command sees of /etc: what programs need to start, nothing that names a person or a secret. */
const etcEntries = [
  'alternatives',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'ssl/certs',
  'ssl/openssl.cnf',
  'pki/tls/certs',
  'pki/ca-trust/extracted',
  'ca-certificates',
  'crypto-policies',
  'localtime',
  'mime.types',
  'protocols',
  'services',
  'fonts',
  'perl',
] as const;

/** The home folder inside; in memory, gone with the command. */
export const homeInside = '/home/agent';

/** Arguments for the system part of the file system, the same for each command: compute once. */
export function systemMounts(found: readonly Toolchain[]): string[] {
  const folders = found.filter((tool) => tool.visible).flatMap((tool) => tool.folders);
  return [
    ...systemFolders.flatMap(systemFolder),
    ...etcEntries.flatMap((name) => readOnly(`/etc/${name}`)),
    ...versionedEtc().flatMap((name) => readOnly(`/etc/${name}`)),
    ...[...new Set(folders)].flatMap(readOnly),
  ];
}

/** Name resolution of the host, only for commands that share its network. */
export function networkMounts(): string[] {
  return ['/etc/resolv.conf', '/etc/hosts', '/etc/host.conf', '/etc/gai.conf'].flatMap(readOnly);
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
