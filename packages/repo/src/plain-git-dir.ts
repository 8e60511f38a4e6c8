import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Overrides every attribute that changes the bytes of files, whatever a commit's `.gitattributes` say: what is
 * checked out, committed and tested is what git stores, byte for byte, and no filter or encoding comes in between.
 */
export const attributesOverride =
  '* -text !eol !crlf -ident !filter !working-tree-encoding !diff !merge !whitespace\n';

export interface PlainGitDirOptions {
  /** `ref: refs/heads/…` or a commit. */
  readonly head: string;
  readonly bare: boolean;
  readonly objectFormat: 'sha1' | 'sha256';
  /** More lines of its configuration. */
  readonly config?: string;
}

/** Makes a git directory without asking any template of the machine. */
export function makeGitDir(folder: string, options: PlainGitDirOptions): void {
  for (const name of ['objects/info', 'objects/pack', 'refs/heads', 'info'])
    mkdirSync(join(folder, name), { recursive: true });
  const isNew = options.objectFormat === 'sha256';
  const config = [
    '[core]',
    `\trepositoryformatversion = ${isNew ? 1 : 0}`,
    '\tfilemode = true',
    `\tbare = ${String(options.bare)}`,
    '\tlogallrefupdates = false',
    ...(isNew ? ['[extensions]', '\tobjectformat = sha256'] : []),
    options.config ?? '',
  ];
  writeFileSync(join(folder, 'config'), `${config.join('\n')}\n`);
  writeFileSync(join(folder, 'info/attributes'), attributesOverride);
  writeFileSync(join(folder, 'HEAD'), `${options.head}\n`);
}
