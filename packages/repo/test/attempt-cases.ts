import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { layFiles } from './git-hub.ts';

/** What every attempt of the tests starts from. */
export const baseFiles = {
  'src/a.txt': 'a\n',
  'src/b.txt': 'b\n',
  'docs/d.md': 'd\n',
  'tool.sh': { run: '#!/bin/sh\n' },
};

/** What an attempt's hands do to a tree, and what becomes of it. */
export interface AttemptCase {
  readonly does: (tree: string) => void;
  readonly workspace?: string[];
  readonly exclude?: string[];
  readonly changed?: string[];
  readonly outside?: string[];
}

const remove = (tree: string, path: string): void => rmSync(join(tree, path), { recursive: true });
const plant = (folder: string): void => {
  mkdirSync(folder, { recursive: true });
  execFileSync('git', ['init', '-q', folder]);
  execFileSync('git', [
    '-C',
    folder,
    '-c',
    'user.name=x',
    '-c',
    'user.email=x',
    'commit',
    '-q',
    '--allow-empty',
    '-m',
    'x',
  ]);
};
const nonUtf8 = (folder: string): Buffer =>
  Buffer.concat([Buffer.from(`${folder}/bad-`), Buffer.from([0xff, 0xfe])]);

/** What an attempt may leave, by name; the base is `baseFiles`. */
export const attemptCases: Record<string, AttemptCase> = {
  nothing: { does: () => undefined },
  'new files, also in new folders': {
    does: (tree) => layFiles(tree, { 'src/x/y.txt': 'y', 'src/z': 'z' }),
    changed: ['added src/x/y.txt', 'added src/z'],
  },
  'a changed mode': {
    does: (tree) => chmodSync(join(tree, 'src/a.txt'), 0o755),
    changed: ['modified src/a.txt'],
  },
  'the same size and times, other content': {
    does: (tree) => {
      const file = join(tree, 'src/a.txt');
      execFileSync('sh', [
        '-c',
        'touch -r "$1" ref && printf "X\\n" > "$1" && touch -r ref "$1" && rm ref',
        'sh',
        file,
      ]);
    },
    changed: ['modified src/a.txt'],
  },
  'a touched file': { does: (tree) => execFileSync('touch', [join(tree, 'src/a.txt')]) },
  'a file that became a folder': {
    does: (tree) => (remove(tree, 'src/a.txt'), layFiles(tree, { 'src/a.txt/in': 'x' })),
    changed: ['deleted src/a.txt', 'added src/a.txt/in'],
  },
  'a folder that became a file': {
    does: (tree) => (remove(tree, 'src'), layFiles(tree, { src: 'x' })),
    changed: ['added src', 'deleted src/a.txt', 'deleted src/b.txt'],
  },
  'a folder that became a link to another with the same names': {
    does: (tree) => {
      layFiles(tree, { 'docs/a.txt': 'a\n', 'docs/b.txt': 'b\n' });
      remove(tree, 'src');
      layFiles(tree, { src: { link: 'docs' } });
    },
    changed: ['added docs/a.txt', 'added docs/b.txt', 'added src', 'deleted src/a.txt', 'deleted src/b.txt'],
  },
  'a file that became a link': {
    does: (tree) => (remove(tree, 'src/a.txt'), layFiles(tree, { 'src/a.txt': { link: 'b.txt' } })),
    changed: ['type-changed src/a.txt'],
  },
  'links that lead out': {
    does: (tree) =>
      layFiles(tree, {
        'src/absolute': { link: '/etc/passwd' },
        'src/up': { link: '../../x' },
        'src/through': { link: 'way/../../../x' },
        'src/git': { link: '../.git/config' },
        'src/fine': { link: '../docs/d.md' },
        'src/dangling': { link: 'nothing' },
      }),
    changed: ['added src/dangling', 'added src/fine'],
    outside: ['src/absolute', 'src/git', 'src/through', 'src/up'],
  },
  'ignored files': {
    does: (tree) =>
      layFiles(tree, { 'src/.gitignore': '*.log\nbuild/\n', 'src/x.log': 'x', 'src/build/y': 'y' }),
    changed: ['added src/.gitignore'],
  },
  'a change of an ignored file that the base has': {
    does: (tree) => layFiles(tree, { '.gitignore': 'src\n', 'src/a.txt': 'A', 'src/new': 'n' }),
    changed: ['added .gitignore', 'modified src/a.txt'],
  },
  'changes outside the workspace': {
    does: (tree) => {
      layFiles(tree, { 'src/a.txt': 'A', 'docs/d.md': 'D', 'docs/new': 'n', srcs: 's', 'docs/src/x': 'x' });
      remove(tree, 'tool.sh');
    },
    workspace: ['src/'],
    changed: ['modified src/a.txt'],
    outside: ['docs/d.md', 'docs/new', 'docs/src/x', 'srcs', 'tool.sh'],
  },
  'a single file as workspace': {
    does: (tree) => layFiles(tree, { 'src/a.txt': 'A', 'src/a.txt2': 'x' }),
    workspace: ['src/a.txt'],
    changed: ['modified src/a.txt'],
    outside: ['src/a.txt2'],
  },
  'scratch and layers': {
    does: (tree) => {
      layFiles(tree, {
        'node_modules/p/index.js': 'x',
        'src/dist/out.js': 'x',
        'src/a.log': 'x',
        'src/dist.txt': 'kept',
        'docs/d.md': 'D',
      });
      plant(join(tree, 'node_modules/git-dependency'));
    },
    workspace: ['src'],
    exclude: ['node_modules', '**/dist/', '**/*.log', './docs'],
    changed: ['added src/dist.txt'],
  },
  'a file in place of a folder that is left as it was': {
    does: (tree) => (remove(tree, 'docs'), layFiles(tree, { docs: 'x' })),
    exclude: ['docs/*'],
    changed: ['added docs', 'deleted docs/d.md'],
  },
  'a planted repository': {
    does: (tree) => (plant(join(tree, 'src/repository')), layFiles(tree, { 'src/repository/x': 'x' })),
    outside: ['src/repository'],
  },
  'a planted repository in a tracked folder': {
    does: (tree) => (plant(join(tree, 'src')), layFiles(tree, { 'src/a.txt': 'A' })),
    changed: ['modified src/a.txt'],
    outside: ['src/.git'],
  },
  'a planted .git that is no repository': {
    does: (tree) => layFiles(tree, { 'src/.git/hooks/x': 'x', 'new/.git': 'gitdir: /etc\n', 'new/x': 'x' }),
    changed: ['added new/x'],
    outside: ['new/.git', 'src/.git'],
  },
  'an ignored repository': {
    does: (tree) => (plant(join(tree, 'src/deps/one')), layFiles(tree, { 'src/.gitignore': 'deps\n' })),
    changed: ['added src/.gitignore'],
  },
  'names that other systems take for .git': {
    does: (tree) =>
      layFiles(tree, { 'src/.GIT/config': 'x', 'src/git~1': 'x', 'src/.git .': 'x', 'src/.gitx': 'x' }),
    changed: ['added src/.gitx'],
    outside: ['src/.GIT/config', 'src/.git .', 'src/git~1'],
  },
  'a link named as a file that git reads': {
    does: (tree) =>
      layFiles(tree, { 'src/.gitattributes': { link: 'a.txt' }, '.gitmodules': { link: 'src/a.txt' } }),
    outside: ['.gitmodules', 'src/.gitattributes'],
  },
  'hostile attributes': {
    does: (tree) => {
      layFiles(tree, {
        '.gitattributes':
          '* text filter=evil ident eol=crlf\n*.u working-tree-encoding=UTF-16\n*.txt -diff merge=evil\n',
        'src/a.txt': 'a\r\n$Id: x$\r\n',
        'src/b.u': 'b',
      });
      execFileSync('git', ['config', 'filter.evil.clean', 'touch /tmp/evil; cat'], { cwd: tree });
    },
    changed: ['added .gitattributes', 'modified src/a.txt', 'added src/b.u'],
  },
  'names of all kinds': {
    does: (tree) => {
      layFiles(tree, {
        'src/new\nline': 'x',
        'src/quote"\\tab\t': 'x',
        'src/:(exclude)x': 'x',
        'src/*?[a]': 'x',
        'src/-n': 'x',
        ' lead': 'x',
        'src/ümlaut': 'x',
        'R100 trail ': 'x',
      });
      writeFileSync(nonUtf8(join(tree, 'src')), 'x');
    },
    changed: [
      'added  lead',
      'added R100 trail ',
      'added src/*?[a]',
      'added src/-n',
      'added src/:(exclude)x',
      'added src/new\nline',
      'added src/quote"\\tab\t',
      'added src/ümlaut',
    ],
    outside: ['src/bad-\\xff\\xfe'],
  },
  'pipes and sockets': { does: (tree) => execFileSync('mkfifo', [join(tree, 'src/pipe')]) },
  'a changed .git of its own': {
    does: (tree) => {
      appendFileSync(join(tree, '.git/config'), '[core]\n\tfsmonitor = touch /tmp/evil\n\tworktree = /etc\n');
      appendFileSync(join(tree, '.git/info/exclude'), 'src\n');
      writeFileSync(join(tree, '.git/index'), 'rubbish');
      layFiles(tree, { 'src/new': 'x' });
    },
    changed: ['added src/new'],
  },
  'no .git at all': {
    does: (tree) => (remove(tree, '.git'), layFiles(tree, { 'src/new': 'x', '.git': 'gitdir: /etc\n' })),
    changed: ['added src/new'],
  },
  'a deleted tree': {
    does: (tree) => ['src', 'docs', 'tool.sh'].forEach((path) => remove(tree, path)),
    changed: ['deleted docs/d.md', 'deleted src/a.txt', 'deleted src/b.txt', 'deleted tool.sh'],
  },
};
