// What a machine needs before anything of this repository can run.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { capture } from './child.mjs';
import { SetupError } from './setup-error.mjs';

const nodeLeast = [20, 19];
const gitLeast = [2, 39];

/** Throws a SetupError when Node is older than we promise to run on. */
export function requireNode(version = process.versions.node) {
  if (isAtLeast(version, nodeLeast)) return;
  throw new SetupError(
    `Node ${version} is too old: Switchyard needs Node ${nodeLeast.join('.')} or newer.\n` +
      `  fix: install it from https://nodejs.org or with your version manager, for example: nvm install 22`,
  );
}

/** Throws a SetupError when git is missing or too old. */
export function requireGit() {
  const found = capture('git', ['--version']);
  const version = /\d+\.\d+(\.\d+)?/.exec(found.output)?.[0];
  if (found.code === 0 && version !== undefined && isAtLeast(version, gitLeast)) return;
  const what = version === undefined ? 'git is missing' : `git ${version} is too old`;
  throw new SetupError(
    `${what}: Switchyard needs git ${gitLeast.join('.')} or newer.\n  fix: ${installCommand('git')}`,
  );
}

/**
 * Makes sure that commands can be isolated: bubblewrap on Linux, installed by root on Debian and its kin. Says one
 * line when it installs; throws a SetupError with the exact command elsewhere.
 */
export function requireSandbox(say) {
  if (process.platform !== 'linux')
    throw new SetupError(
      `Commands are isolated on Linux only, so far; this is ${process.platform}.\n` +
        `  fix: use a Linux machine, or run without isolation: npm start -- --no-sandbox`,
    );
  if (onPath('bwrap')) return;
  if (process.getuid?.() === 0 && onPath('apt-get')) installByApt(say);
  if (onPath('bwrap')) return;
  throw new SetupError(
    `bubblewrap is missing: without it commands cannot be isolated and are refused.\n` +
      `  fix: ${installCommand('bubblewrap')}`,
  );
}

function installByApt(say) {
  say('installing bubblewrap (apt-get)');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  capture('apt-get', ['update', '-qq'], { env });
  const args = ['install', '-y', '-qq', '--no-install-recommends', 'bubblewrap'];
  const { code, output } = capture('apt-get', args, { env });
  if (code !== 0) say(output.trimEnd().split('\n').slice(-5).join('\n'));
}

const managers = [
  ['apt-get', (name) => `apt-get update && apt-get install -y ${name}`],
  ['dnf', (name) => `dnf install -y ${name}`],
  ['pacman', (name) => `pacman -S --noconfirm ${name}`],
  ['apk', (name) => `apk add ${name}`],
  ['zypper', (name) => `zypper --non-interactive install ${name}`],
  ['brew', (name) => `brew install ${name}`],
];

/** The command that installs a package on this machine. */
function installCommand(name) {
  const found = managers.find(([program]) => onPath(program));
  if (found === undefined) return `install the package ${name}`;
  const command = found[1](name);
  const needsRoot = found[0] !== 'brew' && process.getuid?.() !== 0;
  return needsRoot ? `sudo sh -c '${command}'` : command;
}

function onPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return folder !== '';
    } catch {
      // Not in this folder.
      return false;
    }
  });
}

function isAtLeast(version, least) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > least[0] || (major === least[0] && minor >= least[1]);
}
