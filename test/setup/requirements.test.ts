import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { requireNode } from '../../tools/setup/requirements.mjs';

const ensure = fileURLToPath(new URL('../../tools/setup/ensure.mjs', import.meta.url));
const isRoot = process.getuid?.() === 0;

let bin: string;
beforeEach(() => {
  bin = mkdtempSync(join(tmpdir(), 'sy-bin-'));
});
afterEach(() => rmSync(bin, { recursive: true, force: true }));

/** Puts a program on the search path that holds nothing else. */
function program(name: string, script: string): void {
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, name), 0o755);
}

function runEnsure(...args: string[]): { status: number | null; stderr: string } {
  return spawnSync(process.execPath, [ensure, ...args], { env: { PATH: bin }, encoding: 'utf8' });
}

describe('what a machine needs', () => {
  it('says that Node is too old, and how to mend it', () => {
    expect(() => requireNode('20.18.1')).toThrow(/Node 20\.18\.1 is too old.*fix:/s);
    expect(() => requireNode('18.20.0')).toThrow(/too old/);
    expect(() => requireNode('20.19.0')).not.toThrow();
    expect(() => requireNode('24.1.0')).not.toThrow();
  });

  it('ends with 4 and the way out when git is missing', () => {
    const { status, stderr } = runEnsure('--no-sandbox');
    expect(stderr).toMatch(/^git is missing: .*2\.39 or newer\.\n {2}fix: install/);
    expect(status).toBe(4);
  });

  it('ends with 4 when git is too old', () => {
    program('git', 'echo git version 2.30.2');
    const { status, stderr } = runEnsure('--no-sandbox');
    expect(stderr).toContain('git 2.30.2 is too old');
    expect(status).toBe(4);
  });

  it('says nothing when all is there', () => {
    program('git', 'echo git version 2.39.5');
    program('bwrap', 'exit 0');
    expect(runEnsure()).toMatchObject({ status: 0, stderr: '' });
  });

  it.runIf(process.platform === 'linux')('ends with 4 when bubblewrap is missing and cannot be had', () => {
    program('git', 'echo git version 2.39.5');
    program('dnf', 'exit 1');
    const { status, stderr } = runEnsure();
    expect(stderr).toMatch(/^bubblewrap is missing.*\n {2}fix: .*dnf install -y bubblewrap/s);
    expect(status).toBe(4);
  });

  it.runIf(process.platform === 'linux' && isRoot)('installs bubblewrap where it may, and says so', () => {
    program('git', 'echo git version 2.39.5');
    program(
      'apt-get',
      `case "$1" in install) printf '#!/bin/sh\\n' > ${bin}/bwrap; /bin/chmod 755 ${bin}/bwrap;; esac`,
    );
    expect(runEnsure()).toMatchObject({ status: 0, stderr: 'installing bubblewrap (apt-get)\n' });
  });
});
