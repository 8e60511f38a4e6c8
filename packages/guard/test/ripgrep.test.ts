import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { rgPath } from '@vscode/ripgrep';
import { describe, expect, it, vi } from 'vitest';
import { openPathGuard } from '@switchyard/guard';
import { useScene } from './scene.ts';

const scene = useScene();
const ws = (name: string): string => join(scene.workspace, name);
const put = (name: string, content: string | Uint8Array): void => {
  mkdirSync(dirname(ws(name)), { recursive: true });
  writeFileSync(ws(name), content);
};

async function search(
  pattern: string,
  ripgrep: string | false | undefined,
  path = '.',
): Promise<string[] | string> {
  const guard = openPathGuard({
    roots: [{ path: scene.workspace, write: true }],
    denyRead: ['.env', 'secrets/**'],
    ...(ripgrep === undefined ? {} : { ripgrep }),
  });
  try {
    return await guard.searchFiles(path, pattern);
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    guard.close();
  }
}

/** Files of all kinds that ripgrep, left to itself, treats otherwise than the guard. */
function plant(): void {
  put('.gitignore', 'ignored\n');
  put('.ignore', 'ignored\n');
  put('ignored', 'alpha beta\n');
  put('.hidden/deep', 'alpha beta\r\nBETA\n');
  put('plain', 'one\nalpha beta\nthree alpha\n');
  put('no-end', 'gamma delta');
  put('binary', 'alpha\0beta');
  put('late-nul', `${'x'.repeat(9000)}\nalpha beta\n\0`);
  put('not-utf8', new Uint8Array([0xff, 0x61, 0x6c, 0x70, 0x68, 0x61, 0x0a]));
  put('utf16', Buffer.from('\ufeffalpha beta', 'utf16le'));
  put('bom', '\ufeffalpha beta\n');
  put('accents', 'caf\u00e9 \u00c9T\u00c9 \u0130stanbul \u017ftra\u00dfe K\u212aelvin\n');
  put('.env', 'alpha SECRET\n');
  put('secrets/s', 'alpha SECRET\n');
  put('large', 'alpha\n');
  truncateSync(ws('large'), 9_000_000);
  put('strange/a:1:b', 'alpha\n');
  put('strange/new\nline', 'alpha\n');
  put('strange/-e', 'alpha\n');
  put('-- ', 'alpha\n');
  linkSync(ws('.env'), ws('second'));
  symlinkSync(scene.outside, ws('out'));
  symlinkSync('plain', ws('link'));
}

const program = existsSync(rgPath) ? rgPath : undefined;

describe.skipIf(program === undefined)(
  'with ripgrep (skipped where the package has none for this machine)',
  () => {
    it.each([
      'alpha',
      'ALPHA',
      '(?i)ALPHA',
      'alpha beta',
      'alpha|gamma',
      'al(?:ph|f)a',
      'alpha$',
      '^alpha',
      'a.pha b',
      'beta\\b',
      'alpha\\s+beta',
      'alphaa?',
      'alpha(x)?',
      'alph{1,3}a',
      '(?i)caf\u00c9',
      '(?i)\u00e9t\u00e9',
      '(?i)istanbul',
      '(?i)strasse',
      '(?i)kkelvin',
      'K\\u212aelvin',
      'SECRET',
      'beta\\r',
      '[ab]lpha',
      'y{4}y\\n',
      'alpha\\.|three alpha',
      '',
      'nobody',
      '(',
    ])('%s finds what it finds without it', async (pattern) => {
      plant();
      for (const path of ['.', 'strange', 'plain'])
        expect(await search(pattern, program, path), path).toEqual(await search(pattern, false, path));
    });

    it('any pattern of letters finds the same in any files', async () => {
      const letters = fc.string({
        unit: fc.constantFrom('a', 'b', 'A', '\u00e9', '\u00c9', ' ', '\n', 's', '\u017f', 'k', '\u212a'),
        maxLength: 12,
      });
      const piece = fc.constantFrom(
        'ab',
        'a',
        '.',
        'b?',
        'a*',
        '|',
        '(?:ab)',
        '[ab]',
        '\\s',
        'as',
        'ks',
        '^',
        '$',
        'b{2}',
        '\\.',
        '\u00e9a',
      );
      const pattern = fc
        .tuple(fc.constantFrom('', '', '(?i)'), fc.array(piece, { minLength: 1, maxLength: 5 }))
        .map(([flags, pieces]) => `${flags}${pieces.join('')}`);
      await fc.assert(
        fc.asyncProperty(
          fc.array(letters, { minLength: 1, maxLength: 3 }),
          pattern,
          async (contents, wanted) => {
            for (const [index, content] of contents.entries()) put(`f${index}`, content);
            expect(await search(wanted, program)).toEqual(await search(wanted, false));
          },
        ),
        { numRuns: 40 },
      );
    });
  },
);

/** A program in ripgrep's place that tells how it was started. */
function fake(lines: string): string {
  put(
    '../fake-rg',
    `#!/bin/sh\n{ printf '%s\\n' "$@"; echo ENVIRONMENT; env; } > '${scene.base}/told'\n${lines}\n`,
  );
  const path = join(scene.base, 'fake-rg');
  chmodSync(path, 0o755);
  return path;
}

describe('what stands in the place of ripgrep', () => {
  it('is a hint only: what it names is looked into by the guard, and what is not there has no hits', async () => {
    plant();
    const named = [
      'plain',
      '.env',
      'secrets/s',
      'second',
      'out/secret.txt',
      'link',
      '../outside/secret.txt',
      'nothing',
      'binary',
    ];
    const hits = await search(
      'alpha|SECRET',
      fake(`printf '${named.map((name) => `./${name}\\0`).join('')}'`),
    );
    expect(hits).toEqual(['plain:2:alpha beta', 'plain:3:three alpha']);
  });

  it('is told no configuration, no ignore files, no links, and nothing of the environment', async () => {
    plant();
    await search('alpha', fake('exit 1'));
    const [told = '', environment = ''] = readFileSync(join(scene.base, 'told'), 'utf8').split(
      'ENVIRONMENT\n',
    );
    for (const option of [
      '--no-config',
      '--no-ignore',
      '--hidden',
      '--no-follow',
      '--text',
      '--fixed-strings',
    ])
      expect(told.split('\n')).toContain(option);
    const names = environment
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0] ?? '');
    expect(names.filter((name) => !['PWD', 'LC_ALL', 'SHLVL', '_', 'OLDPWD'].includes(name))).toEqual([]);
  });

  it.each(['exit 2', 'exit 127', 'kill -9 $$', `printf './nothing\\0'; exit 2`])(
    'may fail (%s): then the guard looks itself',
    async (lines) => {
      plant();
      expect(await search('three', fake(lines))).toEqual(['plain:3:three alpha']);
    },
  );

  it('may be missing', async () => {
    plant();
    expect(await search('three', join(scene.base, 'no-such-program'))).toEqual(['plain:3:three alpha']);
  });

  it('is never a program of the folder that one works in', async () => {
    plant();
    put('rg', `#!/bin/sh\ntouch '${scene.base}/ran'\n`);
    chmodSync(ws('rg'), 0o755);
    process.chdir(scene.workspace);
    vi.stubEnv('PATH', `${scene.workspace}:${process.env['PATH'] ?? ''}`);
    expect(await search('three', undefined)).toEqual(['plain:3:three alpha']);
    vi.unstubAllEnvs();
    expect(existsSync(join(scene.base, 'ran'))).toBe(false);
  });
});
