import { execFile } from 'node:child_process';
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { GuardError } from '@switchyard/guard';

/** Keys of a repository's configuration that can run a program or lead elsewhere. */
const hostileKey =
  /^(?:filter|diff|merge|mergetool|difftool|alias|include|includeif|pager|credential|url|hook|gpg|browser|man|sendemail|submodule|remote|core\.(?:worktree|fsmonitor|hookspath|sshcommand|editor|askpass|pager|gitproxy|attributesfile|alternaterefscommand)|uploadpack|receive|interactive|sequence|web|instaweb|trailer|tar|extensions\.(?!objectformat|noop|refstorage|preciousobjects))/i;

/** Throws E_PROTECTED for a repository that could make git run something. */
export async function refuseHostileRepository(root: string): Promise<void> {
  const refuse = (reason: string): never => {
    throw new GuardError('E_PROTECTED', reason, { path: '.git' });
  };
  if (lstatSync(join(root, '.git'), { throwIfNoEntry: false })?.isDirectory() !== true)
    refuse('.git is no directory');
  for (const name of ['config', 'config.worktree']) {
    const file = join(root, '.git', name);
    const stat = lstatSync(file, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    if (!stat.isFile()) refuse(`${name} is no regular file`);
    const list = ['config', '--no-includes', '--file', file, '--list', '--name-only', '-z'];
    const { stdout } = await promisify(execFile)('/usr/bin/git', list, {
      env: { PATH: '/usr/bin:/bin', HOME: '/nonexistent' },
    }).catch(() => refuse(`${name} cannot be read by git`));
    const key = stdout.split('\0').find((entry) => hostileKey.test(entry));
    if (key !== undefined) refuse(`git refuses the configuration ${key}`);
  }
}
