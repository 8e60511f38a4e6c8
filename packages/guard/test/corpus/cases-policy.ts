import type { Case, Corpus } from './case.ts';

const refusedWrite = (
  title: string,
  path: string,
  refused: Case['end']['refused'],
  before?: string,
): Case => ({
  title,
  ...(before === undefined ? {} : { before }),
  steps: [['write', path, 'PWNED']],
  end: { refused: refused ?? 'E_PROTECTED' },
});

const protectedNames = [
  '.git/config',
  '.git/config.worktree',
  '.git/hooks/post-merge',
  '.git/info/attributes',
  '.git/modules/a/hooks/x',
  '.git/worktrees/a/gitdir',
  '.git/commondir',
  '.git/objects/info/alternates',
  '.git',
  'vendor/lib/.git/config',
  'vendor/lib/.git',
  '.gitmodules',
  'sub/.gitconfig',
  '.vscode/extensions.json',
  'a/b/.vscode/launch.json',
  '.idea/workspace.xml',
  '.mcp.json',
  'sub/.mcp.json',
  '.claude/hooks/x.sh',
  '.cursor/mcp.json',
  '.codex/config.toml',
  '.roo/rules/x.md',
  '.roomodes',
  '.rooignore',
  '.envrc',
  'sub/.envrc',
  '.ripgreprc',
  '.devcontainer/devcontainer.json',
  '.bashrc',
  '.bash_profile',
  '.profile',
  'home/.zshrc',
  '.zshenv',
  '.zlogin',
  '.cshrc',
  '.config/fish/config.fish',
];

const spellings = [
  '.GIT/config',
  '.git /config',
  '.git../config',
  '.git. ./config',
  '.git/CONFIG',
  '.git/./config',
  './/.git//config',
  'a/../.git/config',
  '$WS/.git/config',
  '.git/hooks/../config',
  '.\u0262it/../.git/config',
  '.g\ufe0fit/config',
  '.\uff27\uff29\uff34/config',
  'git~1/config',
  'GIT~2/hooks/x',
  '.git::$INDEX_ALLOCATION/config',
  '.git/config:x',
  '.Claude/x',
  '.VSCODE/tasks.json',
  'VSCODE~1/tasks.json',
  '.EnvRC',
  '.gitmodules.',
];

const block = (search: string, replace: string): string =>
  `<<<<<<< SEARCH\n${search}\n=======\n${replace}\n>>>>>>> REPLACE`;

export const policyCases: Corpus = {
  'protected files': [
    ...protectedNames.map((path) => refusedWrite(path, path, 'E_PROTECTED')),
    ...spellings.map((path) =>
      refusedWrite(`spelled ${path}`, path, ['E_PROTECTED', 'E_PATH_INVALID', 'E_NOT_FOUND']),
    ),
    {
      title: 'insert into a hook',
      before: 'mkdir -p ws/.git/hooks; echo x > ws/.git/hooks/pre-push',
      steps: [['insert', '.git/hooks/pre-push', 0, 'PWNED']],
      end: { refused: 'E_PROTECTED', holds: '.git/hooks/pre-push=x\n' },
    },
    {
      title: 'a diff on settings',
      before: 'mkdir ws/.vscode; echo old > ws/.vscode/settings.json',
      steps: [['diff', '.vscode/settings.json', block('old', 'PWNED')]],
      end: { refused: 'E_PROTECTED' },
    },
    {
      title: 'make a protected folder',
      steps: [['mkdir', '.vscode']],
      end: { refused: 'E_PROTECTED', gone: '.vscode' },
    },
    {
      title: 'make hooks',
      before: 'mkdir ws/.git',
      steps: [['mkdir', '.git/hooks']],
      end: { refused: 'E_PROTECTED' },
    },
    {
      title: 'move a file to a protected name',
      before: 'echo x > ws/f',
      steps: [['move', 'f', '.envrc']],
      end: { refused: 'E_PROTECTED', holds: 'f=x\n' },
    },
    {
      title: 'move a folder to a protected name',
      before: 'mkdir ws/d; echo x > ws/d/tasks.json',
      steps: [['move', 'd', '.vscode']],
      end: { refused: 'E_PROTECTED' },
    },
    {
      title: 'move a folder so that what it holds becomes protected',
      before: 'mkdir -p ws/d/x ws/.config; echo x > ws/d/x/config.fish',
      steps: [
        ['move', 'd/x', 'd/fish'],
        ['move', 'd/fish', '.config/fish'],
      ],
      end: { refused: 'E_PROTECTED' },
    },
    {
      title: 'move a repository away',
      before: 'mkdir -p ws/.git/hooks',
      steps: [['move', '.git', 'g']],
      end: { refused: 'E_PROTECTED' },
    },
    {
      title: 'remove a folder with a repository',
      before: 'mkdir -p ws/d/.git/hooks; echo x > ws/d/.git/config',
      steps: [['remove', 'd']],
      end: { refused: 'E_PROTECTED', holds: 'd/.git/config=x\n' },
    },
    {
      title: 'remove settings',
      before: 'mkdir ws/.claude; echo x > ws/.claude/settings.json',
      steps: [['remove', '.claude']],
      end: { refused: 'E_PROTECTED', holds: '.claude/settings.json=x\n' },
    },
  ],
  'denied files': [
    ...['.env', '.ENV', '.env.', '.env ', '.EnV::$DATA', './.env', 'a/../.env', '$WS/.env', '.\uff45nv'].map(
      (path): Case => ({
        title: `read ${path}`,
        before: 'mkdir ws/a; for n in .env .ENV ".env " .env.; do echo $SECRET > "ws/$n"; done',
        steps: [['read', path]],
        end: { refused: ['E_DENIED', 'E_NOT_FOUND'] },
      }),
    ),
    ...['k.pem', 'K.PEM', 'deep/er/k.pem', 'k.pem/inside', 'secrets/x', 'Secrets/x', 'secrets/a/b/c'].map(
      (path): Case => ({
        title: `write ${path}`,
        steps: [['write', path, 'x']],
        end: { refused: 'E_DENIED' },
      }),
    ),
    {
      title: 'what is denied is not told from what is not there',
      before: 'mkdir ws/secrets; echo $SECRET > ws/secrets/there',
      steps: [['read', 'secrets/nothing']],
      end: { refused: 'E_DENIED' },
    },
    {
      title: 'nor beneath a denied file',
      before: 'mkdir ws/secrets; echo $SECRET > ws/secrets/there',
      steps: [['read', 'secrets/there/x']],
      end: { refused: 'E_DENIED' },
    },
    {
      title: 'nor with a slash behind it',
      before: 'mkdir ws/secrets; echo $SECRET > ws/secrets/there',
      steps: [['read', 'secrets/there/']],
      end: { refused: 'E_DENIED' },
    },
    {
      title: 'not listed',
      before:
        'mkdir -p ws/secrets ws/a/secrets; echo x > ws/.env; echo x > ws/a/k.pem; echo x > ws/a/f; echo x > ws/a/secrets/s',
      steps: [['list', '.', true]],
      end: { shows: 'a/secrets/s', hides: '.pem' },
    },
    {
      title: 'list a denied folder',
      before: 'mkdir ws/secrets; echo x > ws/secrets/x',
      steps: [['list', 'secrets', false]],
      end: { refused: 'E_DENIED' },
    },
    {
      title: 'search a denied file',
      before: 'echo $SECRET > ws/.env',
      steps: [['search', '.env', '.']],
      end: { refused: 'E_DENIED' },
    },
    {
      title: 'facts of a denied file',
      before: 'echo $SECRET > ws/.env',
      steps: [['stat', '.env']],
      end: { refused: 'E_DENIED' },
    },
    {
      title: 'in the readable root too',
      before: 'echo $SECRET > ro/.env',
      steps: [['read', '$RO/.env']],
      end: { refused: 'E_DENIED' },
    },
    {
      title: 'move a denied file to another name',
      before: 'echo $SECRET > ws/.env',
      steps: [['move', '.env', 'x']],
      end: { refused: 'E_DENIED', gone: 'x' },
    },
    {
      title: 'move the folder of a denied file',
      before: 'mkdir ws/a; echo $SECRET > ws/a/k.pem',
      steps: [['move', 'a', 'b']],
      end: { refused: ['E_DENIED', 'E_PROTECTED'], gone: 'b' },
    },
    {
      title: 'move a folder over the names that are denied',
      before: 'mkdir ws/d; echo x > ws/d/x',
      steps: [['move', 'd', 'secrets']],
      end: { refused: 'E_DENIED' },
    },
    {
      title: 'remove a denied file',
      before: 'echo $SECRET > ws/.env',
      steps: [['remove', '.env']],
      end: { refused: 'E_DENIED' },
    },
    {
      title: 'remove the folder of a denied file',
      before: 'mkdir ws/a; echo $SECRET > ws/a/k.pem',
      steps: [['remove', 'a']],
      end: { refused: ['E_DENIED', 'E_PROTECTED'] },
    },
    {
      title: 'a file of the workspace changes no rule',
      before:
        'echo "!.env" > ws/.rooignore; echo "{\\"denyRead\\":[]}" > ws/.switchyard.json; echo $SECRET > ws/.env',
      steps: [['read', '.env']],
      end: { refused: 'E_DENIED' },
    },
  ],
};
