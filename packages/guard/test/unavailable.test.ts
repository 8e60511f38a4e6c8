import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { explainFailure, openSandbox, type MachineFacts } from '@switchyard/guard';
import { openOptions, useScene } from './scene.ts';

const scene = useScene();
const refusal = async (bwrapPath: string): Promise<{ code?: string; message?: string }> => {
  try {
    await (await openSandbox(openOptions({ bwrapPath }))).close();
    return {};
  } catch (error) {
    return error as { code: string; message: string };
  }
};
const program = (script: string): string => {
  const path = join(scene.base, 'bwrap');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
};

describe('no sandbox means refusal, never a free run', () => {
  it('names the command that installs a missing bubblewrap', async () => {
    const { code, message } = await refusal('/nonexistent/bwrap');
    expect(code).toBe('E_SANDBOX_UNAVAILABLE');
    expect(message).toMatch(/(apt-get install|dnf install|pacman -S|zypper install|apk add) bubblewrap/);
  });

  it.each([
    ['a program that fails', 'exit 1'],
    ['a program that is something else', 'echo hello'],
    ['one that is too old', 'echo "bubblewrap 0.3.0 --args"'],
    [
      'one that cannot make namespaces',
      'case $1 in --help) /usr/bin/bwrap --help;; --version) echo bubblewrap 0.8.0;; *) echo "bwrap: setting up uid map: Permission denied" >&2; exit 1;; esac',
    ],
    [
      'one that runs the command free',
      'case $1 in --help) /usr/bin/bwrap --help;; --version) echo bubblewrap 0.8.0;; *) while [ "$1" != -- ]; do shift; done; shift; exec "$@";; esac',
    ],
  ])('refuses %s', async (_, script) => {
    expect((await refusal(program(script))).code).toBe('E_SANDBOX_UNAVAILABLE');
  });
});

describe('the way out is named', () => {
  const facts: MachineFacts = {
    isRoot: false,
    isContainer: false,
    apparmorRestrictsUserns: undefined,
    unprivilegedUsernsClone: undefined,
    maxUserNamespaces: '1000',
  };
  it.each([
    [
      'Ubuntu 24.04',
      { apparmorRestrictsUserns: '1' },
      'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
    ],
    ['a closed kernel', { unprivilegedUsernsClone: '0' }, 'sysctl -w kernel.unprivileged_userns_clone=1'],
    ['no user namespaces', { maxUserNamespaces: '0' }, 'sysctl -w user.max_user_namespaces=15000'],
    ['a container', { isContainer: true }, 'docker run --security-opt seccomp=unconfined'],
    ['anything else', {}, 'bwrap: it broke'],
  ])('on %s', (_, more, text) => {
    expect(explainFailure('bwrap: it broke\n', { ...facts, ...more })).toContain(text);
  });
});
