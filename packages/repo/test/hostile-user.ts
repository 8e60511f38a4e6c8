import { appendFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserCheckout } from './user-checkout.ts';

/** What a commit asks for: every driver that the traps configure. */
export const attributes =
  '* text filter=evil diff=evil merge=evil ident\n*.i filter=included\n*.w filter=worktree\n';

/** Keys of a configuration that name a program. */
const programKeys =
  'core.fsmonitor core.editor core.pager core.sshCommand core.gitProxy core.askPass core.alternateRefsCommand sequence.editor credential.helper diff.external diff.evil.command diff.evil.textconv merge.evil.driver filter.evil.clean filter.evil.smudge gpg.program gpg.ssh.program gpg.x509.program gpg.ssh.defaultKeyCommand hook.evil.command interactive.diffFilter uploadpack.packObjectsHook remote.origin.uploadpack remote.origin.receivepack pager.log pager.rev-parse trailer.x.command'.split(
    ' ',
  );

/** Commands that ours uses: an alias must not stand for one. */
const aliases = ['rev-parse', 'for-each-ref', 'update-ref', 'read-tree', 'cat-file', 'pack-objects', 'var'];

/** How a canary's name begins. */
const mark = 'canary.';

const hooks =
  'pre-commit prepare-commit-msg commit-msg post-commit pre-merge-commit post-checkout post-merge pre-push pre-receive update proc-receive post-receive post-update reference-transaction push-to-checkout pre-auto-gc post-rewrite post-index-change fsmonitor-watchman'.split(
    ' ',
  );

/** Programs that each leave a canary of their own, and a git directory that names them all. */
export class Traps {
  readonly #canaries: string;
  readonly #programs: string;

  /** `programs` is made; `canaries` may be anywhere that a program can write. */
  constructor(folders: { readonly programs: string; readonly canaries: string }) {
    this.#canaries = folders.canaries;
    this.#programs = folders.programs;
    for (const folder of [this.#canaries, this.#programs]) mkdirSync(folder, { recursive: true });
  }

  /** Those that were walked into. */
  get sprung(): string[] {
    const canaries = readdirSync(this.#canaries).filter((name) => name.startsWith(mark));
    return canaries.map((name) => name.slice(mark.length)).sort();
  }

  /** A program that leaves a canary. */
  program(name: string): string {
    return `#!/bin/sh\n: > '${join(this.#canaries, mark + name)}'\nexit 1\n`;
  }

  /** The same as a file; the answer is its path. */
  laid(name: string): string {
    const path = join(this.#programs, name);
    writeFileSync(path, this.program(name), { mode: 0o755 });
    return path;
  }

  /** Makes a git directory a trap: configuration, includes, remotes, hooks, attributes, linked worktrees. */
  set(gitDir: string, elsewhere: string): void {
    appendFileSync(join(gitDir, 'config'), this.#settings(elsewhere));
    const worktree = this.laid('config.worktree');
    writeFileSync(
      join(gitDir, 'config.worktree'),
      `[core]\n\tfsmonitor = ${worktree}\n\teditor = ${worktree}\n[filter "worktree"]\n\tsmudge = ${worktree}\n`,
    );
    this.#layHooks(join(gitDir, 'hooks'));
    this.#lendObjects(gitDir);
    mkdirSync(join(gitDir, 'info'), { recursive: true });
    for (const file of [join(gitDir, 'info/attributes'), join(this.#programs, 'attributes')])
      writeFileSync(file, attributes);
    symlinkSync(elsewhere, join(gitDir, 'worktrees'));
  }

  #layHooks(folder: string): string {
    mkdirSync(folder, { recursive: true });
    for (const name of hooks)
      writeFileSync(join(folder, name), this.program(`hooks.${name}`), { mode: 0o755 });
    return folder;
  }

  /** Objects of another repository, which is a trap too: its refs are asked for by a program. */
  #lendObjects(gitDir: string): void {
    const lender = join(this.#programs, 'lender.git');
    mkdirSync(join(lender, 'objects'), { recursive: true });
    mkdirSync(join(lender, 'refs'), { recursive: true });
    writeFileSync(join(lender, 'HEAD'), 'ref: refs/heads/main\n');
    writeFileSync(
      join(lender, 'config'),
      `[core]\n\talternateRefsCommand = ${this.laid('lender')}\n\tfsmonitor = ${this.laid('lender')}\n`,
    );
    mkdirSync(join(gitDir, 'objects/info'), { recursive: true });
    writeFileSync(join(gitDir, 'objects/info/alternates'), `${join(lender, 'objects')}\n`);
  }

  #settings(elsewhere: string): string {
    const remote = this.laid('remote.ext');
    const included = join(this.#programs, 'included.config');
    writeFileSync(included, `[filter "included"]\n\tsmudge = ${this.laid('filter.included.smudge')}\n`);
    const settings = [
      ...programKeys.map((key) => [key, this.laid(key)]),
      ...aliases.map((name) => [`alias.${name}`, `!${this.laid(`alias.${name}`)}`]),
      ['core.attributesFile', join(this.#programs, 'attributes')],
      ['core.worktree', elsewhere],
      ['core.repositoryFormatVersion', '1'],
      ['core.hooksPath', this.#layHooks(join(this.#programs, 'hooks'))],
      ['hook.evil.event', 'post-checkout'],
      ...['log.showSignature', 'commit.gpgSign', 'merge.verifySignatures', 'extensions.worktreeConfig'].map(
        (key) => [key, 'true'],
      ),
      ['credential.https://example.org.helper', `!${this.laid('credential.url.helper')}`],
      ['remote.origin.url', `ext::${remote}`],
      ['remote.origin.promisor', 'true'],
      ['extensions.partialClone', 'origin'],
      ['protocol.allow', 'always'],
      ['submodule.recurse', 'true'],
      ['submodule.evil.update', `!${this.laid('submodule.update')}`],
      ['submodule.evil.url', `ext::${remote}`],
      ['url.ext::sh.insteadOf', 'https:'],
      ['include.path', included],
      [`includeIf.gitdir:${elsewhere}/.path`, included],
    ];
    return settings.map(([key = '', value = '']) => settingOf(key, value)).join('');
  }
}

/** A user's repository in which whatever git might run is a trap. */
export class HostileUser extends UserCheckout {
  readonly traps = new Traps({
    programs: join(this.root, 'traps'),
    canaries: join(this.root, 'canaries'),
  });

  /** Takes the filters away: those that a user configures run on `apply`, as with their own git. */
  dropFilters(): void {
    const config = join(this.folder, '.git/config');
    const text = readFileSync(config, 'utf8');
    writeFileSync(config, text.replace(/\[(?:filter "\w+"|include|includeIf .*)\]\n.*\n/g, ''));
  }
}

/** `section.sub.key` as a file of settings spells it. */
function settingOf(key: string, value: string): string {
  const [section = '', ...rest] = key.split('.');
  const name = rest.pop() ?? '';
  const sub = rest.length === 0 ? '' : ` "${rest.join('.')}"`;
  return `[${section}${sub}]\n\t${name} = "${value}"\n`;
}
