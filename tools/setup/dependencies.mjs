// Dependencies: installed when node_modules is not what package-lock.json asks for.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture } from './child.mjs';
import { isInstalled } from './lock-entries.mjs';
import { SetupError } from './setup-error.mjs';

/** Installs by `npm ci` where needed; one line when it does. Throws a SetupError with npm's last words. */
export function ensureDependencies(root, say) {
  const lockText = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const hash = createHash('sha256').update(lockText).digest('hex');
  const marker = join(root, 'node_modules', '.switchyard-lock');
  if (readOr(marker) === hash) return;
  const installed = readOr(join(root, 'node_modules', '.package-lock.json'));
  const isThere = (path) => existsSync(join(root, path, 'package.json'));
  const isCurrent =
    installed !== undefined && isInstalled(JSON.parse(lockText), JSON.parse(installed), isThere);
  if (!isCurrent) install(root, say);
  // A folder that cannot be written was complete all the same.
  if (existsSync(join(root, 'node_modules'))) tryWrite(marker, hash);
}

function install(root, say) {
  say('installing dependencies (npm ci)');
  const started = Date.now();
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  const cli = process.env.npm_execpath;
  const { code, output } = cli?.endsWith('.js')
    ? capture(process.execPath, [cli, ...args], { cwd: root })
    : capture('npm', args, { cwd: root });
  if (code !== 0)
    throw new SetupError(
      `dependencies could not be installed:\n${output.trimEnd().split('\n').slice(-20).join('\n')}\n` +
        `  fix: see what npm says above, then: npm ci --ignore-scripts`,
    );
  say(`dependencies installed in ${Math.round((Date.now() - started) / 1000)} s`);
}

function readOr(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Not there, or not readable: install.
    return undefined;
  }
}

function tryWrite(file, text) {
  try {
    writeFileSync(file, text);
  } catch (error) {
    if (error.code !== 'EACCES' && error.code !== 'EROFS') throw error;
  }
}
